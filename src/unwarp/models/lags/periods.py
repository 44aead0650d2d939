"""The period of periodic series, in which lags are circular."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.models.lags.matching import Observations

MIN_PERIOD = 4
"""Least period, in time steps."""

MAX_ERROR_RATIO = 1.5
"""Squared error of series against themselves a period later, in errors of their templates."""

MIN_VARIANCE_RATIO = 4.0
"""Greatest error at lags below the period, divided by the error at the period."""


def self_errors(x: Observations) -> Tensor:
    """Mean squared errors of series against themselves at all lags.

    They are divided by 2, so that they are those of a template without noise.

    Args:
        x: N series of length T.

    Returns:
        Errors (T // 2 + 1,), over all series and channels.
    """
    length = x.values.shape[-1]

    def correlate(a: Tensor, b: Tensor) -> Tensor:
        product = torch.fft.rfft(a, 2 * length).conj() * torch.fft.rfft(b, 2 * length)
        errors = torch.fft.irfft(product, 2 * length).sum((0, 1))[: length // 2 + 1]
        return torch.as_tensor(errors)

    squares = correlate(x.mask, x.values.square()) + correlate(x.values.square(), x.mask)
    overlap = correlate(x.mask, x.mask).clamp_min(1)
    return (squares / 2 - correlate(x.values, x.values)) / overlap


def find_period(x: Observations, error: float) -> float:
    """The least lag at which series match themselves; 0 for none.

    Args:
        x: Standardised series, of one period if any.
        error: Mean squared error of the series against their templates.

    Returns:
        The period in time steps, from parabolas at its multiples; 0 if there is none.
    """
    errors = self_errors(x).tolist()
    for step in range(MIN_PERIOD, len(errors) - 1):
        place = vertex(errors, step)
        if place is None:
            continue
        least = place[1]
        is_equal = least < MAX_ERROR_RATIO * error
        if is_equal and max(errors[:step]) > MIN_VARIANCE_RATIO * max(least, 0.0):
            return _period_of_multiples(errors, place[0])
    return 0.0


def vertex(values: list[float], step: int) -> tuple[float, float] | None:
    """The minimum of the parabola through three values.

    Args:
        values: Values at whole steps.
        step: The middle one of the three.

    Returns:
        Place and value of the minimum; None if the middle value is not the least of the three.
    """
    left, middle, right = values[step - 1 : step + 2]
    if middle > left or middle > right:
        return None
    curvature = left - 2 * middle + right
    offset = (left - right) / (2 * curvature) if curvature > 0 else 0.0
    return step + offset, middle - (left - right) * offset / 4


def _period_of_multiples(values: list[float], period: float) -> float:
    """The period from the parabola at its greatest multiple."""
    for multiple in range(2, int((len(values) - 2) / period) + 1):
        near = range(max(1, round(multiple * period) - 2), round(multiple * period) + 3)
        steps = [step for step in near if step < len(values) - 1]
        place = vertex(values, min(steps, key=values.__getitem__)) if steps else None
        period = place[0] / multiple if place else period
    return period


def fold(lag: Tensor, period: float) -> Tensor:
    """Lags within half a period: multiples of the period are removed.

    Args:
        lag: Lags (N,).
        period: The period, in the unit of the lags.

    >>> fold(torch.tensor([7.0, 4.0]), 10.0)
    tensor([-3.,  4.])
    """
    return lag - period * (lag / period).round()


def circular_mean(lag: Tensor, period: float) -> float:
    """The mean of lags on a circle.

    Args:
        lag: Lags (N,).
        period: The period, in the unit of the lags.
    """
    angle = lag.double().cpu() * (2 * math.pi / period)
    return float(torch.atan2(angle.sin().mean(), angle.cos().mean())) * period / (2 * math.pi)
