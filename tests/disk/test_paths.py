"""Paths, patterns, and arrays in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.disk.paths import absolute, is_pattern, matches, root_of, split_member


def test_existing_path_is_no_pattern(tmp_path: Path) -> None:
    """A file whose name has a bracket or a colon is that file."""
    for name in ("a[1].h5", "b:c.h5"):
        (tmp_path / name).touch()
        path = str(tmp_path / name)
        assert not is_pattern(path) and split_member(path) == (path, "")
        assert split_member(f"{path}:/g/x") == (path, "/g/x")


def test_members_need_a_file(tmp_path: Path) -> None:
    """A colon after anything but a file belongs to the path."""
    for path in (f"{tmp_path}:x", "C:\\pictures", "absent.h5:x", "a:", ""):
        assert split_member(path) == (path, "")


def test_patterns_match_files(tmp_path: Path) -> None:
    """Files come sorted, from all folders below `**`; folders and hidden files do not."""
    for name in ("b.tif", "a.tif", ".c.tif", "deep/er/d.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in matches(f"{tmp_path}/*.tif")] == ["a.tif", "b.tif"]
    assert [path.name for path in matches(f"{tmp_path}/**/*.tif")] == ["a.tif", "b.tif", "d.tif"]
    assert root_of(f"{tmp_path}/*/*/*.tif") == tmp_path


def test_absolute_sources_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another folder, an absolute source still leads to its file."""
    (tmp_path / "a.h5").touch()
    monkeypatch.chdir(tmp_path)
    sources = [absolute(source) for source in ("a.h5", "a.h5:/x", "*.h5", "digits")]
    monkeypatch.chdir("/")
    assert split_member(sources[1]) == (sources[0], "/x") and Path(sources[0]).is_file()
    assert [path.name for path in matches(sources[2])] == ["a.h5"] and sources[3] == "digits"
