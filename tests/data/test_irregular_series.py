"""Irregular series become evenly spaced ones, and come back at their own times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.clock import Clock
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.parsing import parse_samples
from unwarp.errors import ConfigError, DataError

NAN = float("nan")
EQUAL = np.random.default_rng(0).normal(size=(4, 6))
UNEQUAL = [np.arange(4.0), np.arange(7.0) ** 2]


def irregular(X: Any, times: Any = None, **options: Any) -> IrregularSeries:
    """Samples that must be parsed as irregular series."""
    samples, domain = parse_samples(X, times, **options)
    assert isinstance(samples, IrregularSeries) and domain == "series"
    return samples


def test_unequal_lengths_are_stretched() -> None:
    """On request, shorter series are stretched to the longest, and their ends keep their values."""
    series = irregular(UNEQUAL)
    length, clock, why = series.infer_clock(None, "stretch")
    resampled = series.on(clock).resample(length, "error")
    assert resampled.shape == (2, 1, 7) and clock.any_length and "stretched" in why
    np.testing.assert_allclose(resampled[0, 0], np.linspace(0, 3, 7))
    np.testing.assert_array_equal(resampled[1, 0], UNEQUAL[1])
    frame = np.array([0.0, 6.0])
    assert series.on(clock).spans(clock, frame).tolist() == [[0.0, 3.0], [0.0, 6.0]]
    assert series.spans(Clock(10.0, -1.0), frame).tolist() == [[-1.0, -0.7], [-1.0, -0.4]]


@pytest.mark.parametrize("lengths", ["auto", "clock"])
def test_unequal_lengths_start_together(lengths: Any) -> None:
    """Step i of a series stays step i, and the steps after its end are missing."""
    series = irregular(UNEQUAL)
    length, clock, why = series.infer_clock(10.0, lengths)
    placed = series.on(clock)
    resampled = placed.resample(length, "error")
    np.testing.assert_array_equal(resampled[0, 0], [0.0, 1.0, 2.0, 3.0, NAN, NAN, NAN])
    np.testing.assert_array_equal(resampled[1, 0], UNEQUAL[1])
    assert "start together" in why and not clock.is_stretched
    assert placed.spans(clock, np.array([0.0, 0.6])).tolist() == [[0.0, 0.6]] * 2
    for restored, row in zip(placed.restore_times(resampled), UNEQUAL, strict=True):
        np.testing.assert_array_equal(restored, row)


def test_nothing_is_restored_beyond_the_axis() -> None:
    """A series that is longer than the time axis has no values beyond it."""
    placed = irregular([np.arange(3.0), np.arange(9.0)]).on(Clock(is_stretched=False))
    restored = placed.restore_times(placed.resample(5, "error"))
    np.testing.assert_array_equal(restored[0], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(restored[1], [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, NAN, NAN, NAN])


def test_time_stamps_place_series() -> None:
    """Series stand where their stamps say; between their steps they are interpolated."""
    series = irregular([[0.0, 2.0, 4.0], [5.0, 5.0]], [[1.0, 2.0, 3.0], [2.0, 4.0]])
    length, clock, why = series.infer_clock(2.0)
    placed = series.on(clock)
    assert (length, clock.start) == (7, 1.0) and "where their time stamps say" in why
    expected = [[0, 1, 2, 3, 4, NAN, NAN], [NAN, NAN, 5, 5, 5, 5, 5]]
    np.testing.assert_array_equal(placed.resample(length, "error")[:, 0], expected)
    assert placed.spans(clock, clock.time_of(np.array([0, 6]))).tolist() == [[1.0, 4.0]] * 2
    days = irregular([[0.0, 1.0]] * 2, [[10.0, 11.0], [500.0, 501.0]])
    length, clock, _ = days.infer_clock(None)
    assert clock.zero == "start"
    assert days.on(clock).spans(clock, np.array([0.0, 1.0])).tolist() == [[10, 11], [500, 501]]
    late = irregular([[0.0, 1.0]], [[9.0, 10.0]]).on(replace(clock, zero="shared"))
    with pytest.raises(DataError, match="the times of sample 0, 9 to 10, cover none of the time"):
        late.resample(length, "error")


@given(st.integers(0, 2**32))
def test_lines_come_back(seed: int) -> None:
    """Straight lines with time stamps survive resampling and the way back."""
    rng = np.random.default_rng(seed)
    times = [np.cumsum(rng.uniform(0.5, 2, rng.integers(1, 9))) for _ in range(3)]
    rows = [np.stack([2 * t - 1, -t]) for t in times]
    series = irregular(rows, times, domain="series")
    restored = series.restore_times(series.resample(12, "error"))
    assert isinstance(restored, list)
    for restored_row, row in zip(restored, rows, strict=True):
        np.testing.assert_allclose(restored_row, row, atol=1e-4)


def test_gap_is_an_error_or_filled() -> None:
    """A missing value is refused by its index, or filled by a straight line."""
    X = np.array([[0.0, NAN, NAN, 3.0, 0.0], [NAN, 1.0, 1.0, 1.0, 1.0]])
    series = irregular(X)
    assert series.infer_clock(None) == (5, Clock(is_stretched=False), "")
    with pytest.raises(
        DataError, match=r"sample 0, channel 0, time index 1 is missing.*NaN.*missing='interpolate'"
    ):
        series.resample(None, "error")
    assert series.resample(None, "interpolate")[:, 0].tolist() == [
        [0.0, 1.0, 2.0, 3.0, 0.0],
        [1.0] * 5,
    ]


def test_trim_cuts_missing_steps_only() -> None:
    """Steps after the length of the training data are cut if no series has a value there."""
    padded = np.array([[1.0, 2.0, NAN, NAN], [1.0, 2.0, 3.0, NAN]])
    series = irregular(padded, any_length=False).trim(3)
    assert [row.shape for row in series.values] == [(1, 3)] * 2 and [
        times[-1] for times in series.times
    ] == [2] * 2
    assert series.resample(None, "interpolate").shape == (2, 1, 3)
    assert (
        np.isnan(series.restore_times(series.resample(None, "interpolate"))).tolist()
        == [[False] * 3 + [True]] * 2
    )
    with_times = irregular(padded, np.array([0.0, 1.0, 3.0, 4.0]), any_length=False).trim(3)
    assert [times.tolist() for times in with_times.times] == [[0.0, 1.0, 3.0]] * 2
    whole = irregular(padded, any_length=False)
    assert whole.trim(2) is whole


def test_times_determine_the_clock() -> None:
    """For stretched series, start and rate follow from the time stamps, or from the user's rate."""
    times = np.array([[-1.0, 0.0, 0.5, 2.0], [-1.0, 0.2, 0.3, 1.0]])
    series = irregular(EQUAL[:2, :4], times)
    assert series.infer_clock(None, "stretch")[:2] == (4, Clock(1.0, -1.0, True))
    assert series.infer_clock(10.0, "stretch")[:2] == (31, Clock(10.0, -1.0, True))
    assert series.spans(Clock(), np.zeros(2)).tolist() == [[-1.0, 2.0], [-1.0, 1.0]]
    shifted = irregular(EQUAL[:2, :4], times + np.array([[0.0], [1.0]]))
    assert shifted.infer_clock(None, "stretch")[1].start == 0.0
    with pytest.raises(ConfigError, match="give times in seconds"):
        series.infer_clock(1000.0)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "?"])
@pytest.mark.parametrize("channels", [None, 2])
def test_layout_and_type_are_restored(dtype: str, channels: int | None) -> None:
    """Results have the axes, lengths and type of the user's series."""
    rows = [np.ones((n,) if channels is None else (channels, n), dtype) for n in (3, 5)]
    series = irregular(rows)
    resampled = series.resample(None, "error")
    assert series.restore_shape(resampled).shape == ((2, 5) if channels is None else (2, 2, 5))
    assert series.restore_shape(resampled).dtype == dtype
    assert [row.shape for row in series.restore_times(resampled)] == [row.shape for row in rows]
    assert {row.dtype for row in series.restore_times(resampled)} == {np.dtype(dtype)}
