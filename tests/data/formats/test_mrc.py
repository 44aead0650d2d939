"""MRC: stacks of micrographs, with the size of a pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.writing import write
from unwarp.errors import DataError

mrcfile = pytest.importorskip("mrcfile", reason="mrcfile is not installed")

X = np.random.default_rng(0).normal(size=(5, 9, 10)) * 50


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float16", "float32"])
def test_stack_comes_back(tmp_path: Path, dtype: str) -> None:
    """Type, pixels and the size of a pixel of a stack stay."""
    with mrcfile.new(tmp_path / "a.mrcs") as file:
        file.set_data(np.abs(X).astype(dtype))
        file.set_image_stack()
        file.voxel_size = 1.5
    source = read(tmp_path / "a.mrcs")
    np.testing.assert_array_equal(source.x, np.abs(X).astype(dtype))
    write(tmp_path / "b.mrcs", source.x, like=source)
    with mrcfile.open(tmp_path / "b.mrcs") as file:
        assert file.data.dtype == dtype and float(file.voxel_size.x) == 1.5
        np.testing.assert_array_equal(file.data, source.x)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    """Transforms are no pictures."""
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(X.astype(np.complex64))
    with pytest.raises(DataError, match=r"a\.mrc holds complex64"):
        read(tmp_path / "a.mrc")


def test_colours_are_refused(tmp_path: Path) -> None:
    """Pictures of several channels have another format."""
    with pytest.raises(DataError, match=r"3; write them as \.tif"):
        write(tmp_path / "a.mrc", np.zeros((4, 3, 9, 9)), like=np.zeros((4, 3, 9, 9)))
