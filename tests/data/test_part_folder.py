"""Parts are written once, in a folder of one plan, and complete ones are known by checksums."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unwarp.data.part_folder import (
    LOG,
    MANIFEST,
    PLAN,
    Part,
    announce,
    check_parts,
    opened_parts,
    parts_of,
    read_record,
    write_part,
)
from unwarp.errors import CheckpointError, ConfigError, DataError

PLAN_OF_TEST = {"content": "texts", "shape": (2, 3)}


def write(folder: Path, n: int, is_finished: bool = True) -> None:
    """Write some parts of three."""
    with opened_parts(folder, PLAN_OF_TEST) as parts:
        for k in range(n):
            parts.write(f"{k}.txt", k, f"part {k}".encode())
        if is_finished:
            parts.finish([f"{k}.txt" for k in range(n)], size=n)


def test_manifest_replaces_the_plan(tmp_path: Path) -> None:
    """The complete folder has parts and a manifest with the plan, and nothing else."""
    write(tmp_path / "out", 3)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["0.txt", "1.txt", "2.txt", MANIFEST]
    record = read_record(tmp_path / "out" / MANIFEST)
    assert record is not None and record["shape"] == [2, 3] and record["size"] == 3
    assert [part.rows for part in parts_of(record)] == [0, 1, 2]
    assert check_parts(tmp_path / "out", parts_of(record), has_checksum=True) == 3


def test_unfinished_folders_go_on(tmp_path: Path) -> None:
    """Complete parts are not written again; one that changed meanwhile is."""
    write(tmp_path, 2, is_finished=False)
    assert (tmp_path / PLAN).exists() and (tmp_path / LOG).exists()
    (tmp_path / "1.txt").write_text("other 1")
    before = (tmp_path / "0.txt").stat().st_mtime_ns
    write(tmp_path, 3)
    assert (tmp_path / "0.txt").stat().st_mtime_ns == before
    assert [(tmp_path / f"{k}.txt").read_text() for k in range(3)] == [
        f"part {k}" for k in range(3)
    ]


def test_complete_folders_stay(tmp_path: Path) -> None:
    """A complete folder of the plan has its manifest, and of another plan is refused."""
    write(tmp_path, 2)
    with opened_parts(tmp_path, PLAN_OF_TEST) as parts:
        assert parts.manifest is not None and parts.manifest["size"] == 2
    for plan in ({**PLAN_OF_TEST, "shape": (2, 4)}, {**PLAN_OF_TEST, "more": 1}):
        with pytest.raises(ConfigError, match="other work"), opened_parts(tmp_path, plan):
            pass


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A folder with files, a file, and a folder that is read are no place for parts."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("mine")
    with pytest.raises(ConfigError, match="holds files"), opened_parts(tmp_path / "a", {}):
        pass
    with pytest.raises(ConfigError), opened_parts(tmp_path / "a" / "x", {}):
        pass
    write(tmp_path / "b", 1)
    with pytest.raises(ConfigError, match="read"), opened_parts(tmp_path / "b", {}, [tmp_path]):
        pass


def test_two_writers_exclude_each_other(tmp_path: Path) -> None:
    """A folder is held while parts are written to it."""
    with opened_parts(tmp_path, PLAN_OF_TEST), ThreadPoolExecutor(1) as pool:
        error = pool.submit(write, tmp_path, 1).exception()
    assert isinstance(error, CheckpointError)


def test_damage_is_in_words(tmp_path: Path) -> None:
    """Missing files, other sizes and other bytes are told apart."""
    part = write_part(tmp_path, "x", 1, b"1234")
    assert part.damage(tmp_path, has_checksum=True) == ""
    (tmp_path / "x").write_bytes(b"1235")
    assert part.damage(tmp_path, has_checksum=False) == ""
    assert "checksum" in part.damage(tmp_path, has_checksum=True)
    (tmp_path / "x").write_bytes(b"123")
    assert "3 bytes instead of 4" in part.damage(tmp_path, has_checksum=False)
    (tmp_path / "x").unlink()
    with pytest.raises(DataError, match="x is missing"):
        check_parts(tmp_path, [part, part], has_checksum=False)


def test_records_of_others_are_none(tmp_path: Path) -> None:
    """Files without the mark are not read, and a later version is refused."""
    for text in ("", "[]", "{}", json.dumps({"version": 1})):
        (tmp_path / MANIFEST).write_text(text)
        assert read_record(tmp_path / MANIFEST) is None
    (tmp_path / MANIFEST).write_text(json.dumps({"unwarp_parts": 2}))
    with pytest.raises(DataError, match="newest"):
        read_record(tmp_path / MANIFEST)
    with pytest.raises(DataError, match="damaged"):
        parts_of({"parts": [{"name": 3}]})


def test_progress_is_told_ten_times() -> None:
    """Many parts give about ten lines, few parts one each, and the last is always told."""
    for n, count in ((3, 3), (10, 10), (101, 11)):
        lines: list[str] = []
        for k in range(n):
            announce(k + 1, n, lines.append)
        assert len(lines) == count and lines[-1] == f"{n} of {n} parts"


def test_parts_know_their_checksum(tmp_path: Path) -> None:
    """The checksum is SHA-256, as other programs compute it."""
    (tmp_path / "x").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Part.of(tmp_path / "x", 1) == Part("x", 1, 3, digest)
