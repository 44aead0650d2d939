"""The time axis of evenly spaced series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unwarp.core import Array


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

    >>> Clock(sampling_rate=4.0, start=1.0).time_of(np.arange(3)).tolist()
    [1.0, 1.25, 1.5]
    """

    sampling_rate: float | None = None
    start: float = 0.0
    any_length: bool = False

    def time_of(self, step: float | Array) -> Array:
        """Times of time steps.

        Args:
            step: Indices of the steps from 0, of any shape; 0.5 is halfway from step 0 to step 1.

        Returns:
            Times of the same shape, in seconds, or in steps if there is no sampling rate.
        """
        return self.start + np.asarray(step, float) / (self.sampling_rate or 1.0)
