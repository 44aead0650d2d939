"""Samples in the form of the user, regular or irregular.

Models take arrays of one size without gaps. `RegularSamples` are that already; `IrregularSeries`
differ in length, have gaps or time stamps, and are resampled. Both have the same methods, so that
callers need not tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, MissingPolicy
from unwarp.data.arrays import take_rows
from unwarp.data.clock import Clock
from unwarp.data.layout import restore_dtype, restore_layout
from unwarp.data.series import resample_rows
from unwarp.errors import ConfigError

MAX_STEPS_PER_SAMPLE = 100
"""Most resampled steps per recorded sample.

More of them mean that the times are not in the unit of the sampling rate, such as milliseconds.
"""


@dataclass(frozen=True, eq=False)
class RegularSamples:
    """Samples of one size, without gaps.

    Series among them are evenly spaced. The methods return the samples as they are; compare
    `IrregularSeries`.

    Attributes:
        samples: Images (N, C, H, W), series (N, C, T), or samples of another domain.
        original: The array-like that the user gave, for its layout and type.

    >>> regular = RegularSamples(np.zeros((2, 1, 3), np.float32), [[0, 0, 0], [0, 0, 0]])
    >>> regular.infer_clock(10.0)
    (3, Clock(sampling_rate=10.0, start=0.0, any_length=False))
    """

    samples: Array
    original: Any

    def __len__(self) -> int:
        return len(self.samples)

    def subset(self, rows: Array) -> RegularSamples:
        """The samples of given rows, in their order.

        Args:
            rows: Row numbers from 0 (M,).
        """
        return RegularSamples(self.samples[rows], take_rows(self.original, rows))

    def infer_clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """Number of steps, and their times.

        Args:
            sampling_rate: Samples per second of series; None to count time in samples.

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
        """The samples themselves, since all of their values are observed.

        Args:
            length: Not used.
        """
        return self

    def restore_shape(self, values: Array) -> Array:
        """Values in the layout and type of the user's samples.

        Args:
            values: Samples (N, C, ...), float32.

        Returns:
            The values as `restore_layout` gives them.
        """
        return restore_layout(values, self.original)

    def restore_times(self, values: Array) -> Array | list[Array]:
        """Values in the layout and type of the user's samples.

        Args:
            values: Samples (N, C, ...), float32.

        Returns:
            The same as `restore_shape`.
        """
        return self.restore_shape(values)

    def spans(self, clock: Clock) -> Array:
        """Time of the first and the last step of each series.

        Args:
            clock: Times of the steps.

        Returns:
            Times (N, 2); the rows are equal.
        """
        ends = clock.time_of(np.array([0, self.samples.shape[-1] - 1]))
        return np.tile(ends, (len(self.samples), 1))


