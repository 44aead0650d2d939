"""Schedules: a step in, a number out."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def ramp(start: float, stop: float, steps: int) -> Schedule:
    """A straight line from `start` to `stop` over `steps` steps, then level."""
    return lambda step: start + (stop - start) * min(1.0, step / max(1, steps))


def warm_cosine(warmup: int, steps: int, floor: float) -> Schedule:
    """A linear rise over `warmup` steps, then half a cosine from 1 to `floor` at `steps`."""

    def value(step: float) -> float:
        if step < warmup:
            return (step + 1) / warmup
        share = min(1.0, (step - warmup) / max(1, steps - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share))

    return value
