"""The time axis of evenly spaced series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from unwarp.core import Array, LengthPolicy
from unwarp.errors import ConfigError, DataError

Zero = Literal["shared", "day", "start"]
"""The moment from which the times of a series count.

`shared` is one moment for all series, `day` is a midnight near the first step of a series, `start`
is its first step.
"""

MAX_RESAMPLING_FACTOR = 100
"""Largest number of resampled time steps, as a multiple of the steps of the longest series.

A larger number means that the time stamps are not in seconds, but in milliseconds, for instance.
"""

MIN_COVERAGE = 0.5
"""Share of the common time axis that series must cover on average to share a moment zero."""

SECONDS_PER_DAY, LONGEST_DAY = 86_400.0, 129_600.0
"""Seconds of a day, and longest duration of series that are taken as days."""

DATES = (3e8, 1e10)
"""Numbers that are dates as seconds since 1970: from 1979 to 2286."""

TOLERANCE = 1e-3
"""Largest difference of two times, in steps, that counts as rounding."""


@dataclass(frozen=True)
class Clock:
    """Times of the steps of evenly spaced series.

    Step i has the time `start + i / sampling_rate`. Each schema has a clock. All aligned series
    have its times, which the estimator returns as `times_`.

    Attributes:
        sampling_rate: Time steps per second, or per unit of the time stamps; None to measure time
            in steps.
        start: Time of the first step, in the same unit.
        any_length: Whether the model accepts series of any length, because the training series
            differ in length or have time stamps. If not, new series must be as long as the training
            series.
        is_stretched: Whether each series of any length is spread over the whole axis; otherwise it
            stands where its times say.
        zero: The moment from which the times of a series count.
        day_start: For `day`, seconds after that midnight from which a series may begin, for 24
            hours; negative if some begin before midnight.

    >>> Clock(sampling_rate=4.0, start=1.0).time_of(np.arange(3)).tolist()
    [1.0, 1.25, 1.5]
    """

    sampling_rate: float | None = None
    start: float = 0.0
    any_length: bool = False
    is_stretched: bool = True
    zero: Zero = "shared"
    day_start: float = 0.0

    @property
    def lengths(self) -> LengthPolicy:
        """How series of unequal lengths share the time axis."""
        return "stretch" if self.is_stretched else "clock"

    def time_of(self, step: float | Array) -> Array:
        """Times of time steps.

        Args:
            step: Indices of the steps from 0, of any shape; 0.5 is halfway from step 0 to step 1.

        Returns:
            Times of the same shape, in seconds, or in steps if there is no sampling rate.
        """
        return self.start + np.asarray(step, float) / (self.sampling_rate or 1.0)

    def zero_of(self, times: Array) -> float:
        """The moment from which the times of a series count.

        Args:
            times: Time stamps of the series (T,).

        Returns:
            A time in the unit of the time stamps.
        """
        return float(_zeros(self.zero, self.day_start, np.asarray(times[:1], float))[0])

    def describe(self) -> str:
        """The moment zero in words, for series with time stamps."""
        return {
            "shared": "series stand where their time stamps say",
            "day": "series are days: each stands at its time since midnight",
            "start": "series hardly overlap in time: each is timed from its own first step",
        }[self.zero]


def fit_clock(
    times: Sequence[Array], sampling_rate: float | None, longest: int
) -> tuple[int, Clock]:
    """Number of time steps, and a clock for series with time stamps.

    The steps are as fine as those of a typical series. Series that overlap share one moment zero;
    others count from midnight if they are days, else from their own start.

    Args:
        times: Time stamps of each series, N arrays (T_i,).
        sampling_rate: Time steps per unit of the time stamps; None for that of the series.
        longest: Number of steps of the longest series.

    Raises:
        ConfigError: The sampling rate and the times give fewer than 2 steps, or more than
            `MAX_RESAMPLING_FACTOR` times the steps of the longest series.
        DataError: The same happens without a sampling rate: the times of one series are far from
            those of the others.
    """
    spans = np.array([[row[0], row[-1]] for row in times], float)
    zero, day_start = find_zero(spans)
    spans -= _zeros(zero, day_start, spans[:, :1])
    start, duration = spans[:, 0].min(), float(spans[:, 1].max() - spans[:, 0].min())
    rate = sampling_rate or typical_rate(times)
    steps = round(duration * (rate or 0.0)) + 1
    if sampling_rate is not None and not 2 <= steps <= MAX_RESAMPLING_FACTOR * longest:
        raise ConfigError(
            f"sampling_rate={sampling_rate:g} would resample {longest:,} time steps over a "
            f"duration of {duration:g} to {steps:,} steps; give times in seconds and "
            "sampling_rate in samples per second, or leave sampling_rate out"
        )
    if steps > MAX_RESAMPLING_FACTOR * longest:
        far = int(np.abs(spans.mean(1) - np.median(spans.mean(1))).argmax())
        raise DataError(
            f"the times of sample {far}, {spans[far, 0]:g} to {spans[far, 1]:g}, are far from "
            f"those of the others: all together would take {steps:,} time steps; correct them, or "
            "set lengths='stretch'"
        )
    clock = Clock(rate, float(start), any_length=True, is_stretched=False)
    return steps, replace(clock, zero=zero, day_start=day_start)


def find_zero(spans: Array) -> tuple[Zero, float]:
    """The moment from which the times of series count.

    Args:
        spans: First and last time of each series (N, 2).

    Returns:
        The name of the moment, and the start of days, 0 for other moments.

    >>> find_zero(np.array([[0.0, 9.0], [2.0, 8.0]])), find_zero(np.array([[0.0, 9], [50, 58]]))
    (('shared', 0.0), ('start', 0.0))
    """
    if _coverage(spans) >= MIN_COVERAGE:
        return "shared", 0.0
    are_dates = bool((spans >= DATES[0]).all() and (spans <= DATES[1]).all())
    if are_dates and float(np.diff(spans).max()) <= LONGEST_DAY:
        day_start = _day_start(spans[:, 0])
        if _coverage(spans - _zeros("day", day_start, spans[:, :1])) >= MIN_COVERAGE:
            return "day", day_start
    return "start", 0.0


def _day_start(first: Array) -> float:
    """Time of day, in seconds, at which no series (N,) begins, far from all that do."""
    hours = np.sort(first % SECONDS_PER_DAY)
    pauses = np.diff(hours, append=hours[0] + SECONDS_PER_DAY)
    start = float(hours[pauses.argmax()] + pauses.max() / 2) % SECONDS_PER_DAY
    median = np.median(first - _zeros("day", start, first))
    return start - SECONDS_PER_DAY if median >= SECONDS_PER_DAY else start


def typical_rate(times: Sequence[Array]) -> float | None:
    """Time steps per unit of time of a typical series.

    Args:
        times: Time stamps of each series, N arrays (T_i,).

    Returns:
        The median over series; None if no series has two steps.

    >>> typical_rate([np.arange(5) * 0.5, np.arange(9) * 0.5])
    2.0
    """
    rates = [(len(row) - 1) / float(row[-1] - row[0]) for row in times if len(row) > 1]
    return float(np.median(rates)) if rates else None


def _coverage(spans: Array) -> float:
    """Share of the common time axis that series (N, 2) cover on average."""
    duration = float(spans[:, 1].max() - spans[:, 0].min())
    return float(np.diff(spans).mean()) / duration if duration > 0 else 1.0


def _zeros(zero: Zero, day_start: float, first: Array) -> Array:
    """The moments from which series with these first times count."""
    if zero == "day":
        return np.asarray((first - day_start) // SECONDS_PER_DAY * SECONDS_PER_DAY)
    return first if zero == "start" else np.zeros_like(first)
