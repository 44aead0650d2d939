"""`Clock` gives the times of evenly spaced steps."""

from __future__ import annotations

import numpy as np

from unwarp.data.clock import Clock


def test_steps_are_spaced_by_the_rate() -> None:
    """Step i is at `start + i / sampling_rate`, also between two steps."""
    clock = Clock(sampling_rate=4.0, start=-1.0)
    np.testing.assert_array_equal(clock.time_of(np.array([0, 1, 6])), [-1.0, -0.75, 0.5])
    assert float(clock.time_of(0.5)) == -0.875


def test_time_may_count_steps() -> None:
    """Without a sampling rate, times are step numbers after the start."""
    assert Clock(start=2.0).time_of(np.arange(3)).tolist() == [2.0, 3.0, 4.0]
