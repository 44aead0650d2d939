"""Levelled series: without spikes, trends and gains.

Levels and trends tell kinds of series apart in some collections, and are chance in others. Levelled
series are compared instead of the series themselves if that raises the contrast by a quarter. The
contrast is the mean distance over the mean distance to the nearest other series, without labels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from unwarp.distances import MSM
from unwarp.distances.values_and_slopes import SMALLEST_UNIT, mean_and_nearest, shorten
from unwarp.missing import interpolate_missing

MIN_CONTRAST_GAIN = 1.25
"""Factor by which levelling must raise the contrast, so that levelled series are compared."""

MAX_SERIES = 128
"""Greatest number of series between which distances are computed to decide."""


def levelled(x: Tensor) -> Tensor:
    """Series without spikes and linear trends, and of unit spread.

    The regression line of each channel is subtracted, each value is replaced by the median of three
    successive ones, and the channel is divided by its standard deviation.

    Args:
        x: Series (N, C, T), NaN in gaps.

    Returns:
        Series (N, C, T), NaN in the same gaps.

    >>> wave = torch.sin(torch.arange(6.0))
    >>> levelled(torch.stack([wave, 5 * wave + 7])[:, None]).diff(dim=0).abs().max() < 1e-4
    tensor(True)
    """
    is_gap, filled = x.isnan(), interpolate_missing(x)
    weights = (~is_gap).to(x)
    weights = weights / weights.sum(2, keepdim=True).clamp_min(1)
    time = torch.linspace(-1, 1, x.shape[2], dtype=x.dtype, device=x.device).expand(x.shape)
    time = time - (time * weights).sum(2, keepdim=True)
    slope = (filled * time * weights).sum(2, keepdim=True)
    slope = slope / (time.square() * weights).sum(2, keepdim=True).clamp_min(SMALLEST_UNIT)
    rest = _median_of_three(filled - slope * time)
    rest = rest - (rest * weights).sum(2, keepdim=True)
    sd = (rest.square() * weights).sum(2, keepdim=True).sqrt()
    return (rest / sd.clamp_min(SMALLEST_UNIT)).masked_fill(is_gap, torch.nan)


def _median_of_three(x: Tensor) -> Tensor:
    """The median of each value and its neighbours in time, of series (N, C, T)."""
    if x.shape[2] < 3:
        return x
    return functional.pad(x, (1, 1), mode="replicate").unfold(2, 3, 1).median(-1).values


def levelling_and_contrast(x: Tensor) -> tuple[bool, float]:
    """Whether levelling raises the contrast, and the better contrast.

    Args:
        x: Series (N, C, T) in random order, NaN in gaps; up to 128 of them are compared.
    """
    x = x[:MAX_SERIES]
    if len(x) < 3:
        return False, 1.0
    observed, after = _contrast(x), _contrast(levelled(x))
    is_levelled = after > MIN_CONTRAST_GAIN * observed
    return is_levelled, after if is_levelled else observed


def _contrast(x: Tensor) -> float:
    """The mean distance of values over the mean distance to the nearest other series."""
    short = shorten(x)
    sd = short[~short.isnan()].std(correction=0).clamp_min(SMALLEST_UNIT)
    mean, nearest = mean_and_nearest(MSM()(short / sd, short / sd))
    return mean / max(nearest, SMALLEST_UNIT)
