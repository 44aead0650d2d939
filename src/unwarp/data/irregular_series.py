"""Irregular series, resampling to one length, and the way back.

`IrregularSeries` hold series of unequal lengths, with missing values or with time stamps. They have
the same methods as `RegularSamples`, so that callers treat both alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unwarp.core import Array, LengthPolicy, MissingPolicy
from unwarp.data.array_likes import take_rows
from unwarp.data.clock import Clock, fit_clock
from unwarp.data.layout import restore_dtype
from unwarp.data.lengths import stretching_evidence
from unwarp.data.series import place_rows, resample_rows


@dataclass(frozen=True, eq=False)
class IrregularSeries:
    """Series of unequal lengths, with missing values, or with time stamps.

    `resample` reads them at evenly spaced times by linear interpolation: at those of a clock, with
    NaN where a series has not begun or has ended, or from the first to the last time of each
    series. `restore_times` goes back: it reads evenly spaced series at the original times.

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
        clock: Clock on which the series stand; None, or a clock that is stretched, to spread each
            of them over all steps.

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
    clock: Clock | None = None

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

    def infer_clock(
        self, sampling_rate: float | None, lengths: LengthPolicy = "auto"
    ) -> tuple[int, Clock, str]:
        """The number of time steps to resample to, their clock, and why.

        Args:
            sampling_rate: Time steps per second. If it is None, the steps are as fine as those of
                the series.
            lengths: How the series share one time axis; `auto` stretches them only if they have no
                time stamps and `stretching_evidence` finds that their lengths mean nothing.

        Returns:
            The number of steps, the clock, and the decision in words, empty if there was none.

        Raises:
            ConfigError: The sampling rate does not fit the times; see `fit_clock`.
            DataError: The times of one series are far from those of the others.
        """
        longest, any_length = self.max_length, self._has_unequal_lengths
        if lengths == "stretch":
            return self._stretched_clock(sampling_rate)
        if self.has_time_stamps:
            steps, clock = fit_clock(self.times, sampling_rate, longest)
            return steps, clock, clock.describe()
        clock = Clock(sampling_rate, any_length=any_length, is_stretched=False)
        if not any_length:
            return longest, clock, ""
        evidence = stretching_evidence(self.values) if lengths == "auto" else ""
        if evidence:
            why = (
                f"series are stretched to one length: {evidence}; lengths='clock' keeps their time"
            )
            return longest, replace(clock, is_stretched=True), why
        why = "series of unequal lengths start together, and shorter ones end early"
        return longest, clock, f"{why}; lengths='stretch' stretches them"

    def _stretched_clock(self, sampling_rate: float | None) -> tuple[int, Clock, str]:
        """Number of steps and clock of series that are spread over all steps."""
        length, why = self.max_length, "series are stretched to one length, as you asked"
        if not self.has_time_stamps:
            return length, Clock(sampling_rate, any_length=self._has_unequal_lengths), why
        longest = max(self.times, key=lambda times: float(times[-1] - times[0]))
        starts = {float(times[0]) for times in self.times}
        start = starts.pop() if len(starts) == 1 else 0.0
        if sampling_rate is None:
            duration = float(longest[-1] - longest[0])
            return length, Clock((length - 1) / duration if duration else None, start, True), why
        steps, _ = fit_clock([longest], sampling_rate, length)
        return steps, Clock(sampling_rate, start, any_length=True), why

    def on(self, clock: Clock) -> IrregularSeries:
        """The series on a clock, which decides how they are resampled.

        Args:
            clock: Times of the steps.
        """
        return replace(self, clock=clock)

    def resample(self, length: int | None, missing: MissingPolicy) -> Array:
        """The series at `length` evenly spaced times, by linear interpolation.

        Args:
            length: Number of time steps; None for the length of the longest series.
            missing: Treatment of missing values. With `mask`, a new step is NaN if one of the two
                steps that it is interpolated from is missing.

        Returns:
            Series (N, C, length), as `resample_rows` returns them; on a clock, NaN before the first
            and after the last time of a series.

        Raises:
            DataError: A value is missing and `missing` is `error`, a channel has no value at all,
                or a series lies outside the time steps.
        """
        length = length or self.max_length
        if not self._keeps_time:
            return resample_rows(self.values, self.times, length, missing)
        steps = [self._steps(i, length) for i in range(len(self))]
        return place_rows(self.values, self.times, steps, length, missing)

    @property
    def _keeps_time(self) -> bool:
        """Whether the series stand on a clock and are not stretched."""
        return self.clock is not None and not self.clock.is_stretched

    def _steps(self, i: int, length: int) -> Array:
        """Times of `length` evenly spaced steps of series `i`, in the unit of `times`."""
        times, steps = self.times[i], np.arange(length)
        if self.clock is None or self.clock.is_stretched:
            return np.linspace(times[0], times[-1], length)
        if not self.has_time_stamps:
            return steps
        return self.clock.zero_of(times) + self.clock.time_of(steps)

    def frame_of(self, i: int, length: int) -> tuple[float, float]:
        """Times of the ends of the frame of a series.

        Args:
            i: Row of the series.
            length: Number of time steps of the frame.

        Returns:
            Times in the unit of `times`.
        """
        steps = self._steps(i, length)
        return float(steps[0]), float(steps[-1])

    def n_beyond(self, length: int) -> int:
        """Number of series that exceed the steps of the clock.

        Args:
            length: Number of time steps.
        """
        if not self._keeps_time:
            return 0
        steps = ((times, self._steps(i, length)) for i, times in enumerate(self.times))
        return sum(
            bool(times[0] < at[0] - (at[-1] - at[0]) / length)
            or bool(times[-1] > at[-1] + (at[-1] - at[0]) / length)
            for times, at in steps
        )

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
            values: Reconstructed series (N, C, T), float32, at the steps of the clock. More than a
                step beyond them the result is NaN.

        Returns:
            Series in the form that the user gave: a list of N arrays (C, T_i) or (T_i,), or an
            array padded with NaN.
        """
        steps = (self._steps(i, values.shape[-1]) for i in range(len(self)))
        rows = [
            _values_at(times, at, row)
            for row, times, at in zip(values, self.times, steps, strict=True)
        ]
        if self.padded_length is None:
            return [
                restore_dtype(row if self.has_channel_axis else row[0], self.dtype) for row in rows
            ]
        padded = np.full((*values.shape[:2], self.padded_length), np.nan, values.dtype)
        for i, row in enumerate(rows):
            padded[i, :, : row.shape[1]] = row
        return self.restore_shape(padded)

    def spans(self, clock: Clock, frame: Array) -> Array:
        """Times of each series at the ends of the time axis.

        Args:
            clock: Times of the steps; not used if the series have time stamps.
            frame: Times of the first and the last step of the model (2,).

        Returns:
            Times (N, 2): the frame in the time of each series on a clock, else its first and last
            time.
        """
        if self._keeps_time:
            zeros = [clock.zero_of(times) if self.has_time_stamps else 0.0 for times in self.times]
            return np.array(zeros)[:, None] + frame
        if self.has_time_stamps:
            return np.array([[times[0], times[-1]] for times in self.times], float)
        lengths = [row.shape[1] for row in self.values]
        return np.array([clock.time_of(np.array([0, length - 1])) for length in lengths])


def _values_at(times: Array, steps: Array, row: Array) -> Array:
    """Values of an evenly spaced series (C, T) at other times (K,); NaN far beyond its ends."""
    values = np.stack([np.interp(times, steps, channel) for channel in row])
    step = (steps[-1] - steps[0]) / max(1, len(steps) - 1)
    values[:, (times < steps[0] - step) | (times > steps[-1] + step)] = np.nan
    return values
