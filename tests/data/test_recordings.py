"""Recordings: what needs nothing stays; lengths, gaps and stamps come to even steps, and back to where they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.recordings import Clock, IrregularSeries, RegularSamples, parse_samples
from unwarp.errors import ConfigError, DataError

NAN = float("nan")
EQUAL = np.random.default_rng(0).normal(size=(4, 6))
UNEQUAL = [np.arange(4.0), np.arange(7.0) ** 2]


def uneven(X: Any, times: Any = None, **more: Any) -> IrregularSeries:
    came, domain = parse_samples(X, times, **more)
    assert isinstance(came, IrregularSeries) and domain == "series"
    return came


@pytest.mark.parametrize(
    "X", [EQUAL, EQUAL.tolist(), list(EQUAL), torch.from_numpy(EQUAL), EQUAL.astype(np.uint8)]
)
def test_series_of_one_length_stay_as_they_are(X: Any) -> None:
    came, domain = parse_samples(X)
    assert isinstance(came, RegularSamples) and domain == "series"
    np.testing.assert_array_equal(came.even(None, "error")[:, 0], np.asarray(X).astype(np.float32))
    assert came.clock(None) == (6, Clock())
    assert came.spans(Clock(sampling_rate=2.0)).tolist() == [[0.0, 2.5]] * 4


def test_unequal_lengths_come_to_the_longest_with_their_ends_where_they_were() -> None:
    came = uneven(UNEQUAL)
    length, clock = came.clock(None)
    even = came.even(length, "error")
    assert even.shape == (2, 1, 7) and clock.any_length
    np.testing.assert_allclose(even[0, 0], np.linspace(0, 3, 7))
    np.testing.assert_array_equal(even[1, 0], UNEQUAL[1])
    assert came.spans(clock).tolist() == [[0.0, 3.0], [0.0, 6.0]]
    assert came.spans(Clock(10.0, -1.0)).tolist() == [[-1.0, -0.7], [-1.0, -0.4]]


@given(st.integers(0, 2**32))
def test_lines_come_back_at_their_own_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = [np.cumsum(rng.uniform(0.5, 2, rng.integers(1, 9))) for _ in range(3)]
    rows = [np.stack([2 * t - 1, -t]) for t in stamps]
    came = uneven(rows, stamps, domain="series")
    back = came.restore_clock(came.even(12, "error"))
    assert isinstance(back, list)
    for got, row in zip(back, rows, strict=True):
        np.testing.assert_allclose(got, row, atol=1e-4)


def test_nan_at_the_end_ends_a_series_as_a_list_would() -> None:
    padded = np.full((2, 7), NAN)
    for row, series in zip(padded, UNEQUAL, strict=True):
        row[: len(series)] = series
    came, listed = uneven(padded), uneven(UNEQUAL)
    np.testing.assert_array_equal(came.even(9, "error"), listed.even(9, "error"))
    np.testing.assert_allclose(came.restore_clock(came.even(7, "error"))[1], UNEQUAL[1])
    assert (
        np.isnan(came.restore_clock(came.even(7, "error"))[0]).tolist() == [False] * 4 + [True] * 3
    )
    times = np.linspace(0, 3, 7)
    np.testing.assert_allclose(uneven(padded, times).stamps[0], times[:4])


def boxed(rows: list[Any]) -> np.ndarray:
    """A column whose cells are series."""
    column = np.empty(len(rows), object)
    column[:] = rows
    return column


class Recorder:
    """Nothing but a way to an array."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.x, dtype)


