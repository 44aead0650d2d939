"""Series of unequal lengths or with missing values, as one array.

`pad` keeps the observed values and marks them in a mask; `resample_to` resamples all series to one
number of evenly spaced time steps by linear interpolation. `Unwarper` resamples by itself; call
these functions to resample before you call it, or for models of another library.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, MissingPolicy
from unwarp.data.array_likes import as_numpy, is_sequence
from unwarp.data.clock import TOLERANCE
from unwarp.data.index_times import index_times, refuse_frames
from unwarp.data.limits import check_size
from unwarp.data.missing import check_policy
from unwarp.data.time_stamps import resolve_times
from unwarp.errors import ConfigError, DataError
from unwarp.range_kinds import Choice, Whole
from unwarp.ranges import check_value


def pad(
    series: Any, missing: MissingPolicy = "error", times: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Series padded to one length, and a mask of their observed steps.

    No value of the result is NaN. A shorter series is padded with its last value. A missing value
    is filled by linear interpolation in time, or by the nearest observed value at the ends.

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i). NaN marks a
            missing value.
        missing: Treatment of missing values. `error` refuses them. `interpolate` fills them and
            counts them as observed. `mask` fills them, and the mask is False at a step with a
            missing value in any channel.
        times: Time stamps of the steps, strictly increasing: (T,) that all series share, (N, T), or
            a list of N arrays (T_i,); numbers, dates or durations. The interpolation uses them.
            None means those in the index of each `pandas.Series`, else evenly spaced.

    Returns:
        The series (N, C, T), float32, and the mask (N, T), True for an observed step. T is the
        length of the longest series.

    Raises:
        DataError: There is no series, a shape or the time stamps do not fit, a value is infinite, a
            value is missing and `missing` is `error`, a channel has no value at all, or no step of
            a series is observed in every channel.
        ConfigError: `missing` is unknown.

    >>> x, mask = pad([[1.0, float("nan"), 3.0], [4.0, 5.0]], missing="mask")
    >>> x[:, 0].tolist(), mask.tolist()
    ([[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]], [[True, False, True], [True, True, False]])
    """
    check_policy(missing)
    rows, times = as_rows(series), index_times(series) if times is None else times
    shape = _check_shape((len(rows), len(rows[0]), max(row.shape[1] for row in rows)))
    x, mask = np.empty(shape, np.float32), np.zeros((shape[0], shape[2]), np.bool_)
    for i, (row, stamps) in enumerate(zip(rows, resolve_times(rows, times), strict=True)):
        length = row.shape[1]
        x[i, :, :length] = _interpolate(row, stamps, stamps, i, missing)
        x[i, :, length:] = x[i, :, length - 1 : length]
        mask[i, :length] = True if missing == "interpolate" else ~np.isnan(row).any(0)
        if not mask[i].any():
            raise DataError(
                f"sample {i} has no time step with a value in every channel; set "
                "missing='interpolate', or drop the sample"
            )
    return x, mask


def resample_to(
    series: Any, length: int, missing: Literal["interpolate", "error"] = "error", times: Any = None
) -> NDArray[np.float32]:
    """Series resampled to one length by linear interpolation.

    Each series is read at `length` evenly spaced times, from its first time to its last. The values
    at both ends are unchanged.

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i).
        length: Number of time steps of the result, at least 1.
        missing: `interpolate` interpolates between the observed values next to a missing one (NaN);
            `error` refuses missing values.
        times: Time stamps of the steps, in any form that `pad` takes, or None.

    Returns:
        Series (N, C, length), float32.

    Raises:
        DataError: There is no series, a shape or the time stamps do not fit, a value is infinite, a
            value is missing and `missing` is `error`, or a channel has no value at all.
        ConfigError: `length` is below 1, or `missing` is unknown.

    >>> resample_to([[0.0, 2.0], [0.0, 3.0, 6.0]], 3)[:, 0].tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 6.0]]
    """
    if not Choice(("interpolate", "error")).allows(missing):
        raise ConfigError(
            f"missing={missing!r} does not apply to resample_to; choose interpolate or error"
        )
    check_value("length", length, Whole(1))
    rows, times = as_rows(series), index_times(series) if times is None else times
    return resample_rows(rows, resolve_times(rows, times), length, missing).astype(
        np.float32, copy=False
    )


