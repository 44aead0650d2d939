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
    """A suffix that is free again after the test."""
    yield ".toy"
    REGISTRY.pop(".toy", None)


def nothing(path: Path) -> Source:
    return Source([], None, None, path.name)


def test_reader_of_any_module_is_used(tmp_path: Path, suffix: str) -> None:
    """A function with the decorator reads files of its suffix, and messages list it."""
    reader(suffix, description="a toy")(nothing)
    (tmp_path / "a.TOY").write_text("content")
    assert read(tmp_path / "a.TOY").description == "a.TOY"
    with pytest.raises(DataError, match=r"\.toy"):
        read(tmp_path / "absent")


def test_suffix_has_one_reader(suffix: str) -> None:
    """A second reader of a suffix is refused by both addresses; the same one may come again."""
    formats()
    reader(suffix, description="a toy")(nothing)
    reader(suffix, description="a toy, again")(nothing)
    assert formats()[suffix].description == "a toy, again"
    with pytest.raises(ConfigError, match=r"tables\.read_csv and as .*test_registry\.nothing"):
        reader(".csv", description="another table")(nothing)


@pytest.mark.parametrize("name", ["toy", ".toy.gz", ".TOY"])
def test_suffix_is_one_that_paths_have(name: str) -> None:
    """Suffixes that no path can end in are refused."""
    with pytest.raises(ConfigError, match="is no suffix"):
        reader(name, description="a toy")(nothing)


def test_absent_package_is_named(tmp_path: Path, suffix: str) -> None:
    """Without the package that a reader needs, the error says what to install."""
    reader(suffix, description="a toy", package="absent_package", install="toys[all]")(nothing)
    (tmp_path / "a.toy").write_text("content")
    with pytest.raises(
        DataError, match=r"package absent_package; install it with: pip install 'toys\[all\]'"
    ):
        read(tmp_path / "a.toy")
