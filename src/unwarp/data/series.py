"""Series of any length, with gaps and time stamps, as one batch: padded with a mask, or resampled to one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError

Missing = Literal["mask", "interpolate", "error"]


def pad(
    series: Any, missing: Missing = "error", times: Any = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Series of any length as one batch, and which of its time steps were observed.

    Nothing in the batch is NaN: beyond the end of a series stands its last value, and a gap is filled by a line
    between its neighbours in time, or by the nearest value at the ends.

    Args:
        series: (N, T), (N, C, T), or N series (T_i,) or (C, T_i); NaN is a missing value.
        missing: What a missing value becomes. `mask`: filled, and the step counts as not observed, in no channel.
            `interpolate`: filled, and taken as observed. `error`: refused.
        times: Time stamps (T,) of all series, (N, T), or N of (T_i,), strictly increasing: numbers, dates or durations.
            They weigh the lines between neighbours. None: evenly spaced.

    Returns:
        `x` (N, C, T), float32, and `mask` (N, T), True where observed.

    Raises:
        DataError: No series, a shape or time stamps that do not fit, infinite values, a missing value where `missing`
            is `error`, a channel with no value at all, or a series of which no step is observed in every channel.
        ConfigError: An unknown `missing`.

    >>> x, mask = pad([[1.0, float("nan"), 3.0], [4.0, 5.0]], missing="mask")
    >>> x[:, 0].tolist(), mask.tolist()
    ([[1.0, 2.0, 3.0], [4.0, 5.0, 5.0]], [[True, False, True], [True, True, False]])
    """
    if missing not in get_args(Missing):
        raise ConfigError(
            f"missing={missing!r} is unknown; choose one of {', '.join(get_args(Missing))}"
        )
    rows = as_list(series)
    shape = (len(rows), len(rows[0]), max(row.shape[1] for row in rows))
    x, mask = np.empty(shape, np.float32), np.zeros((shape[0], shape[2]), np.bool_)
    for i, (row, stamps) in enumerate(zip(rows, stamped(rows, times), strict=True)):
        length = row.shape[1]
        x[i, :, :length] = _filled(row, stamps, stamps, i, missing)
        x[i, :, length:] = x[i, :, length - 1 : length]
        mask[i, :length] = True if missing == "interpolate" else ~np.isnan(row).any(0)
        if not mask[i].any():
            raise DataError(
                f"sample {i} has no time step that every channel observed; set missing='interpolate'"
            )
    return x, mask


def resample_to(
    series: Any, length: int, missing: Literal["interpolate", "error"] = "error", times: Any = None
) -> NDArray[np.float32]:
    """Series of any length at `length` evenly spaced times from their first to their last, by straight lines.

    Args:
        series: As for `pad`.
        length: Time steps of the result, at least 1.
        missing: `interpolate` draws the lines past missing values; `error` refuses them.
        times: As for `pad`.

    Returns:
        (N, C, length), float32. The ends of every series stay where they were.

    Raises:
        DataError: As for `pad`.
        ConfigError: A `length` below 1, or an unknown `missing`.

    >>> resample_to([[0.0, 2.0], [0.0, 3.0, 6.0]], 3)[:, 0].tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 6.0]]
    """
    if missing not in ("interpolate", "error"):
        raise ConfigError(f"missing={missing!r} cannot be resampled; choose interpolate or error")
    if length < 1:
        raise ConfigError(f"length={length} must be at least 1")
    rows = as_list(series)
    return evened(rows, stamped(rows, times), length, missing)


def evened(
    rows: list[NDArray[np.float32]], stamps: list[Array], length: int, missing: Missing
) -> NDArray[np.float32]:
    """Series (C, T_i) with stamps (T_i,) at `length` even times each, (N, C, length); errors as for `resample_to`.

    With `mask` a step whose line would begin or end in a missing value is NaN.
    """
    x = np.empty((len(rows), len(rows[0]), length), np.float32)
    for i, (row, at) in enumerate(zip(rows, stamps, strict=True)):
        even = np.linspace(at[0], at[-1], length)
        x[i] = _filled(row, at, even, i, missing)
        if missing == "mask":
            x[i, _unseen(row, at, even)] = np.nan
    return x


def _unseen(row: NDArray[np.float32], stamps: Array, at: Array) -> NDArray[np.bool_]:
    """Where a line through series (C, T) with `stamps` (T,), read `at` (K,), would begin or end in NaN, (C, K)."""
    gaps, last = np.isnan(row), row.shape[1] - 1
    left = np.clip(np.searchsorted(stamps, at, side="right") - 1, 0, last)
    right = np.where(stamps[left] < at, np.minimum(left + 1, last), left)
    return np.asarray(gaps[:, left] | gaps[:, right])


def as_list(series: Any) -> list[NDArray[np.float32]]:
    """N series (C, T_i) of one number of channels, float32, NaN where missing.

    Raises:
        DataError: No series, other shapes, channel counts that differ, text, infinite values.
    """
    given = as_array(series)
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        raise DataError(
            f"series are of type {type(given).__name__}; give an array (N, C, T) or a list of (C, T_i)"
        )
    if not _is_listed(given) or len(given) == 0:
        raise DataError(
            "there is no series: give an array (N, T) or (N, C, T), or a list of N arrays (C, T_i)"
        )
    rows = [_checked(row, i) for i, row in enumerate(given)]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataError(
                f"sample {i} has {len(row)} channels, sample 0 has {len(rows[0])}; all need the same"
            )
    return rows


