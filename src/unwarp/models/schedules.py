"""Schedules: functions from a training step to a number."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]
"""From a step, 0 for the first, to the value at this step. Steps may be fractions."""


def ramp(start: float, stop: float, steps: int) -> Schedule:
    """A schedule that changes linearly and then stays level.

    Used for the capacity of a beta-VAE (Burgess et al. 2018), which rises while the model learns.

    Args:
        start: Value at step 0.
        stop: Value from `steps` on; it may be smaller than `start`.
        steps: Length of the change; 0 counts as 1.

    Returns:
        The schedule.

    >>> [ramp(0.0, 4.0, 10)(step) for step in (0, 5, 10, 99)]
    [0.0, 2.0, 4.0, 4.0]
    """
    return lambda step: start + (stop - start) * min(1.0, step / max(1, steps))


def warm_cosine(warmup: int, steps: int, floor: float) -> Schedule:
    """A schedule with a linear warm-up, then half a cosine down.

    (step + 1) / warmup before `warmup`; then f + (1 - f) (1 + cos(pi t)) / 2, with f the floor and
    t the share of the remaining steps that have passed (cosine annealing, Loshchilov and Hutter
    2017, SGDR). After `steps` it stays at the floor.

    Args:
        warmup: Steps until the value is 1; 0 for no warm-up.
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
