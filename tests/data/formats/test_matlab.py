"""MATLAB files: axes as MATLAB stores them, labels, both generations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.data.writing import write
from unwarp.errors import DataError

X = np.random.default_rng(0).integers(0, 256, (9, 12, 12, 3), dtype=np.uint8)


def test_samples_along_the_last_axis(tmp_path: Path) -> None:
    """Pictures (H, W, C, N) are read with their labels, and written in the same order."""
    savemat(tmp_path / "a.mat", {"X": np.moveaxis(X, 0, 3), "y": np.arange(9)[:, None]})
    source = read(tmp_path / "a.mat")
    np.testing.assert_array_equal(source.x, X)
    assert source.labels is not None and source.labels.tolist() == list(range(9))
    write(tmp_path / "b.mat", source.x, like=source)
    np.testing.assert_array_equal(loadmat(tmp_path / "b.mat")["X"], np.moveaxis(X, 0, 3))


def test_version_7_3_is_read(tmp_path: Path) -> None:
    """Version 7.3 stores the axes in reverse; pictures are the same."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    savemat(tmp_path / "old.mat", {"cells": np.moveaxis(X[..., 0], 0, 2)})
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["cells"] = np.moveaxis(X[..., 0], 0, 2).T
    content = bytearray((tmp_path / "new.mat").read_bytes())
    content[:10] = b"MATLAB 7.3"
    (tmp_path / "new.mat").write_bytes(content)
    for name in ("old.mat", "new.mat"):
        np.testing.assert_array_equal(read(tmp_path / name).x, X[..., 0])


def test_flattened_pictures_are_refused(tmp_path: Path) -> None:
    """Rows of pixels may be in either order, so they are no pictures; as series they are read."""
    savemat(tmp_path / "a.mat", {"X": X.reshape(9, -1)})
    assert read(tmp_path / "a.mat").x.shape == (9, 432)
    with pytest.raises(DataError, match="row by row or column by column"):
        read(tmp_path / "a.mat", Hints(image_shape=(3, 12, 12)))
