"""The registry of formats: open to other modules, one reader a suffix, optional packages named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unwarp.data.formats.files import read
from unwarp.data.formats.registry import REGISTRY, formats, reader
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError


@pytest.fixture
def suffix() -> Iterator[str]:
    """A suffix, free again after the test."""
    yield ".toy"
    REGISTRY.pop(".toy", None)


def read_nothing(path: Path) -> Source:
    """A reader that returns no samples, described by the name of the file."""
    return Source([], None, None, path.name)


def test_reader_of_any_module_is_used(tmp_path: Path, suffix: str) -> None:
    """A function with the decorator reads files of its suffix, and messages list it."""
    reader(suffix, description="a toy")(read_nothing)
    (tmp_path / "a.TOY").write_text("content")
    assert read(tmp_path / "a.TOY").description == "a.TOY"
    with pytest.raises(DataError, match=r"\.toy"):
        read(tmp_path / "absent")


def test_suffix_has_one_reader(suffix: str) -> None:
    """A second reader of a suffix is refused with both addresses; the same may come again."""
    formats()
    reader(suffix, description="a toy")(read_nothing)
    reader(suffix, description="a toy, again")(read_nothing)
    assert formats()[suffix].description == "a toy, again"
    with pytest.raises(
        ConfigError, match=r"csv_files\.read_csv and as .*test_registry\.read_nothing"
    ):
        reader(".csv", description="another table")(read_nothing)


@pytest.mark.parametrize("name", ["toy", ".toy.gz", ".TOY"])
def test_invalid_suffix_is_refused(name: str) -> None:
    """Suffixes that no path can end in are refused."""
    with pytest.raises(ConfigError, match="is not a suffix"):
        reader(name, description="a toy")(read_nothing)


def test_absent_package_is_named(tmp_path: Path, suffix: str) -> None:
    """Without the package that a reader needs, the error says what to install."""
    reader(suffix, description="a toy", package="absent_package", install="toys[all]")(read_nothing)
    (tmp_path / "a.toy").write_text("content")
    with pytest.raises(
        DataError, match=r"package absent_package; install it with: pip install 'toys\[all\]'"
    ):
        read(tmp_path / "a.toy")
