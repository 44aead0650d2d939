"""Files of arrays with a recording each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from unwarp.data.formats.files import read
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(2, 30))


def test_longer_axis_is_time(tmp_path: Path) -> None:
    """Channels first or last: the longer axis is that of time."""
    np.save(tmp_path / "a.npy", X)
    np.save(tmp_path / "b.npy", X.T)
    np.testing.assert_allclose(read(tmp_path).x, [X, X], rtol=1e-6)
    (tmp_path / "mat").mkdir()
    savemat(tmp_path / "mat" / "a.mat", {"x": X})
    np.testing.assert_allclose(read(tmp_path / "mat").x, [X], rtol=1e-6)


def test_square_recordings_are_refused(tmp_path: Path) -> None:
    """Axes of similar length read two ways."""
    np.save(tmp_path / "a.npy", X[:, :3])
    with pytest.raises(DataError, match="reads two ways: 2 channels of 3 steps"):
        read(tmp_path)
