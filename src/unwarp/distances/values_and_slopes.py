"""The sum of elastic distances of values and of slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.distances.elastic import ADTW, MSM
from unwarp.missing import interpolate_missing

MAX_STEPS = 128
"""Greatest number of time steps of a series; longer ones are averaged over even boxes."""

SMALLEST_UNIT = 1e-6
"""Lower bound of standard deviations and units, so that ratios are finite."""


@dataclass(frozen=True)
class ValuesAndSlopes:
    """Sum of three elastic distances: two of values, one of slopes.

    They are ADTW of values, MSM of values and MSM of slopes. Values see levels and large waves,
    slopes see short ripples. Series are averaged to at most 128
    time steps and divided by their standard deviation; slopes are the differences of successive
    steps, divided by theirs. Each of the three distances is divided by its unit, the geometric mean
    of two numbers: its mean over all pairs, and its mean from a series to the nearest other one. A
    distance by which no other series is near, because it sees mostly noise, thus counts less.

    Attributes:
        value_sd: Standard deviation of the values.
        slope_sd: Standard deviation of the slopes of standardised values.
        units: Units of the three distances.

    >>> x = torch.randn(6, 1, 20, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    >>> ValuesAndSlopes.of(x)(x, x[:2]).shape
    torch.Size([6, 2])
    """

    value_sd: float
    slope_sd: float
    units: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def of(cls, x: Tensor) -> Self:
        """The distance for a collection, with its standard deviations and units.

        Args:
            x: Series (N, C, T), NaN at missing values; time and memory grow with the square of N,
                so give a sample of large collections.
        """
        short = shorten(x)
        value_sd = _standard_deviation(short)
        slope_sd = _standard_deviation(slopes(short / value_sd))
        distance = cls(value_sd, slope_sd)
        if len(x) < 2:
            return distance
        adtw, values, changes = (unit_of(part) for part in distance.parts(x, x))
        return cls(value_sd, slope_sd, (adtw, values, changes))

    def parts(self, x: Tensor, y: Tensor) -> Tensor:
        """The three distances of all pairs, each in its unit.

        Args:
            x: First series (N, C, T), NaN at missing values.
            y: Second series (M, C, S).

        Returns:
            Distances (3, N, M).
        """
        x, y = (shorten(series) / self.value_sd for series in (x, y))
        rises = slopes(x) / self.slope_sd, slopes(y) / self.slope_sd
        # the penalty is in units of the variance of a time step, summed over channels
        adtw = ADTW(penalty=ADTW().penalty * x.shape[1])
        distances = torch.stack([adtw(x, y), MSM()(x, y), MSM()(*rises)])
        return distances / distances.new_tensor(self.units)[:, None, None]

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
    pairs = distances.double().clone()
    n = len(pairs)
    mean = (pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1))
    nearest = pairs.fill_diagonal_(torch.inf).amin(1).mean()
    return max(float((mean * nearest).sqrt()), SMALLEST_UNIT)


def _standard_deviation(x: Tensor) -> float:
    """Standard deviation of all observed values."""
    observed = x[~x.isnan()].double()
    return max(float(observed.std(correction=0)) if len(observed) else 0.0, SMALLEST_UNIT)
