"""Levelled series: without spikes, trends and gains.

Levels and trends tell kinds of series apart in some collections, and are chance in others. They are
chance if levelling raises the contrast clearly. The contrast is the mean distance over the mean
distance to the nearest other series, without labels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from unwarp.core import Array
from unwarp.data.blocks import row_blocks
from unwarp.data.scaling import Scaler
from unwarp.distances import MSM
from unwarp.distances.values_and_slopes import SMALLEST_UNIT, mean_and_nearest, shorten
from unwarp.missing import interpolate_missing

MIN_CONTRAST_GAIN = 1.25
"""Factor by which levelling must raise the contrast, so that levelled series are compared."""

MIN_CHANCE = 0.5
"""Least ratio of variances, of series alike in shape and of all series, at which levels and trends
are chance."""

MIN_SERIES, MIN_STEPS = 12, 24
"""Least numbers of series and of time steps whose levels are judged: fewer tell little."""

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
    centred, sd, _ = _parts(x)
    return (centred / sd.clamp_min(SMALLEST_UNIT)).masked_fill(x.isnan(), torch.nan)


def trend(x: Tensor) -> Tensor:
    """Linear trends of series, with mean 0 over the observed time steps.

    Args:
        x: Series (N, C, T), NaN in gaps.

    Returns:
        Trends (N, C, T), without gaps.

    >>> trend(torch.tensor([[[5.0, 7.0, 9.0]]])).round().tolist()
    [[[-2.0, 0.0, 2.0]]]
    """
    return _parts(x)[2]


def level_scaler(x: Array) -> Scaler:
    """The scale of each channel of each series, without trend and spikes.

    Args:
        x: Finite series (N, C, T).

    Returns:
        A scale for these N series only, with offset and factor (N, C, 1). The spread of a channel
        around its trend becomes 1; a channel without spread becomes 0.
    """
    offset, factor = np.empty((*x.shape[:2], 1)), np.empty((*x.shape[:2], 1))
    for rows in row_blocks(x):
        part = torch.from_numpy(np.asarray(x[rows], dtype=np.float64))
        # the mean of large equal values may differ from them by rounding
        first = part[..., :1]
        centred, sd, line = _parts(part - first)
        rest = _median_of_three(part - first - line) - centred
        offset[rows] = (first + rest.mean(2, keepdim=True)).numpy()
        is_flat = sd <= SMALLEST_UNIT * (part - first).abs().amax(2, keepdim=True)
        factor[rows] = torch.where(is_flat, 1.0, sd).numpy()
    return Scaler(offset, factor)


def reason_to_level(x: Array, seed: int = 0) -> str:
    """The reason to level series, in words; empty if there is none.

    Args:
        x: Finite series (N, C, T); up to 128 of them are compared.
        seed: Seed of their choice.
    """
    if len(x) < MIN_SERIES or x.shape[2] < MIN_STEPS:
        return ""
    rows = np.sort(np.random.default_rng(seed).permutation(len(x))[:MAX_SERIES])
    series = np.asarray(x[rows], dtype=np.float64)
    series -= series.mean((0, 2), keepdims=True)
    sizes = np.abs(series).max()
    if not (np.isfinite(sizes) and sizes > 0):
        return ""
    scaled = torch.from_numpy((series / sizes).astype(np.float32))
    before, after = contrast(scaled), contrast(levelled(scaled))
    chance = _chance(scaled)
    if after <= MIN_CONTRAST_GAIN * before or chance < MIN_CHANCE:
        return ""
    return (
        "without levels, trends and gains two series are on average "
        f"{after:.1f} times as far apart as the nearest two, with them {before:.1f} times, and "
        f"levels and trends of series alike in shape vary {chance:.0%} as much as of all series"
    )


def _chance(x: Tensor) -> float:
    """Variation of levels and trends of series alike in shape, over that of all series.

    It is about 1 if levels and trends are chance, and about 0 if series alike in shape share them.
    Of levels and of trends, the lesser of the two ratios counts.

    Args:
        x: Series (N, C, T).
    """
    distances = _distances(levelled(x)).fill_diagonal_(torch.inf)
    nearest = distances.argmin(1)
    ratios = []
    for part in (x.mean(2), trend(x)[..., -1]):
        of_neighbours = (part - part[nearest]).square().mean(0).sum() / 2
        ratios.append(float(of_neighbours / part.var(0).sum().clamp_min(SMALLEST_UNIT**2)))
    return min(ratios)


def _parts(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Series without trend and spikes, with mean 0; their standard deviation; and the trend.

    Args:
        x: Series (N, C, T), NaN in gaps.

    Returns:
        Tensors (N, C, T), (N, C, 1) and (N, C, T), without gaps.
    """
    filled, weights = interpolate_missing(x), (~x.isnan()).to(x)
    weights = weights / weights.sum(2, keepdim=True).clamp_min(1)
    time = torch.linspace(-1, 1, x.shape[2], dtype=x.dtype, device=x.device).expand(x.shape)
    time = time - (time * weights).sum(2, keepdim=True)
    slope = (filled * time * weights).sum(2, keepdim=True)
    slope = slope / (time.square() * weights).sum(2, keepdim=True).clamp_min(SMALLEST_UNIT)
    rest = _median_of_three(filled - slope * time)
    rest = rest - (rest * weights).sum(2, keepdim=True)
    sd = (rest.square() * weights).sum(2, keepdim=True).sqrt()
    return rest, sd, slope * time


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
    observed, after = contrast(x), contrast(levelled(x))
    is_levelled = after > MIN_CONTRAST_GAIN * observed
    return is_levelled, after if is_levelled else observed


def contrast(x: Tensor) -> float:
    """The mean distance of series over that to the nearest other one.

    Args:
        x: Series (N, C, T), NaN in gaps.
    """
    mean, nearest = mean_and_nearest(_distances(x))
    return mean / max(nearest, SMALLEST_UNIT)


def _distances(x: Tensor) -> Tensor:
    """Elastic distances (N, N) of values of series (N, C, T)."""
    short = shorten(x)
    sd = short[~short.isnan()].std(correction=0).clamp_min(SMALLEST_UNIT)
    return MSM()(short / sd, short / sd)
