"""Parsed samples of a user, and conversion back to the user's form.

A model takes an array of samples of one size, without missing values. `RegularSamples` hold such an
array. `IrregularSeries` hold series of unequal lengths, with missing values or with time stamps,
and resample them to one length. Both classes have the same methods, so that callers treat them
alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unwarp.core import Array, LayoutName, MissingPolicy
from unwarp.data.array_likes import as_numpy, take_rows
from unwarp.data.clock import Clock
from unwarp.data.layout import restore_dtype, restore_layout
from unwarp.data.mapped import is_mapped, take_array_rows
from unwarp.data.precision import wide_dtype
from unwarp.data.series import resample_rows
from unwarp.errors import ConfigError

MAX_RESAMPLING_FACTOR = 100
"""Largest number of resampled time steps, as a multiple of the steps of the longest series.

A larger number means that the time stamps are not in seconds, but in milliseconds, for instance.
"""


@dataclass(frozen=True, eq=False)
class RegularSamples:
    """Samples of one size, without missing values or time stamps.

    If they are series, their steps are evenly spaced. Its methods are those of `IrregularSeries`;
    since nothing has to be resampled, `resample` and `trim` change nothing.

    Attributes:
        samples: Images (N, C, H, W), series (N, C, T), or samples of another domain.
        original: The array-like that the user gave. Results get its layout and dtype.
        layout: Order of the axes of the user's images.

    >>> regular = RegularSamples(np.zeros((2, 1, 3), np.float32), [[0, 0, 0], [0, 0, 0]])
    >>> regular.infer_clock(10.0)
    (3, Clock(sampling_rate=10.0, start=0.0, any_length=False))
    """

    samples: Array
    original: Any
    layout: LayoutName = "auto"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the user's numbers."""
        return np.asarray(as_numpy(self.original)).dtype

    @property
    def precise_dtype(self) -> np.dtype[Any]:
        """Floating-point type with the digits of the user's numbers, float32 or wider."""
        is_exact = np.can_cast(self.samples.dtype, np.float32)
        return np.dtype(np.float32) if is_exact else wide_dtype(self.samples)

    def subset(self, rows: slice | Array) -> RegularSamples:
        """Some of the samples.

        Args:
            rows: A slice, or indices of the samples to keep, from 0 (M,), in the order of the
                result.
        """
        samples = take_array_rows(self.samples, rows)
        if is_mapped(self.original) and not isinstance(rows, slice):
            # the same values in another layout, which are not stored twice
            return replace(self, samples=samples, original=self._as_original(samples))
        return replace(self, samples=samples, original=take_rows(self.original, rows))

    def _as_original(self, samples: Array) -> Array:
        """Some of the samples (M, C, ...) in the layout of the user's array."""
        original = np.broadcast_to(self.original[:1], (len(samples), *self.original.shape[1:]))
        restored: Array = restore_layout(samples, original, self.layout)
        return restored

    def infer_clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """The number of time steps, and a clock with their times.

        Args:
            sampling_rate: Time steps per second of series; None to measure time in steps.

        Returns:
            Length of the last axis, and a clock that starts at 0.
        """
        return self.samples.shape[-1], Clock(sampling_rate)

    def resample(self, length: int | None, missing: MissingPolicy) -> Array:
        """The samples (N, C, ...), unchanged.

        Args:
            length: Not used; the samples have one length already.
            missing: Not used; no value is missing.
        """
        return self.samples

    def trim(self, length: int) -> RegularSamples:
        """The samples unchanged, since they have no missing values to cut off.

        Args:
            length: Not used.
        """
        return self

    def restore_shape(self, values: Array) -> Array:
        """Results in the layout and dtype of the user's samples.

        Args:
            values: Aligned or reconstructed samples (N, C, ...), float32.

        Returns:
            The values as `restore_layout` returns them.
        """
        restored: Array = restore_layout(values, self.original, self.layout)
        return restored

    def restore_times(self, values: Array) -> Array | list[Array]:
        """Results in the layout and dtype of the user's samples.

        Args:
            values: Aligned or reconstructed samples (N, C, ...), float32.

        Returns:
            The same as `restore_shape`: the samples were not resampled, so the values are at the
            user's time steps already.
        """
        return self.restore_shape(values)

    def spans(self, clock: Clock) -> Array:
        """Times of the first and the last step of each series.

        Args:
            clock: Times of the steps.

        Returns:
            Times (N, 2), the same in each row.
        """
        ends = clock.time_of(np.array([0, self.samples.shape[-1] - 1]))
        return np.tile(ends, (len(self.samples), 1))


