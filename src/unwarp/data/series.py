"""Series of unequal lengths, with gaps and time stamps, as one batch.

`pad` keeps the observed values and marks them in a mask; `resample_to` reads all series at the same
number of evenly spaced times. `Unwarper` resamples by itself; call these functions to do it in your
own way, or for models of another library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, MissingPolicy
from unwarp.data.arrays import as_numpy, is_sequence
from unwarp.data.missing import check_policy
from unwarp.data.time_stamps import resolve_times
from unwarp.errors import ConfigError, DataError


def pad(
    series: Any, missing: MissingPolicy = "error", times: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Series padded to the longest, and a mask of their observed steps.

    No value of the result is NaN: each series is continued by its last value, and a gap is filled
    by a straight line between its neighbours in time, or by the nearest value at the ends.

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i). NaN marks a
            missing value.
        missing: Treatment of missing values. `error` refuses them. `interpolate` fills them and
            counts them as observed. `mask` fills them and counts their step as not observed in any
            channel.
        times: Time stamps of the steps, strictly increasing: (T,) for all series, (N, T), or N of
            (T_i,); numbers, dates or durations. They weigh the lines between neighbours. None means
            evenly spaced.

    Returns:
        The batch (N, C, T), float32, and the mask (N, T), True for an observed step. T is the
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
    rows = as_rows(series)
    shape = (len(rows), len(rows[0]), max(row.shape[1] for row in rows))
    x, mask = np.empty(shape, np.float32), np.zeros((shape[0], shape[2]), np.bool_)
    for i, (row, stamps) in enumerate(zip(rows, resolve_times(rows, times), strict=True)):
        length = row.shape[1]
        x[i, :, :length] = _interpolate(row, stamps, stamps, i, missing)
        x[i, :, length:] = x[i, :, length - 1 : length]
        mask[i, :length] = True if missing == "interpolate" else ~np.isnan(row).any(0)
        if not mask[i].any():
            raise DataError(
                f"sample {i} has no time step that every channel observed; set "
                "missing='interpolate'"
            )
    return x, mask


def resample_to(
    series: Any, length: int, missing: Literal["interpolate", "error"] = "error", times: Any = None
) -> NDArray[np.float32]:
    """Series resampled to one length by straight lines.

    Each series is read at `length` evenly spaced times from its first to its last. The ends keep
    their values.

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i).
        length: Number of time steps of the result, at least 1.
        missing: `interpolate` draws the lines past missing values (NaN); `error` refuses them.
        times: Time stamps of the steps, in any form that `pad` takes; None means evenly spaced.

    Returns:
        Series (N, C, length), float32.

    Raises:
        DataError: As by `pad`.
        ConfigError: `length` is below 1, or `missing` is unknown.

    >>> resample_to([[0.0, 2.0], [0.0, 3.0, 6.0]], 3)[:, 0].tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 6.0]]
    """
    if missing not in ("interpolate", "error"):
        raise ConfigError(f"missing={missing!r} cannot be resampled; choose interpolate or error")
    if length < 1:
        raise ConfigError(f"length={length} must be at least 1")
    rows = as_rows(series)
    return resample_rows(rows, resolve_times(rows, times), length, missing)


def resample_rows(
    rows: list[NDArray[np.float32]], times: list[Array], length: int, missing: MissingPolicy
) -> NDArray[np.float32]:
    """Parsed series, resampled to one length by straight lines.

    Args:
        rows: N series (C, T_i), as `as_rows` returns them.
        times: Their time stamps, N of (T_i,), as `resolve_times` returns them.
        length: Number of time steps of the result, at least 1.
        missing: Treatment of missing values. With `mask`, a step is NaN if its line begins or ends
            in a missing value.

    Returns:
        Series (N, C, length), float32.

    Raises:
        DataError: A value is missing and `missing` is `error`, or a channel has no value at all.
    """
    x = np.empty((len(rows), len(rows[0]), length), np.float32)
    for i, (row, stamps) in enumerate(zip(rows, times, strict=True)):
        steps = np.linspace(stamps[0], stamps[-1], length)
        x[i] = _interpolate(row, stamps, steps, i, missing)
        if missing == "mask":
            x[i, _gap_mask(row, stamps, steps)] = np.nan
    return x


def _gap_mask(row: NDArray[np.float32], times: Array, steps: Array) -> NDArray[np.bool_]:
    """Steps with a missing neighbour, for each channel.

    Args:
        row: Series (C, T), NaN for missing values.
        times: Its time stamps (T,).
        steps: Times to read it at (K,).

    Returns:
        True if the line through a step begins or ends in NaN (C, K).
    """
    is_missing, last = np.isnan(row), row.shape[1] - 1
    left = np.clip(np.searchsorted(times, steps, side="right") - 1, 0, last)
    right = np.where(times[left] < steps, np.minimum(left + 1, last), left)
    return np.asarray(is_missing[:, left] | is_missing[:, right])


def as_rows(series: Any) -> list[NDArray[np.float32]]:
    """Series of any lengths, each with an axis of channels.

    Args:
        series: An array (N, T) or (N, C, T), or a list of N series (T_i,) or (C, T_i). NaN, None
            and `pandas.NA` mark missing values.

    Returns:
        N arrays (C, T_i), float32, NaN for missing values; C is the same for all.

    Raises:
        DataError: There is no series, shapes do not fit, numbers of channels differ, or a value is
            text or infinite.

    >>> [row.shape for row in as_rows([[1.0, 2.0], [1.0, 2.0, 3.0]])]
    [(1, 2), (1, 3)]
    """
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


def _as_row(row: Any, i: int) -> NDArray[np.float32]:
    """Sample `i` as a checked series (C, T)."""
    try:
        numbers = np.asarray(as_numpy(row))
        values = np.atleast_2d(_missing_as_nan(numbers)).astype(np.float64)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(
            f"sample {i} is no array of numbers ({error}); give (T,) or (C, T)"
        ) from error
    if numbers.ndim not in (1, 2) or numbers.size == 0 or numbers.dtype.kind not in "biufO":
        raise DataError(
            f"sample {i} has shape {numbers.shape}, {numbers.dtype}; give numbers (T,) or (C, T)"
        )
    is_too_large = np.abs(values) > np.finfo(np.float32).max
    if is_too_large.any():
        channel, step = np.argwhere(is_too_large)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is {values[channel, step]:g}, which "
            "float32 cannot hold; replace infinite values by NaN, rescale large ones"
        )
    return values.astype(np.float32)


def _missing_as_nan(x: Array) -> Array:
    """Objects with NaN for every other mark of a missing value, such as `pandas.NA`."""
    if x.dtype != object:
        return x
    import pandas as pd

    return np.where(pd.isna(x), np.nan, x)


def _interpolate(
    row: NDArray[np.float32], times: Array, steps: Array, i: int, missing: MissingPolicy
) -> Array:
    """A series read at given times, by straight lines between its observed values.

    Args:
        row: Series (C, T), NaN for missing values.
        times: Its time stamps (T,).
        steps: Times to read it at (K,); `times` itself to fill gaps only.
        i: Number of the sample, for messages.
        missing: Treatment of missing values; `error` refuses them.

    Returns:
        Series (C, K).
    """
    gaps = np.isnan(row)
    if missing == "error" and gaps.any():
        channel, step = np.argwhere(gaps)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is missing, the first of "
            f"{int(gaps.sum()):,} in this sample (NaN); set missing='interpolate' to fill it by a "
            "line, missing='mask' to do without it (Unwarper, pad), or drop the sample"
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
