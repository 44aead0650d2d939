"""Schedules: functions from a training step to a number."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]
"""Function from a step, 0 for the first, to the value at this step. Steps may be fractions."""


def ramp(start: float, stop: float, steps: int) -> Schedule:
    """A schedule that changes linearly and then is constant.

    `BetaVAE` uses it for its capacity, which rises during training (Burgess et al. 2018).

    Args:
        start: Value at step 0.
        stop: Value at step `steps` and after it; it may be smaller than `start`.
        steps: Number of steps of the linear change; 0 counts as 1.

    Returns:
        The schedule.

    >>> [ramp(0.0, 4.0, 10)(step) for step in (0, 5, 10, 99)]
    [0.0, 2.0, 4.0, 4.0]
    """
    return lambda step: start + (stop - start) * min(1.0, step / max(1, steps))


def warm_cosine(warmup: int, steps: int, floor: float) -> Schedule:
    """A schedule that rises linearly, then falls along half a cosine.

    The value is (step + 1) / warmup before step `warmup`. From there to step `steps` it is
    f + (1 - f) (1 + cos(pi t)) / 2, with f = `floor` and t rising linearly from 0 to 1 (cosine
    annealing, Loshchilov and Hutter 2017, SGDR). After `steps` it is f.

    Args:
        warmup: Number of steps of the linear rise; 0 for none.
        steps: Step at which the floor is reached.
        floor: Final value, in [0, 1].

    Returns:
        The schedule, with values in (0, 1] for a positive floor.

    >>> [round(warm_cosine(2, 10, 0.1)(step), 3) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.55, 0.1]
    """

    def value(step: float) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

    return value
