"""HDF5: mapped where possible, named where several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.writing import write
from unwarp.errors import DataError

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

X = np.random.default_rng(0).integers(0, 999, (9, 12, 12), dtype=np.uint16)


def test_contiguous_arrays_are_mapped(tmp_path: Path) -> None:
    """An array in one piece is a memory map, in chunks it is loaded; both are equal."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["one/piece"], file["labels"] = X, np.arange(9)
        file.create_dataset("chunks", data=X, chunks=(3, 12, 12), compression="gzip")
    mapped, loaded = (read(f"{tmp_path}/a.h5:{name}") for name in ("/one/piece", "chunks"))
    assert isinstance(mapped.x, np.memmap) and not isinstance(loaded.x, np.memmap)
    for source in (mapped, loaded):
        np.testing.assert_array_equal(source.x, X)
        assert source.labels is not None and source.labels.tolist() == list(range(9))
    with pytest.raises(DataError, match=r"2 arrays.*one/piece"):
        read(tmp_path / "a.h5")


def test_name_of_the_array_is_kept(tmp_path: Path) -> None:
    """Results are written under the name that was read."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cells/raw"] = X
    source = read(tmp_path / "a.h5")
    write(tmp_path / "b.hdf5", source.x, like=source)
    with h5py.File(tmp_path / "b.hdf5") as file:
        np.testing.assert_array_equal(file["cells/raw"][()], X)