@dataclass(frozen=True, eq=False)
class IrregularSeries:
    """Series of unequal lengths, with gaps, or with time stamps.

    `resample` brings them to evenly spaced steps by straight lines between neighbours in time;
    `restore_times` reads such series at the original times again.

    Attributes:
        rows: N series (C, T_i), float32, NaN for missing values.
        times: Times of their steps, N of (T_i,), strictly increasing; 0, 1, 2, ... if the user gave
            none.
        has_time_stamps: Whether the user gave times.
        has_channel_axis: Whether the user's series have an axis of channels.
        dtype: Type of the user's numbers.
        padded_length: Length of the user's array, which is padded with NaN; None for a list of
            series.
        any_length: Whether lengths differ in the collection that these series are a part of, even
            if they agree in this part.

    >>> rows = [np.array([[0.0, 2.0]], np.float32), np.array([[0.0, 3.0, 6.0]], np.float32)]
    >>> times = [np.arange(2), np.arange(3)]
    >>> series = IrregularSeries(rows, times, False, False, np.dtype(float), None)
    >>> series.resample(3, "error")[:, 0].tolist()
    [[0.0, 1.0, 2.0], [0.0, 3.0, 6.0]]
    """

    rows: list[NDArray[np.float32]]
    times: list[Array]
    has_time_stamps: bool
    has_channel_axis: bool
    dtype: np.dtype[Any]
    padded_length: int | None
    any_length: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def max_length(self) -> int:
        """Number of samples of the longest series."""
        lengths: list[int] = [row.shape[1] for row in self.rows]
        return max(lengths)

    def subset(self, rows: Array) -> IrregularSeries:
        """The series of given rows, in their order.

        Args:
            rows: Row numbers from 0 (M,).

        Returns:
            M series; `any_length` is true if the lengths differ among all N.
        """
        series, times = [self.rows[row] for row in rows], [self.times[row] for row in rows]
        return replace(self, rows=series, times=times, any_length=self._may_differ_in_length)

    @property
    def _may_differ_in_length(self) -> bool:
        return self.any_length or len({row.shape[1] for row in self.rows}) > 1

    def infer_clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """Number of steps that hold the longest series, and their times.

        Args:
            sampling_rate: Steps per second. None takes as many steps as the longest series has
                samples and, with time stamps, spreads them over the longest duration.

        Returns:
            The number of steps, and the clock. It starts at the first time that all series share,
            else at 0.

        Raises:
            ConfigError: The sampling rate and the times give fewer than 2 steps, or more than
                `MAX_STEPS_PER_SAMPLE` for each sample of the longest series.
        """
        length = self.max_length
        if not self.has_time_stamps:
            return length, Clock(sampling_rate, any_length=self._may_differ_in_length)
        duration = max(float(times[-1] - times[0]) for times in self.times)
        starts = {float(times[0]) for times in self.times}
        start = starts.pop() if len(starts) == 1 else 0.0
        if sampling_rate is None:
            return length, Clock((length - 1) / duration if duration else None, start, True)
        steps = round(duration * sampling_rate) + 1
        if steps < 2 or steps > MAX_STEPS_PER_SAMPLE * length:
            raise ConfigError(
                f"sampling_rate={sampling_rate:g} makes {steps:,} steps of {length:,} samples at "
                f"times that span {duration:g}; give times in seconds and sampling_rate in samples "
                "per second, or leave it out"
            )
        return steps, Clock(sampling_rate, start, True)

    def resample(self, length: int | None, missing: MissingPolicy) -> Array:
        """The series at evenly spaced steps.

        Each is read from its first to its last time.

        Args:
            length: Number of steps; None for the length of the longest series.
            missing: Treatment of missing values. `mask` leaves NaN at each step next to one.

        Returns:
            Series (N, C, length), float32.

        Raises:
            DataError: A value is missing and `missing` is `error`, or a channel has no value at
                all.
        """
        return resample_rows(self.rows, self.times, length or self.max_length, missing)

    def trim(self, length: int) -> IrregularSeries:
        """The series without missing steps after the first `length`.

        Args:
            length: Number of steps to keep.

        Returns:
            The shorter series; the series themselves if one has a value after `length` steps.
        """
        if not all(np.isnan(row[:, length:]).all() for row in self.rows):
            return self
        return replace(
            self,
            rows=[row[:, :length] for row in self.rows],
            times=[times[:length] for times in self.times],
        )

    def restore_shape(self, values: Array) -> Array:
        """Evenly spaced series in the type and layout of the user's.

        Args:
            values: Series (N, C, T), float32.

        Returns:
            Series (N, C, T), or (N, T) of the first channel if the user's have no axis of channels.
        """
        return restore_dtype(values if self.has_channel_axis else values[:, 0], self.dtype)

    def restore_times(self, values: Array) -> Array | list[Array]:
        """Evenly spaced series read at the original times, in the user's form.

        Args:
            values: Series (N, C, T), float32, each from the first to the last time of its original.

        Returns:
            A list of N series (C, T_i) or (T_i,), or an array padded with NaN, as the user gave
            them.
        """
        rows = [_read_at(row, times) for row, times in zip(values, self.times, strict=True)]
        if self.padded_length is None:
            return [
                restore_dtype(row if self.has_channel_axis else row[0], self.dtype) for row in rows
            ]
        padded = np.full((*values.shape[:2], self.padded_length), np.nan, np.float32)
        for i, row in enumerate(rows):
            padded[i, :, : row.shape[1]] = row
        return self.restore_shape(padded)

    def spans(self, clock: Clock) -> Array:
        """Time of the first and the last step of each series.

        Args:
            clock: Times of the steps; not used if the series have time stamps.

        Returns:
            Times (N, 2).
        """
        if self.has_time_stamps:
            return np.array([[times[0], times[-1]] for times in self.times], float)
        lengths = [row.shape[1] for row in self.rows]
        return np.array([clock.time_of(np.array([0, length - 1])) for length in lengths])


def _read_at(row: Array, times: Array) -> Array:
    """Channels (C, T) at evenly spaced times, read at other times (K,) by straight lines (C, K)."""
    steps = np.linspace(times[0], times[-1], row.shape[1])
    return np.stack([np.interp(times, steps, channel) for channel in row])
