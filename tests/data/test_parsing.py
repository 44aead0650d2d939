"""Array-likes of a user are parsed as regular samples or as irregular series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.parsing import parse_other, parse_samples
from unwarp.errors import DataError

NAN = float("nan")
EQUAL = np.random.default_rng(0).normal(size=(4, 6))
UNEQUAL = [np.arange(4.0), np.arange(7.0) ** 2]


def irregular(X: Any, times: Any = None, **options: Any) -> IrregularSeries:
    """Samples that must be parsed as irregular series."""
    samples, domain = parse_samples(X, times, **options)
    assert isinstance(samples, IrregularSeries) and domain == "series"
    return samples


def test_padding_ends_a_series() -> None:
    """An array padded with NaN is the same as a list of series."""
    padded = np.full((2, 7), NAN)
    for row, values in zip(padded, UNEQUAL, strict=True):
        row[: len(values)] = values
    series, as_list = irregular(padded), irregular(UNEQUAL)
    np.testing.assert_array_equal(series.resample(9, "error"), as_list.resample(9, "error"))
    np.testing.assert_allclose(series.restore_times(series.resample(7, "error"))[1], UNEQUAL[1])
    assert (
        np.isnan(series.restore_times(series.resample(7, "error"))[0]).tolist()
        == [False] * 4 + [True] * 3
    )
    times = np.linspace(0, 3, 7)
    np.testing.assert_allclose(irregular(padded, times).times[0], times[:4])


def as_objects(rows: list[Any]) -> np.ndarray:
    """An array of objects that are series."""
    column = np.empty(len(rows), object)
    column[:] = rows
    return column


class Recorder:
    """An object with the method `__array__` and no other."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.x, dtype)


CHANNELS = [np.stack([row, -row]) for row in UNEQUAL]
ARRAY_LIKES: dict[str, tuple[Any, list[np.ndarray]]] = {
    "columns": ([pd.Series(row, index=np.arange(len(row)) + 5) for row in UNEQUAL], UNEQUAL),
    "columns with marks of missing values": (
        [pd.Series(row, dtype="Float64") for row in UNEQUAL],
        UNEQUAL,
    ),
    "arrays of channels": (CHANNELS, CHANNELS),
    "tensors": ([torch.from_numpy(row) for row in UNEQUAL], UNEQUAL),
    "tensors of half precision": ([torch.from_numpy(row).bfloat16() for row in UNEQUAL], UNEQUAL),
    "other array-likes": ([Recorder(row) for row in UNEQUAL], UNEQUAL),
    "an array of columns": (as_objects([pd.Series(row) for row in UNEQUAL]), UNEQUAL),
    "a column of arrays": (pd.Series(UNEQUAL, index=[7, 8]), UNEQUAL),
}


@pytest.mark.parametrize(("X", "rows"), ARRAY_LIKES.values(), ids=ARRAY_LIKES.keys())
def test_unequal_array_likes_are_read(X: Any, rows: list[np.ndarray]) -> None:
    """Lists of columns, arrays or tensors are series of unequal lengths."""
    series, expected = irregular(X), irregular(rows)
    np.testing.assert_array_equal(series.resample(9, "error"), expected.resample(9, "error"))
    for restored, row in zip(series.restore_times(series.resample(7, "error")), rows, strict=True):
        assert isinstance(restored, np.ndarray) and restored.shape == row.shape
    np.testing.assert_array_equal(
        parse_other(X, series).resample(9, "error"), series.resample(9, "error")
    )


@pytest.mark.parametrize(
    "make", [list, as_objects, lambda rows: pd.Series(rows, index=range(5, 9))]
)
def test_equal_array_likes_are_read(make: Any) -> None:
    """Lists of columns of one length are regular series."""
    samples, _ = parse_samples(make([pd.Series(row) for row in EQUAL]))
    np.testing.assert_array_equal(samples.resample(None, "error")[:, 0], EQUAL)