def resample_rows(
    rows: list[Array], times: list[Array], length: int, missing: MissingPolicy
) -> Array:
    """Parsed series, each spread evenly over one number of steps.

    They are interpolated linearly from their first to their last time.

    Args:
        rows: N series (C, T_i), as `as_rows` returns them.
        times: Time stamps of the series, N arrays (T_i,), as `resolve_times` returns them.
        length: Number of time steps of the result, at least 1.
        missing: Treatment of missing values. With `mask`, a new step is NaN if one of the two steps
            that it is interpolated from is missing.

    Returns:
        Series (N, C, length): float32 if it represents all numbers of the types of `rows`, else
        float64.

    Raises:
        DataError: A value is missing and `missing` is `error`, or a channel has no value at all.
    """
    steps = (np.linspace(stamps[0], stamps[-1], length) for stamps in times)
    return _read_rows(rows, times, steps, length, missing)


def place_rows(
    rows: list[Array],
    times: list[Array],
    steps: Iterable[Array],
    length: int,
    missing: MissingPolicy,
) -> Array:
    """Parsed series at given times, by linear interpolation.

    A series is NaN before its first and after its last time.

    Args:
        rows: N series (C, T_i), as `as_rows` returns them.
        times: Time stamps of the series, N arrays (T_i,), as `resolve_times` returns them.
        steps: Times of the new steps of each series, N arrays (length,), evenly spaced.
        length: Number of time steps of the result, at least 1.
        missing: Treatment of missing values between the first and the last step of a series.

    Returns:
        Series (N, C, length), as `resample_rows` returns them.

    Raises:
        DataError: As for `resample_rows`; or a series covers none of the new steps.
    """
    steps = [np.asarray(row, float) for row in steps]
    x = _read_rows(rows, times, steps, length, missing)
    for i, (stamps, new) in enumerate(zip(times, steps, strict=True)):
        slack = TOLERANCE * (new[1] - new[0] if length > 1 else 0.0)
        is_outside = (new < stamps[0] - slack) | (new > stamps[-1] + slack)
        if is_outside.all():
            raise DataError(
                f"the times of sample {i}, {stamps[0]:g} to {stamps[-1]:g}, cover none of the "
                f"time steps, {new[0]:g} to {new[-1]:g}; correct its times, or drop it"
            )
        x[i, :, is_outside] = np.nan
    return x


def _read_rows(
    rows: list[Array],
    times: list[Array],
    steps: Iterable[Array],
    length: int,
    missing: MissingPolicy,
) -> Array:
    """Series (N, C, length) at new times; the nearest value beyond the ends of a series."""
    dtype = np.result_type(np.float32, *{row.dtype for row in rows})
    x = np.empty(_check_shape((len(rows), len(rows[0]), length)), dtype)
    for i, (row, stamps, new) in enumerate(zip(rows, times, steps, strict=True)):
        x[i] = _interpolate(row, stamps, new, i, missing)
        if missing == "mask":
            x[i, _gap_mask(row, stamps, new)] = np.nan
    return x


