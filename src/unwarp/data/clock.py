"""The time axis of evenly spaced series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unwarp.core import Array


@dataclass(frozen=True)
class Clock:
    """Times of the steps of evenly spaced series.

    Step i is at `start + i / sampling_rate`.
    A schema keeps one for the series it was fitted on. All aligned series share it, and `times_` of
    the estimator are its times.

    Attributes:
        sampling_rate: Steps per second; None if time is counted in steps.
        start: Time of the first step, in seconds or steps.
        any_length: Whether series may have any length, because those of the training data differ in
            length or have time stamps; else all must be as long as those.

    >>> Clock(sampling_rate=4.0, start=1.0).time_of(np.arange(3)).tolist()
    [1.0, 1.25, 1.5]
    """

    sampling_rate: float | None = None
    start: float = 0.0
    any_length: bool = False

    def time_of(self, step: float | Array) -> Array:
        """The times of given steps.

        Args:
            step: Step numbers from 0, of any shape; fractions lead between two steps.

        Returns:
            Times of the same shape, in seconds, or in steps if there is no sampling rate.
        """
        return self.start + np.asarray(step, float) / (self.sampling_rate or 1.0)