def test_pandas_missing_is_a_gap() -> None:
    """Missing values of a pandas column are gaps."""
    series = irregular([pd.Series([0.0, None, 2.0], dtype="Float64"), pd.Series([1.0, 2.0])])
    assert series.resample(3, "interpolate")[0, 0].tolist() == [0.0, 1.0, 2.0]


def test_other_may_be_a_data_frame() -> None:
    """A data frame is accepted as other channels, with gaps."""
    X = np.array([[1.0, NAN, 3.0], [4.0, 5.0, 6.0]])
    series = irregular(X)
    other = parse_other(pd.DataFrame(X, index=[5, 6]), series)
    np.testing.assert_array_equal(
        other.resample(3, "interpolate"), series.resample(3, "interpolate")
    )


def test_final_nan_may_be_a_gap() -> None:
    """NaN at the end is a missing value if all series must have one length."""
    series = irregular(np.array([[1.0, 2.0, NAN], [1.0, 2.0, 3.0]]), any_length=False)
    assert series.resample(None, "interpolate")[0, 0].tolist() == [1.0, 2.0, 2.0]


def test_final_nan_of_a_channel_is_a_gap() -> None:
    """NaN at the end of one channel only does not end the series."""
    series = irregular(np.array([[[1.0, 2.0, NAN], [1.0, 2.0, 3.0]]]), domain="series")
    assert series.resample(None, "interpolate")[0].tolist() == [[1.0, 2.0, 2.0], [1.0, 2.0, 3.0]]


def test_other_channels_share_lengths() -> None:
    """Other channels are cut to the lengths of the series, or refused."""
    padded = np.array([[1.0, 2.0, NAN, NAN], [1.0, 2.0, 3.0, 4.0]])
    series = irregular(padded)
    mask = parse_other(np.array([[True, False, True, True], [True, True, False, False]]), series)
    assert [row.shape for row in mask.values] == [(1, 2), (1, 4)]
    with pytest.raises(DataError, match="give as many series as X"):
        parse_other(padded[:1], series)
    with pytest.raises(DataError, match="give as many series as X"):
        parse_other([np.ones(3), np.ones(4)], series)


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unequal pictures": ([np.zeros((9, 9)), np.zeros((9, 10))], {}, "set domain='series'"),
    "unequal, with domain of images": (
        [np.zeros((9, 9)), np.zeros((9, 10))],
        {"domain": "image"},
        "ragged",
    ),
    "other channels": ([np.zeros((1, 9)), np.zeros((2, 10))], {"domain": "series"}, "ragged"),
    "nested lists of two lengths": ([[[1.0], [1.0, 2.0]], [[1.0], [1.0]]], {}, "ragged"),
    "unequal for a model of one length": (
        UNEQUAL,
        {"any_length": False},
        "trained on series of one length",
    ),
    "times of pictures": (np.zeros((2, 9, 9)), {"times": np.arange(9)}, "times belong to series"),
    "nothing observed": (
        np.array([[1.0, 2.0], [NAN, NAN]]),
        {},
        "sample 1 of X holds nothing but NaN",
    ),
    "infinity among gaps": (
        np.array([[1.0, NAN], [np.inf, 1.0]]),
        {},
        r"infinity at index \(1, 0\) of X",
    ),
    "a gap in a picture": (np.full((2, 9, 9), NAN), {}, "Input contains NaN"),
    "times that do not increase": (EQUAL, {"times": np.zeros(6)}, "strictly increasing"),
    "too few rows of times": (EQUAL, {"times": np.zeros((2, 6))}, "times has 2 rows"),
}


@pytest.mark.parametrize(("X", "options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_unusable_samples_are_refused(X: Any, options: dict[str, Any], message: str) -> None:
    """Samples that cannot be read are refused with the reason."""
    with pytest.raises(DataError, match=message):
        parse_samples(X, **options)