CHANNELS = [np.stack([row, -row]) for row in UNEQUAL]
LISTED: dict[str, tuple[Any, list[np.ndarray]]] = {
    "columns": ([pd.Series(row, index=np.arange(len(row)) + 5) for row in UNEQUAL], UNEQUAL),
    "columns that know missing values": (
        [pd.Series(row, dtype="Float64") for row in UNEQUAL],
        UNEQUAL,
    ),
    "data frames": ([pd.DataFrame(rows, index=["a", "b"]) for rows in CHANNELS], CHANNELS),
    "tensors": ([torch.from_numpy(row) for row in UNEQUAL], UNEQUAL),
    "tensors of half precision": ([torch.from_numpy(row).bfloat16() for row in UNEQUAL], UNEQUAL),
    "whatever is an array": ([Recorder(row) for row in UNEQUAL], UNEQUAL),
    "an array of columns": (boxed([pd.Series(row) for row in UNEQUAL]), UNEQUAL),
    "a column of arrays": (pd.Series(UNEQUAL, index=[7, 8]), UNEQUAL),
}


@pytest.mark.parametrize(("X", "rows"), LISTED.values(), ids=LISTED.keys())
def test_series_of_unequal_length_may_be_anything_that_is_an_array(
    X: Any, rows: list[np.ndarray]
) -> None:
    came, plain = uneven(X), uneven(rows)
    np.testing.assert_array_equal(came.even(9, "error"), plain.even(9, "error"))
    for back, row in zip(came.restore_clock(came.even(7, "error")), rows, strict=True):
        assert isinstance(back, np.ndarray) and back.shape == row.shape
    np.testing.assert_array_equal(came.beside(X).even(9, "error"), came.even(9, "error"))


@pytest.mark.parametrize("make", [list, boxed, lambda rows: pd.Series(rows, index=range(5, 9))])
def test_so_may_series_of_one_length(make: Any) -> None:
    came, _ = parse_samples(make([pd.Series(row) for row in EQUAL]))
    np.testing.assert_array_equal(came.even(None, "error")[:, 0], EQUAL.astype(np.float32))


def test_what_marks_a_missing_value_in_a_column_is_a_gap() -> None:
    came = uneven([pd.Series([0.0, None, 2.0], dtype="Float64"), pd.Series([1.0, 2.0])])
    assert came.even(3, "interpolate")[0, 0].tolist() == [0.0, 1.0, 2.0]


def test_other_channels_may_be_a_data_frame() -> None:
    X = np.array([[1.0, NAN, 3.0], [4.0, 5.0, 6.0]])
    other = uneven(X).beside(pd.DataFrame(X, index=[5, 6]))
    np.testing.assert_array_equal(other.even(3, "interpolate"), uneven(X).even(3, "interpolate"))


def test_a_gap_is_refused_or_lies_on_a_line() -> None:
    X = np.array([[0.0, NAN, NAN, 3.0, 0.0], [NAN, 1.0, 1.0, 1.0, 1.0]])
    came = uneven(X)
    assert came.clock(None) == (5, Clock())
    with pytest.raises(
        DataError, match=r"sample 0, channel 0, time index 1 is missing.*NaN.*missing='interpolate'"
    ):
        came.even(None, "error")
    assert came.even(None, "interpolate")[:, 0].tolist() == [[0.0, 1.0, 2.0, 3.0, 0.0], [1.0] * 5]


def test_nan_at_the_end_is_a_gap_where_lengths_must_agree() -> None:
    came = uneven(np.array([[1.0, 2.0, NAN], [1.0, 2.0, 3.0]]), any_length=False)
    assert came.even(None, "interpolate")[0, 0].tolist() == [1.0, 2.0, 2.0]


def test_steps_that_no_series_has_end_them_where_one_length_was_learned() -> None:
    padded = np.array([[1.0, 2.0, NAN, NAN], [1.0, 2.0, 3.0, NAN]])
    came = uneven(padded, any_length=False).within(3)
    assert [row.shape for row in came.rows] == [(1, 3)] * 2 and [at[-1] for at in came.stamps] == [
        2
    ] * 2
    assert came.even(None, "interpolate").shape == (2, 1, 3)
    assert (
        np.isnan(came.restore_clock(came.even(None, "interpolate"))).tolist()
        == [[False] * 3 + [True]] * 2
    )
    timed = uneven(padded, np.array([0.0, 1.0, 3.0, 4.0]), any_length=False).within(3)
    assert [at.tolist() for at in timed.stamps] == [[0.0, 1.0, 3.0]] * 2
    whole = uneven(padded, any_length=False)
    assert whole.within(2) is whole


