"""The sum of elastic distances of values and of slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.distances.elastic import ADTW, MSM
from unwarp.missing import interpolate_missing

MAX_STEPS = 128
"""Greatest number of time steps of a series; longer ones are averaged over even boxes."""

SMALLEST_DISTANCE = 1e-4
"""Lower bound of the unit of a distance; smaller distances of standardised series are rounding."""

SMALLEST_UNIT = 1e-6
"""Lower bound of standard deviations and units, so that ratios are finite."""


@dataclass(frozen=True)
class ValuesAndSlopes:
    """Sum of three elastic distances: two of values, one of slopes.

    They are ADTW of values, MSM of values and MSM of slopes. Values see levels and large waves,
    slopes see short ripples. Series are averaged to at most 128 time steps, and each channel is
    divided by its standard deviation; slopes are the differences of successive steps, divided by
    theirs. Each of the three distances is divided by its unit, the geometric mean of two numbers:
    its mean over all pairs, and its mean from a series to the nearest other one. A distance by
    which no other series is near, because it sees mostly noise, thus counts less.

    Attributes:
        value_sds: Standard deviation of the values of each channel (C,).
        slope_sds: Standard deviation of the slopes of each standardised channel (C,).
        units: Units of the three distances; a distance with an infinite unit does not count.

    >>> x = torch.randn(6, 1, 20, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    >>> ValuesAndSlopes.of(x)(x, x[:2]).shape
    torch.Size([6, 2])
    """

    value_sds: tuple[float, ...]
    slope_sds: tuple[float, ...]
    units: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def of(cls, x: Tensor) -> Self:
        """The distance for a collection, with its standard deviations and units.

        Args:
            x: Series (N, C, T), NaN at missing values; time and memory grow with the square of N,
                so give a sample of large collections.
        """
        short = shorten(x)
        value_sds = standard_deviations(short)
        slope_sds = standard_deviations(slopes(divide(short, value_sds)))
        distance = cls(value_sds, slope_sds)
        if len(x) < 2:
            return distance
        adtw, values, changes = (unit_of(part) for part in distance.parts(x, x))
        return cls(value_sds, slope_sds, (adtw, values, changes))

    def parts(self, x: Tensor, y: Tensor) -> Tensor:
        """The three distances of all pairs, each in its unit.

        Args:
            x: First series (N, C, T), NaN at missing values.
            y: Second series (M, C, S).

        Returns:
            Distances (3, N, M).
        """
        x, y = (divide(shorten(series), self.value_sds) for series in (x, y))
        rises = (divide(slopes(series), self.slope_sds) for series in (x, y))
        # the penalty is in units of the variance of a time step, summed over channels
        adtw = ADTW(penalty=ADTW().penalty * x.shape[1])
        terms = ((adtw, (x, y)), (MSM(), (x, y)), (MSM(), tuple(rises)))
        distances = torch.stack(
            [
                distance(*pair) if math.isfinite(unit) else x.new_zeros(len(x), len(y))
                for (distance, pair), unit in zip(terms, self.units, strict=True)
            ]
        )
        return distances / distances.new_tensor(self.units)[:, None, None]

    def weighted(self, weights: Sequence[float]) -> Self:
        """The distance with each of its parts multiplied by a weight.

        Args:
            weights: Weights of the three distances; those of weight 0 are not computed.

        >>> ValuesAndSlopes((1.0,), (1.0,)).weighted((1.0, 0.5, 0.0)).units
        (1.0, 2.0, inf)
        """
        adtw, values, changes = (
            unit / weight if weight else math.inf
            for unit, weight in zip(self.units, weights, strict=True)
        )
        return replace(self, units=(adtw, values, changes))

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of the three distances of all pairs (N, M); arguments as for `parts`."""
        return self.parts(x, y).sum(0)


def shorten(x: Tensor, n_steps: int = MAX_STEPS) -> Tensor:
    """Series with fewer time steps, averaged over even boxes of time.

    Args:
        x: Series (N, C, T), NaN at missing values.
        n_steps: Greatest number of time steps.

    Returns:
        Series (N, C, min(T, n_steps)); NaN where a box has no observed value.

    >>> shorten(torch.tensor([[[1.0, 3.0, 5.0, torch.nan]]]), 2).flatten().tolist()
    [2.0, 5.0]
    """
    if x.shape[2] <= n_steps:
        return x
    if not x.isnan().any():
        return F.adaptive_avg_pool1d(x, n_steps)
    share = F.adaptive_avg_pool1d((~x.isnan()).to(x), n_steps)
    means = F.adaptive_avg_pool1d(x.nan_to_num(0.0), n_steps) / share.clamp_min(1e-12)
    return means.masked_fill(share == 0, torch.nan)


def slopes(x: Tensor) -> Tensor:
    """Differences of successive time steps, with gaps between observed values filled linearly.

    Args:
        x: Series (N, C, T), NaN at missing values.

    Returns:
        Differences (N, C, T - 1); NaN before the first and after the last observed value. A series
        with a single value has one difference, 0.

    >>> slopes(torch.tensor([[[torch.nan, 1.0, torch.nan, 5.0]]])).flatten().tolist()
    [nan, 2.0, 2.0]
    """
    if x.shape[2] == 1:
        return torch.zeros_like(x)
    is_observed = ~x.isnan()
    # observed before or now, and now or later
    is_inside = is_observed.cummax(-1).values & is_observed.flip(-1).cummax(-1).values.flip(-1)
    rises = interpolate_missing(x).masked_fill(~is_inside, torch.nan).diff(dim=-1)
    has_none = rises.isnan().all(-1).all(-1)
    rises[has_none, :, 0] = 0.0
    return rises


def unit_of(distances: Tensor) -> float:
    """The unit of a distance: between the mean and the nearest distance.

    It is the geometric mean of the mean over all pairs and of the mean distance from a series to
    the nearest other one.

    Args:
        distances: Distances of all pairs of a collection (N, N).
    """
    mean, nearest = mean_and_nearest(distances)
    return max(math.sqrt(mean * nearest), SMALLEST_DISTANCE)


def mean_and_nearest(distances: Tensor) -> tuple[float, float]:
    """The mean distance, and the mean distance to the nearest other series.

    Args:
        distances: Distances of all pairs of a collection (N, N), N at least 2.

    >>> mean_and_nearest(torch.tensor([[0.0, 1.0, 3.0], [1.0, 0.0, 5.0], [3.0, 5.0, 0.0]]))
    (3.0, 1.6666666666666667)
    """
    pairs, n = distances.double().clone(), len(distances)
    mean = (pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1))
    return float(mean), float(pairs.fill_diagonal_(torch.inf).amin(1).mean())


def standard_deviations(x: Tensor) -> tuple[float, ...]:
    """Standard deviations of the observed values of each channel.

    Args:
        x: Series (N, C, T), NaN at missing values.

    Returns:
        C numbers above 0. A channel without variation has the largest of them.
    """
    channels = x.transpose(0, 1).flatten(1).double()
    means = channels.nanmean(1, keepdim=True)
    sds = (channels - means).square().nanmean(1).sqrt().nan_to_num(0.0)
    largest = sds.amax().clamp_min(SMALLEST_UNIT)
    return tuple(torch.where(sds > SMALLEST_UNIT * largest, sds, largest).tolist())


def divide(x: Tensor, sds: Sequence[float]) -> Tensor:
    """Series (N, C, T) with each channel divided by its standard deviation.

    Args:
        x: Series.
        sds: Standard deviations (C,).
    """
    return x / x.new_tensor(sds)[:, None]