@dataclass(frozen=True, eq=False)
class IrregularSeries:
    """Series of unequal lengths, with missing values, or with time stamps.

    `resample` reads them at evenly spaced times by linear interpolation. `restore_times` goes back:
    it reads evenly spaced series at the original times.

    Attributes:
        values: N series (C, T_i), NaN for missing values.
        times: Times of the steps of each series, N arrays (T_i,), strictly increasing; 0, 1, 2, ...
            if the user gave no times.
        has_time_stamps: Whether the user gave times.
        has_channel_axis: Whether the user's series have an axis of channels.
        dtype: Type of the user's numbers.
        padded_length: Number of time steps of the user's array, in which shorter series are padded
            at their ends; None if the user gave a list of series.
        lengths_differ: Whether the series that this collection is a subset of differ in length. The
            series of the subset may be equally long.

    >>> values = [np.array([[0.0, 2.0]], np.float32), np.array([[0.0, 3.0, 6.0]], np.float32)]
    >>> times = [np.arange(2), np.arange(3)]
    >>> series = IrregularSeries(values, times, False, False, np.dtype(float), None)
    >>> series.resample(3, "error")[:, 0].tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 6.0]]
    """

    values: list[Array]
    times: list[Array]
    has_time_stamps: bool
    has_channel_axis: bool
    dtype: np.dtype[Any]
    padded_length: int | None
    lengths_differ: bool = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def precise_dtype(self) -> np.dtype[Any]:
        """Floating-point type with the digits of the user's numbers, float32 or float64."""
        return np.result_type(np.float32, *{row.dtype for row in self.values})

    @property
    def max_length(self) -> int:
        """Number of time steps of the longest series."""
        lengths: list[int] = [row.shape[1] for row in self.values]
        return max(lengths)

    def subset(self, rows: slice | Array) -> IrregularSeries:
        """Some of the series.

        Args:
            rows: A slice, or indices of the series to keep, from 0 (M,), in the order of the
                result.

        Returns:
            M series. They remember in `lengths_differ` whether the lengths of all N differ, since
            a model of these series must accept the others, too.
        """
        values, times = take_rows(self.values, rows), take_rows(self.times, rows)
        return replace(self, values=values, times=times, lengths_differ=self._has_unequal_lengths)

    @property
    def _has_unequal_lengths(self) -> bool:
        return self.lengths_differ or len({row.shape[1] for row in self.values}) > 1

    def infer_clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """The number of time steps to resample to, and their clock.

        Without time stamps, the number is that of the longest series. With time stamps, the steps
        cover the longest duration of a series.

        Args:
            sampling_rate: Time steps per second. If it is None, there are as many steps as in the
                longest series.

        Returns:
            The number of steps, and the clock. With time stamps, it starts at the time of the first
            step if this is the same in all series; otherwise it starts at 0.

        Raises:
            ConfigError: The sampling rate and the times give fewer than 2 steps, or more than
                `MAX_RESAMPLING_FACTOR` times the steps of the longest series.
        """
        length = self.max_length
        if not self.has_time_stamps:
            return length, Clock(sampling_rate, any_length=self._has_unequal_lengths)
        duration = max(float(times[-1] - times[0]) for times in self.times)
        starts = {float(times[0]) for times in self.times}
        start = starts.pop() if len(starts) == 1 else 0.0
        if sampling_rate is None:
            rate = (length - 1) / duration if duration else None
            return length, Clock(rate, start, any_length=True)
        steps = round(duration * sampling_rate) + 1
        if steps < 2 or steps > MAX_RESAMPLING_FACTOR * length:
            raise ConfigError(
                f"sampling_rate={sampling_rate:g} would resample {length:,} time steps over a "
                f"duration of {duration:g} to {steps:,} steps; give times in seconds and "
                "sampling_rate in samples per second, or leave sampling_rate out"
            )
        return steps, Clock(sampling_rate, start, any_length=True)

    def resample(self, length: int | None, missing: MissingPolicy) -> Array:
        """The series at `length` evenly spaced times, by linear interpolation.

        The new times of a series go from its own first time to its own last time.

        Args:
            length: Number of time steps; None for the length of the longest series.
            missing: Treatment of missing values. With `mask`, a new step is NaN if one of the two
                steps that it is interpolated from is missing.

        Returns:
            Series (N, C, length), as `resample_rows` returns them.

        Raises:
            DataError: A value is missing and `missing` is `error`, or a channel has no value at
                all.
        """
        return resample_rows(self.values, self.times, length or self.max_length, missing)

    def trim(self, length: int) -> IrregularSeries:
        """The series cut to `length` time steps, if nothing follows.

        A model of series of one length calls it, because new series may be padded with NaN beyond
        that length.

        Args:
            length: Number of steps to keep.

        Returns:
            The cut series if all values after `length` steps are missing, else `self`.
        """
        if not all(np.isnan(row[:, length:]).all() for row in self.values):
            return self
        return replace(
            self,
            values=[row[:, :length] for row in self.values],
            times=[times[:length] for times in self.times],
        )

    def restore_shape(self, values: Array) -> Array:
        """Evenly spaced series in the layout and dtype of the user's series.

        The series stay at the evenly spaced times; `restore_times` reads them at the user's times.

        Args:
            values: Aligned or reconstructed series (N, C, T), float32.

        Returns:
            Series (N, C, T); or (N, T), the first channel, if the user's series have no axis of
            channels.
        """
        return restore_dtype(values if self.has_channel_axis else values[:, 0], self.dtype)

    def restore_times(self, values: Array) -> Array | list[Array]:
        """Evenly spaced series, resampled to the user's times.

        Args:
            values: Reconstructed series (N, C, T), float32. Row i covers the time from the first to
                the last step of series i.

        Returns:
            Series in the form that the user gave: a list of N arrays (C, T_i) or (T_i,), or an
            array padded with NaN.
        """
        rows = [
            _resample_channels(row, times) for row, times in zip(values, self.times, strict=True)
        ]
        if self.padded_length is None:
            return [
                restore_dtype(row if self.has_channel_axis else row[0], self.dtype) for row in rows
            ]
        padded = np.full((*values.shape[:2], self.padded_length), np.nan, values.dtype)
        for i, row in enumerate(rows):
            padded[i, :, : row.shape[1]] = row
        return self.restore_shape(padded)

    def spans(self, clock: Clock) -> Array:
        """Times of the first and the last step of each series.

        Args:
            clock: Times of the steps; not used if the series have time stamps.

        Returns:
            Times (N, 2).
        """
        if self.has_time_stamps:
            return np.array([[times[0], times[-1]] for times in self.times], float)
        lengths = [row.shape[1] for row in self.values]
        return np.array([clock.time_of(np.array([0, length - 1])) for length in lengths])


def _resample_channels(row: Array, times: Array) -> Array:
    """Resample a series by linear interpolation.

    Args:
        row: Series (C, T) at T evenly spaced times from `times[0]` to `times[-1]`.
        times: Times of the result (K,).

    Returns:
        The series at `times` (C, K).
    """
    steps = np.linspace(times[0], times[-1], row.shape[1])
    return np.stack([np.interp(times, steps, channel) for channel in row])