def _check_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a shape (N, C, T); refuse it if its numbers do not fit in the memory."""
    count, channels, steps = shape
    noun = f"{count:,} series of {channels:,} channel(s), resampled to {steps:,} steps,"
    check_size(8 * math.prod(shape), noun, share=1)
    return shape


def _gap_mask(row: Array, times: Array, steps: Array) -> NDArray[np.bool_]:
    """Mask of the new steps that are interpolated from a missing value.

    Args:
        row: Series (C, T), NaN for missing values.
        times: Time stamps of the series (T,).
        steps: Times of the new steps (K,).

    Returns:
        True if the last value before a new step, or the first after it, is NaN (C, K). A new step
        at the time of an old one depends on that one only.
    """
    is_missing, last = np.isnan(row), row.shape[1] - 1
    left = np.clip(np.searchsorted(times, steps, side="right") - 1, 0, last)
    right = np.where(times[left] < steps, np.minimum(left + 1, last), left)
    return np.asarray(is_missing[:, left] | is_missing[:, right])


def as_rows(series: Any) -> list[Array]:
    """A user's series as a list of arrays (C, T_i).

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i). NaN, None
            and `pandas.NA` mark missing values.

    Returns:
        N arrays (C, T_i), NaN for missing values; C is the same for all. They are float32 if it
        represents all numbers of the user's type, else float64.

    Raises:
        DataError: There is no series, a series is not an array (T_i,) or (C, T_i), numbers of
            channels differ, or a value is text or infinite.

    >>> [row.shape for row in as_rows([[1.0, 2.0], [1.0, 2.0, 3.0]])]
    [(1, 2), (1, 3)]
    """
    refuse_frames(series)
    values = as_numpy(series)
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise DataError(
            f"series are of type {type(values).__name__}; give an array (N, C, T) or a list of "
            "(C, T_i)"
        )
    if not is_sequence(values) or len(values) == 0:
        raise DataError(
            "there is no series: give an array (N, T) or (N, C, T), or a list of N arrays (C, T_i)"
        )
    rows = [_as_row(row, i) for i, row in enumerate(values)]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataError(
                f"sample {i} has {len(row)} channels, sample 0 has {len(rows[0])}; all need the "
                "same number"
            )
    return rows


def _as_row(row: Any, i: int) -> Array:
    """One entry of the user's series as a checked array (C, T); `i` is its index for messages."""
    try:
        numbers = np.asarray(as_numpy(row))
        values = np.atleast_2d(_missing_as_nan(numbers)).astype(np.float64)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise DataError(
            f"sample {i} is not an array of numbers ({error}); give an array (T,) or (C, T)"
        ) from error
    if numbers.ndim not in (1, 2) or numbers.size == 0 or numbers.dtype.kind not in "biufO":
        raise DataError(
            f"sample {i} has shape {numbers.shape} and dtype {numbers.dtype}; give numbers (T,) or "
            "(C, T)"
        )
    is_too_large = np.abs(values) > np.finfo(np.float32).max
    if is_too_large.any():
        channel, step = np.argwhere(is_too_large)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is {values[channel, step]:g}, which "
            "float32 cannot represent; replace infinite values by NaN, rescale large values"
        )
    is_exact = np.can_cast(numbers.dtype, np.float32)
    return values.astype(np.float32) if is_exact else values


def _missing_as_nan(x: Array) -> Array:
    """The array with NaN in place of None and `pandas.NA`."""
    if x.dtype != object:
        return x
    import pandas as pd

    return np.where(pd.isna(x), np.nan, x)


def _interpolate(row: Array, times: Array, steps: Array, i: int, missing: MissingPolicy) -> Array:
    """A series at new times, by linear interpolation between its observed values.

    Args:
        row: Series (C, T), NaN for missing values.
        times: Time stamps of the series (T,).
        steps: Times of the new steps (K,); `times` itself to only fill missing values.
        i: Index of the sample, for messages.
        missing: Treatment of missing values; `error` refuses them.

    Returns:
        Series (C, K).
    """
    gaps = np.isnan(row)
    if missing == "error" and gaps.any():
        channel, step = np.argwhere(gaps)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is missing, the first of "
            f"{int(gaps.sum()):,} in this sample (NaN); set missing='interpolate' to fill it by "
            "linear interpolation, set missing='mask' to leave it out of the loss (Unwarper, pad), "
            "or drop the sample"
        )
    if gaps.all(1).any():
        channel = int(gaps.all(1).argmax())
        raise DataError(
            f"sample {i} has no value at all in channel {channel}; drop the sample or the channel"
        )
    if steps is times and not gaps.any():
        return row
    return np.stack(
        [np.interp(steps, times[~gap], values[~gap]) for values, gap in zip(row, gaps, strict=True)]
    )