def test_nan_at_the_end_of_one_channel_is_a_gap() -> None:
    came = uneven(np.array([[[1.0, 2.0, NAN], [1.0, 2.0, 3.0]]]), domain="series")
    assert came.even(None, "interpolate")[0].tolist() == [[1.0, 2.0, 2.0], [1.0, 2.0, 3.0]]


def test_times_make_the_clock() -> None:
    times = np.array([[-1.0, 0.0, 0.5, 2.0], [-1.0, 0.2, 0.3, 1.0]])
    came = uneven(EQUAL[:2, :4], times)
    assert came.clock(None) == (4, Clock(1.0, -1.0, True))
    assert came.clock(10.0) == (31, Clock(10.0, -1.0, True))
    assert came.spans(Clock()).tolist() == [[-1.0, 2.0], [-1.0, 1.0]]
    assert uneven(EQUAL[:2, :4], times + np.array([[0.0], [1.0]])).clock(None)[1].start == 0.0
    with pytest.raises(ConfigError, match="give times in seconds"):
        came.clock(1000.0)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "?"])
@pytest.mark.parametrize("channels", [None, 2])
def test_layout_and_type_come_back(dtype: str, channels: int | None) -> None:
    rows = [np.ones((n,) if channels is None else (channels, n), dtype) for n in (3, 5)]
    came = uneven(rows)
    made = came.even(None, "error")
    assert came.restore_shape(made).shape == ((2, 5) if channels is None else (2, 2, 5))
    assert came.restore_shape(made).dtype == dtype
    assert [row.shape for row in came.restore_clock(made)] == [row.shape for row in rows]
    assert {row.dtype for row in came.restore_clock(made)} == {np.dtype(dtype)}


def test_other_channels_share_times_and_lengths() -> None:
    padded = np.array([[1.0, 2.0, NAN, NAN], [1.0, 2.0, 3.0, 4.0]])
    came = uneven(padded)
    mask = came.beside(np.array([[True, False, True, True], [True, True, False, False]]))
    assert [row.shape for row in mask.rows] == [(1, 2), (1, 4)]
    with pytest.raises(DataError, match="samples and frame must agree"):
        came.beside(padded[:1])
    with pytest.raises(DataError, match="samples and frame must agree"):
        came.beside([np.ones(3), np.ones(4)])


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unequal pictures": ([np.zeros((9, 9)), np.zeros((9, 10))], {}, "set domain='series'"),
    "unequal, said to be pictures": (
        [np.zeros((9, 9)), np.zeros((9, 10))],
        {"domain": "image"},
        "ragged",
    ),
    "other channels": ([np.zeros((1, 9)), np.zeros((2, 10))], {"domain": "series"}, "ragged"),
    "nested lists of two lengths": ([[[1.0], [1.0, 2.0]], [[1.0], [1.0]]], {}, "ragged"),
    "unequal where one length was learned": (
        UNEQUAL,
        {"any_length": False},
        "trained on series of one length",
    ),
    "times of pictures": (np.zeros((2, 9, 9)), {"times": np.arange(9)}, "times are of series"),
    "nothing seen": (np.array([[1.0, 2.0], [NAN, NAN]]), {}, "sample 1 of X holds NaN alone"),
    "infinity among gaps": (
        np.array([[1.0, NAN], [np.inf, 1.0]]),
        {},
        r"infinity at index \(1, 0\) of X",
    ),
    "a gap in a picture": (np.full((2, 9, 9), NAN), {}, "Input contains NaN"),
    "times that do not increase": (EQUAL, {"times": np.zeros(6)}, "strictly increasing"),
    "too few rows of times": (EQUAL, {"times": np.zeros((2, 6))}, "times has 2 rows"),
}


@pytest.mark.parametrize(("X", "more", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused(X: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_samples(X, **more)
