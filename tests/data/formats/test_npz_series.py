"""Series in `.npz`: lengths and time stamps beside the samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(3, 2, 5)).astype(np.float32)


def put(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def test_lengths_cut_the_padding(tmp_path: Path) -> None:
    source = read(put(tmp_path, x=X, lengths=[5, 2, 1], labels=[1, 2, 3]))
    for got, wanted, n in zip(source.x, X, (5, 2, 1), strict=True):
        np.testing.assert_array_equal(got, wanted[:, :n])
    assert source.domain == "series" and source.labels is not None and source.labels.tolist() == [1, 2, 3]


@pytest.mark.parametrize("shared", [True, False])
def test_times_are_kept(tmp_path: Path, shared: bool) -> None:
    times = np.arange(5.0) ** 2
    source = read(put(tmp_path, X=X[:, 0], times=times if shared else np.tile(times, (3, 1)), lengths=[5, 5, 4]))
    assert source.times is not None
    assert [t.tolist() for t in source.times] == [times.tolist(), times.tolist(), times[:4].tolist()]
    whole = read(put(tmp_path, anything=X, times=times))
    assert isinstance(whole.times, np.ndarray) and whole.times.shape == (3, 5) and whole.x.shape == (3, 2, 5)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"lengths": [5, 2]}, "lengths must be 3 whole numbers from 1 to 5"),
        ({"lengths": [5, 2, 0]}, "lengths must be 3"),
        ({"lengths": [5, 2, 6]}, "lengths must be 3"),
        ({"lengths": [5.0, 2.0, 1.0]}, "lengths must be 3"),
        ({"times": np.zeros((3, 4))}, r"times are float64 of shape \(3, 4\)"),
        ({"times": ["a"] * 5}, "times are <U1"),
        ({"x": np.zeros((3, 1, 5, 5)), "times": np.zeros(5)}, "which series have"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(put(tmp_path, **({"x": X} | arrays)))
