"""Time stamps of series: numbers, dates or durations as float64 numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.array_likes import as_numpy, is_sequence
from unwarp.data.clock import DATES, LONGEST_DAY
from unwarp.errors import DataError
from unwarp.values import brief

MAX_UNEVENNESS = 0.01
"""Greatest difference of a step of time from the others, as a share, that counts as rounding."""

SECONDS_OF_CHANGE = 3600.0
"""Seconds by which a clock is set back at the end of summer time."""


def as_times(times: Any) -> NDArray[np.float64] | list[NDArray[np.float64]]:
    """Time stamps as float64 numbers.

    Numbers keep their unit. Dates become seconds since 1970, and durations seconds. Dates with a
    time zone count in UTC, or by the local clock if a series lasts a day or less; see
    `local_times`.

    Args:
        times: Time stamps (T,) that all series share, or (N, T), or N sequences (T_i,), as arrays,
            data frames or lists.

    Returns:
        An array (T,) if the times are shared, else a list of N arrays (T_i,).

    Raises:
        DataError: `times` is a single value, or an entry is not a number, a date or a duration.

    >>> as_times(np.array(["1970-01-01T00:00:00.5", "1970-01-02"], "datetime64[ms]")).tolist()
    [0.5, 86400.0]
    """
    try:
        values = as_numpy(times)
    except (RuntimeError, TypeError, DataError) as error:  # a tensor without values, a mask
        raise DataError(f"times={brief(times)} cannot be read ({error}); give numbers") from error
    if not is_sequence(values):
        raise DataError(
            f"times={brief(times)} is not a sequence; give an array (T,) for all series, (N, T), "
            "or a list of N arrays (T_i,)"
        )
    if len(values) and not is_sequence(as_numpy(values[0])):
        return _as_seconds(values, "times")
    return [_as_seconds(row, f"the times of sample {i}") for i, row in enumerate(values)]


def check_steps(rows: list[Array], sampling_rate: float | None) -> None:
    """Refuse time stamps that a model without time stamps would not use.

    Such a model counts steps, which its sampling rate, if it is known, turns into seconds.

    Args:
        rows: Times (T_i,) of N series.
        sampling_rate: Steps per second of the model; None if it is unknown.

    Raises:
        DataError: The steps of a series are uneven, or of another length than those of the model.

    >>> check_steps([np.array([0.0, 0.5, 1.0])], 2.0)
    """
    for i, times in enumerate(rows):
        steps = np.diff(times)
        step = float(np.mean(steps)) if len(steps) else 0.0
        if len(steps) and np.abs(steps - step).max() > MAX_UNEVENNESS * step:
            raise DataError(
                f"times of sample {i} of X are uneven, from {steps.min():g} to {steps.max():g} a "
                "step, and the model was trained without time stamps, on even steps; train it "
                "with times, or resample X"
            )
        if step and sampling_rate and abs(step * sampling_rate - 1) > MAX_UNEVENNESS:
            raise DataError(
                f"times of sample {i} of X have steps of {step:g}, and those of the model are "
                f"{1 / sampling_rate:g} s (sampling_rate={sampling_rate:g}); resample X to this "
                "rate, or leave times out"
            )


def resolve_times(rows: list[Array], times: Any = None) -> list[Array]:
    """The checked time stamps of each series.

    Args:
        rows: N series (C, T_i).
        times: Time stamps in a form that `as_times` reads; None numbers the steps of each series
            from 0.

    Returns:
        N arrays (T_i,), strictly increasing.

    Raises:
        DataError: The number of time stamps does not fit the series, or time stamps are not finite
            or do not increase.

    >>> resolve_times([np.zeros((1, 3), np.float32)])
    [array([0, 1, 2])]
    """
    if times is None:
        return [np.arange(row.shape[1]) for row in rows]
    stamps = as_times(times)
    if isinstance(stamps, np.ndarray):
        stamps = [stamps] * len(rows)
    if len(stamps) != len(rows):
        raise DataError(
            f"times has {len(stamps)} rows, X has {len(rows)} series; give one row per series"
        )
    return [
        _check_increasing(stamp, row.shape[1], i)
        for i, (stamp, row) in enumerate(zip(stamps, rows, strict=True))
    ]


def local_times(times: NDArray[np.float64], offsets: Array) -> NDArray[np.float64]:
    """Times of a series by the local clock, if it is short.

    Short series last a day, or 36 hours at most. On the day of a clock change, the whole series
    keeps the offset from UTC that is in force in its middle. So its times still increase evenly,
    and 19:00 is 19:00 on that day, too.

    Args:
        times: Seconds since 1970 in UTC (T,), in any order.
        offsets: Seconds by which the local clock is ahead of UTC (T,).

    Returns:
        Seconds since 1970 by the local clock (T,), or `times` for longer series.

    >>> local_times(np.array([0.0, 60.0]), np.array([3600.0, 3600.0])).tolist()
    [3600.0, 3660.0]
    """
    return np.asarray(times + local_shift(times, offsets))


def local_shift(times: NDArray[np.float64], offsets: Array) -> float:
    """Seconds from UTC to the local clock of a series.

    Args:
        times: Seconds since 1970 in UTC (T,), in any order.
        offsets: Seconds by which the local clock is ahead of UTC (T,).

    Returns:
        The offset in the middle of a short series, 0 for longer ones.
    """
    if not len(times) or np.ptp(times) > LONGEST_DAY:
        return 0.0
    return float(offsets[np.argsort(times)[len(times) // 2]])


def _as_seconds(times: Any, name: str) -> NDArray[np.float64]:
    """Times (T,) as float64; error messages use `name` for `times`."""
    try:
        values = np.asarray(as_numpy(times))
        offsets = _offsets_of(values)
        values = _as_datetime64(values)
        if values.dtype.kind == "c":
            raise TypeError("they are complex")
        if values.dtype.kind == "M":
            values = values - np.datetime64(0, "s")
        if values.dtype.kind == "m":
            values = values / np.timedelta64(1, "s")
        seconds = np.asarray(values, np.float64)
        return seconds if offsets is None else local_times(seconds, offsets)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{name} must be numbers, dates or durations ({error}); convert them first"
        ) from error


def _offsets_of(times: Array) -> Array | None:
    """Seconds by which the clocks of dates (T,) are ahead of UTC; None without time zones."""
    if times.dtype != object or times.ndim != 1:
        return None
    dates = [time for time in times if isinstance(time, datetime) and time == time]  # no NaT
    shifts = [date.utcoffset() for date in dates]
    if len(dates) < len(times) or None in shifts:
        return None
    return np.array([shift.total_seconds() for shift in shifts if shift is not None])


def _as_datetime64(times: Array) -> Array:
    """An array of date or duration objects as datetime64 or timedelta64; others unchanged.

    Dates with a time zone, which NumPy lacks, become dates in UTC.
    """
    if times.dtype != object or times.ndim != 1:
        return times
    import pandas as pd

    kind = pd.api.types.infer_dtype(times, skipna=True)
    if kind in ("datetime", "datetime64", "date"):
        return pd.to_datetime(times, utc=True).tz_localize(None).to_numpy()
    return pd.to_timedelta(times).to_numpy() if kind in ("timedelta", "timedelta64") else times


def _check_increasing(times: NDArray[np.float64], length: int, i: int) -> Array:
    """Return the times of sample `i`; refuse them unless they are (length,) and increase."""
    if times.shape != (length,):
        raise DataError(
            f"sample {i} has {length} time steps, its times have shape {times.shape}; give one "
            "time per step"
        )
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise DataError(
            f"the times of sample {i} must be finite and strictly increasing; sort them and drop "
            f"repeated ones{_clock_change(times)}"
        )
    return times


def _clock_change(times: NDArray[np.float64]) -> str:
    """The end of summer time in words, if times are dates that go back or repeat by an hour."""
    back = np.flatnonzero(np.diff(times) <= 0)
    if not len(back) or not (DATES[0] <= times.min() and times.max() <= DATES[1]):
        return ""
    if np.ptp(times[back]) > SECONDS_OF_CHANGE or np.diff(times).min() < -SECONDS_OF_CHANGE:
        return ""
    date = np.datetime64(int(times[back[0]]), "s")
    return (
        f". If the clock was set back on {str(date)[:10]}, when {str(date)[11:16]} is followed by "
        f"{str(np.datetime64(int(times[back[0] + 1]), 's'))[11:16]}, give times in UTC or with "
        "their time zone"
    )