def _checked(row: Any, i: int) -> NDArray[np.float32]:
    try:
        numbers = np.asarray(as_array(row))
        values = np.atleast_2d(_without_marks(numbers)).astype(np.float64)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(
            f"sample {i} is no array of numbers ({error}); give (T,) or (C, T)"
        ) from error
    if numbers.ndim not in (1, 2) or numbers.size == 0 or numbers.dtype.kind not in "biufO":
        raise DataError(
            f"sample {i} has shape {numbers.shape}, {numbers.dtype}; give numbers (T,) or (C, T)"
        )
    if (np.abs(values) > np.finfo(np.float32).max).any():
        channel, step = np.argwhere(np.abs(values) > np.finfo(np.float32).max)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is {values[channel, step]:g}, which float32 cannot "
            "hold; replace infinite values by NaN, rescale large ones"
        )
    return values.astype(np.float32)


def _without_marks(x: Array) -> Array:
    """`x` with NaN for what else marks a missing value among objects, such as `pandas.NA`."""
    if x.dtype != object:
        return x
    import pandas as pd

    return np.where(pd.isna(x), np.nan, x)


def stamped(rows: list[NDArray[np.float32]], times: Any = None) -> list[Array]:
    """The time stamps (T_i,) of every series (C, T_i), which are counted where `times` is None.

    Raises:
        DataError: Time stamps that do not fit, or do not increase.
    """
    if times is None:
        return [np.arange(row.shape[1]) for row in rows]
    found = as_times(times)
    own = [found] * len(rows) if isinstance(found, np.ndarray) else found
    if len(own) != len(rows):
        raise DataError(
            f"times has {len(own)} rows, there are {len(rows)} series; give one row each"
        )
    return [
        _increasing(at, row.shape[1], i) for i, (at, row) in enumerate(zip(own, rows, strict=True))
    ]


def as_times(times: Any) -> NDArray[np.float64] | list[NDArray[np.float64]]:
    """Time stamps (T,) of all series, or a list of those of each, (T_i,).

    Numbers stay as they are; dates become seconds since 1970 (UTC where they name no zone), durations seconds.

    Args:
        times: (T,), (N, T), or N of (T_i,), in arrays, data frames or lists.

    Raises:
        DataError: A single value, or what is neither numbers nor dates nor durations.

    >>> as_times(np.array(["1970-01-01T00:00:00.5", "1970-01-02"], "datetime64[ms]")).tolist()
    [0.5, 86400.0]
    """
    given = as_array(times)
    if not _is_listed(given):
        raise DataError(
            f"times is {times!r}; give (T,) of all series, (N, T), or a list of N arrays (T_i,)"
        )
    if len(given) and not _is_listed(as_array(given[0])):
        return _seconds(given, "times")
    return [_seconds(row, f"the times of sample {i}") for i, row in enumerate(given)]


def as_array(x: Any) -> Any:
    """What can be an array, such as a tensor or a column of a data frame, as one; anything else, lists too, as it is."""
    if isinstance(x, torch.Tensor):
        return (x.float() if x.dtype == torch.bfloat16 else x).detach().cpu().numpy()
    return np.asarray(x) if hasattr(x, "__array__") else x


def _is_listed(x: Any) -> bool:
    """Whether `x` is an array or a list, not a single value."""
    return (
        isinstance(x, Sequence | np.ndarray)
        and not isinstance(x, str | bytes)
        and getattr(x, "ndim", 1) > 0
    )


def _seconds(times: Any, whose: str) -> NDArray[np.float64]:
    try:
        found = _dated(np.asarray(as_array(times)))
        if found.dtype.kind == "M":
            found = found - np.datetime64(0, "s")
        return np.asarray(
            found / np.timedelta64(1, "s") if found.dtype.kind == "m" else found, np.float64
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{whose} are no numbers, dates or durations: {error}") from error


def _dated(times: Array) -> Array:
    """Dates and durations that came as objects, such as those with a zone, as `datetime64` and `timedelta64`."""
    if times.dtype != object or times.ndim != 1:
        return times
    import pandas as pd

    held = pd.api.types.infer_dtype(times, skipna=True)
    if held in ("datetime", "datetime64", "date"):
        return pd.to_datetime(times, utc=True).tz_localize(None).to_numpy()
    return pd.to_timedelta(times).to_numpy() if held in ("timedelta", "timedelta64") else times


def _increasing(stamps: NDArray[np.float64], length: int, i: int) -> Array:
    if stamps.shape != (length,):
        raise DataError(f"sample {i} has {length} time steps, its times have shape {stamps.shape}")
    if not (np.isfinite(stamps).all() and (np.diff(stamps) > 0).all()):
        raise DataError(
            f"the times of sample {i} must be finite and strictly increasing; sort them, drop repeats"
        )
    return stamps


def _filled(row: NDArray[np.float32], stamps: Array, at: Array, i: int, missing: Missing) -> Array:
    """Series (C, T) read `at` other times, by lines between the values that are there."""
    gaps = np.isnan(row)
    if missing == "error" and gaps.any():
        channel, step = np.argwhere(gaps)[0]
        raise DataError(
            f"sample {i}, channel {channel}, time index {step} is missing, the first of {int(gaps.sum()):,} in this "
            "sample (NaN); set missing='interpolate' to fill it by a line, missing='mask' to do without it (Unwarper, "
            "pad), or drop the sample"
        )
    if gaps.all(1).any():
        channel = int(gaps.all(1).argmax())
        raise DataError(
            f"sample {i} has no value at all in channel {channel}; drop the sample or the channel"
        )
    if at is stamps and not gaps.any():
        return row
    return np.stack(
        [np.interp(at, stamps[~gap], values[~gap]) for values, gap in zip(row, gaps, strict=True)]
    )
