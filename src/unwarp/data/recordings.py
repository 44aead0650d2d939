"""Samples of one size, and conversion of results to the user's form.

A model takes an array of samples of one size, without missing values. `RegularSamples` hold such an
array. They have the same methods as `IrregularSeries`, which hold series that must be resampled, so
that callers treat both alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unwarp.core import Array, LayoutName, LengthPolicy, MissingPolicy
from unwarp.data.array_likes import as_numpy, take_rows
from unwarp.data.clock import Clock
from unwarp.data.layout import restore_layout
from unwarp.data.mapped import is_mapped, take_array_rows
from unwarp.data.precision import wide_dtype


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
    >>> length, clock, evidence = regular.infer_clock(10.0)
    >>> length, clock.sampling_rate
    (3, 10.0)
    """

    samples: Array
    original: Any
    layout: LayoutName = "auto"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the user's numbers."""
        values = as_numpy(self.original)
        dtype: np.dtype[Any] = (values if hasattr(values, "dtype") else np.asarray(values)).dtype
        return dtype

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

    def infer_clock(
        self, sampling_rate: float | None, lengths: LengthPolicy = "auto"
    ) -> tuple[int, Clock, str]:
        """The number of time steps, and a clock with their times.

        Args:
            sampling_rate: Time steps per second of series; None to measure time in steps.
            lengths: Not used; the samples have one length.

        Returns:
            Length of the last axis, a clock that starts at 0, and an empty text.
        """
        return self.samples.shape[-1], Clock(sampling_rate), ""

    def on(self, clock: Clock) -> RegularSamples:
        """The samples unchanged, since they need no clock.

        Args:
            clock: Not used.
        """
        return self

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

    def spans(self, clock: Clock, frame: Array) -> Array:
        """Times of the first and the last step of each series.

        Args:
            clock: Not used.
            frame: Times of the first and the last step of the model (2,).

        Returns:
            Times (N, 2), the same in each row.
        """
        return np.tile(frame, (len(self.samples), 1))
