"""Packed pictures: read in place, refused where they lead elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.files import read
from unwarp.data.writing import write
from unwarp.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (3, 10, 12), dtype=np.uint8)


def packed(path: Path, names: list[str]) -> Path:
    """A `.zip` file with pictures of these names."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, pixels in zip(names, X, strict=False):
            out = io.BytesIO()
            Image.fromarray(pixels).save(out, "PNG")
            archive.writestr(name, out.getvalue())
    return path


def test_archive_comes_back(tmp_path: Path) -> None:
    """Names, labels and pixels are those of a folder, without a file on the disk."""
    path = packed(tmp_path / "a.zip", ["cat/1.png", "dog/1.png", "__MACOSX/dog/._1.png"])
    source = read(path)
    assert source.names == ["cat/1.png", "dog/1.png"] and [*tmp_path.iterdir()] == [path]
    assert source.labels is not None and source.labels.tolist() == ["cat", "dog"]
    np.testing.assert_array_equal(source.x[:, 0], X[:2])
    write(tmp_path / "b.zip", source.x, like=source)
    with ZipFile(tmp_path / "b.zip") as archive:
        assert archive.namelist() == source.names
    np.testing.assert_array_equal(read(tmp_path / "b.zip").x, source.x)


@pytest.mark.parametrize(
    "name", ["../1.png", "a/../../1.png", "/etc/1.png", "C:/1.png", "..\\1.png"]
)
def test_paths_outside_are_refused(tmp_path: Path, name: str) -> None:
    """A name that leads out of the folder is refused when the archive is read."""
    with pytest.raises(DataError, match=r"a\.zip holds .*a path out of its folder"):
        read(packed(tmp_path / "a.zip", ["1.png", name]))


def test_large_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that would fill the memory is refused before it is unpacked."""
    with ZipFile(tmp_path / "a.zip", "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(1 << 20))
    monkeypatch.setenv("UNWARP_MAX_BYTES", "100000")
    with pytest.raises(DataError, match=r"a\.zip:a\.png would fill"):
        read(tmp_path / "a.zip")


def test_other_archives_are_refused(tmp_path: Path) -> None:
    """An archive without pictures, or with pictures beside masks, is refused."""
    with pytest.raises(DataError, match="contains no pictures"):
        read(packed(tmp_path / "a.zip", ["notes.txt"]))
    with pytest.raises(DataError, match="holds images/ and masks/"):
        read(packed(tmp_path / "a.zip", ["images/1.png", "masks/1.png"]))
