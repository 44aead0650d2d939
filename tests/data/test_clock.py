"""`Clock` gives the times of evenly spaced steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp.data.clock import Clock, find_zero, fit_clock
from unwarp.errors import ConfigError, DataError


def test_steps_are_spaced_by_the_rate() -> None:
    """Step i is at `start + i / sampling_rate`, also between two steps."""
    clock = Clock(sampling_rate=4.0, start=-1.0)
    np.testing.assert_array_equal(clock.time_of(np.array([0, 1, 6])), [-1.0, -0.75, 0.5])
    assert float(clock.time_of(0.5)) == -0.875


def test_time_may_count_steps() -> None:
    """Without a sampling rate, times are step numbers after the start."""
    assert Clock(start=2.0).time_of(np.arange(3)).tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("first", "zero"),
    [
        ([0.0, 2.0, 4.0], "shared"),  # they overlap
        ([0.0, 100.0, 250.0], "start"),  # they do not
        ([1.7e9 // 86400 * 86400 + 86400 * day for day in (0, 1, 5)], "day"),
        ([1.7e9, 1.7e9 + 1e5, 1.7e9 + 3e5], "start"),  # minutes of other hours of the day
    ],
)
def test_zero_suits_the_times(first: list[float], zero: str) -> None:
    """Series that overlap share a moment zero; days count from midnight, others from the start."""
    duration = 86399.0 if zero == "day" else 20.0
    assert find_zero(np.array([[time, time + duration] for time in first]))[0] == zero


def test_days_count_from_midnight() -> None:
    """On days, a time of the clock is the same time of each day."""
    midnight = 20_000 * 86_400.0
    rows = [midnight + day * 86_400 + np.arange(6.0, 21.0) * 3600 for day in range(3)]
    steps, clock = fit_clock(rows, None, 15)
    assert (steps, clock.start, clock.zero) == (15, 6 * 3600.0, "day")
    assert clock.sampling_rate == pytest.approx(1 / 3600)
    assert [clock.zero_of(row) for row in rows] == [midnight + 86_400 * day for day in range(3)]


@pytest.mark.parametrize(("hours", "start"), [([0.1, -1.0, 0.0], -1), ([18.0, 17.5, 22.0], 17.5)])
def test_days_may_begin_around_midnight(hours: list[float], start: float) -> None:
    """Days that begin a little before midnight, and nights, stand beside those that do not."""
    midnight = 20_000 * 86_400.0
    rows = [midnight + 3600 * (24 * k + h + np.arange(12.0)) for k, h in enumerate(hours)]
    _, clock = fit_clock(rows, None, 12)
    assert clock.zero == "day" and clock.start == pytest.approx(start * 3600)
    assert [clock.zero_of(row) for row in rows] == [midnight + 86_400 * k for k in range(3)]


def test_distant_times_are_refused() -> None:
    """One series at a time far from that of the others, such as a wrong year, is named."""
    rows = [np.arange(100.0) + 40 * i for i in range(3)] + [np.array([0.0, 1e6])]
    with pytest.raises(DataError, match="the times of sample 3, 0 to 1e\\+06, are far from"):
        fit_clock(rows, None, 100)
    with pytest.raises(ConfigError, match="give times in seconds"):
        fit_clock(rows[:3], 1e5, 100)


@pytest.mark.parametrize("zero", ["shared", "day", "start"])
def test_zero_is_described(zero: Any) -> None:
    """Each moment zero has words of its own."""
    words = {Clock(zero=name).describe() for name in ("shared", "day", "start")}
    assert len(words) == 3 and Clock(zero=zero).describe() in words
