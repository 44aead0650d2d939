"""Series at another number of time steps, in the same frame.

Convention:
    A frame is the time from the first step to the last, so that the first and the last step stay
    where they are, and a map of time holds at any number of steps.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

MIN_SHARE_OBSERVED = 0.5
"""Least share of the time of a new step that observed steps cover; else it is missing."""


def resize_steps(x: Tensor, length: int) -> Tensor:
    """Series at another number of evenly spaced steps.

    Fewer steps are averages: each new step is the mean of the steps that are nearer to it than to
    its neighbours. The mean at an end, which has a neighbour on one side only, is moved to the end
    along the line to the next one. More steps are interpolated by cubic polynomials (Catmull and
    Rom), which keep straight lines.

    Args:
        x: Series (N, C, T); NaN marks missing values.
        length: Number of steps of the result.

    Returns:
        Series (N, C, length), NaN where less than half of a step was observed; `x` itself if it has
        this length.

    >>> resize_steps(torch.arange(9.0).expand(1, 1, 9), 3).tolist()
    [[[0.0, 4.0, 8.0]]]
    """
    n = x.shape[-1]
    if n == length:
        return x
    if length > n or min(n, length) < 2:
        return _interpolate(x, length)
    # a sum is NaN if any value is
    if not x.sum().isnan():
        return _move_ends(_means(x, length), n).to(x.dtype)
    is_observed = ~x.isnan()
    weight = _means(is_observed.double(), length)
    means = _means(x.nan_to_num(), length) / weight.clamp_min(MIN_SHARE_OBSERVED)
    means = means.masked_fill(weight < MIN_SHARE_OBSERVED, torch.nan)
    return torch.where(weight < 1, means, _move_ends(means, n)).to(x.dtype)


def _interpolate(x: Tensor, length: int) -> Tensor:
    """Series (N, C, length) by cubic interpolation, which goes on straight beyond the ends."""
    if x.shape[-1] < 2:
        return x.expand(*x.shape[:-1], length)
    places = torch.linspace(0, x.shape[-1] - 1, length, dtype=x.dtype, device=x.device)
    first = places.long().clamp_max(x.shape[-1] - 2)
    t = places - first
    ends = 2 * x[..., [0, -1]] - x[..., [1, -2]]
    padded = torch.cat([ends[..., :1], x, ends[..., 1:]], -1)
    a, b, c, d = (padded[..., first + k] for k in range(4))
    slope, end_slope, rise = (c - a) / 2, (d - b) / 2, c - b
    return b + t * (
        slope + t * (3 * rise - 2 * slope - end_slope + t * (slope + end_slope - 2 * rise))
    )


def _means(x: Tensor, length: int) -> Tensor:
    """Means (N, C, length) of all that is nearest to each new step; float64."""
    n = x.shape[-1]
    steps = torch.arange(length + 1, dtype=torch.float64, device=x.device)
    # step i of x covers the time from i to i + 1
    edges = ((steps - 0.5) * ((n - 1) / (length - 1)) + 0.5).clamp(0, n)
    sums = F.pad(x.double().cumsum(-1), (1, 0))
    whole = edges.long().clamp_max(n - 1)
    upto = sums[..., whole] + (edges - whole) * x.double()[..., whole]
    return upto.diff() / edges.diff()


def _move_ends(means: Tensor, n: int) -> Tensor:
    """Means with the first and the last one at the ends of the frame; none becomes missing."""
    if means.shape[-1] < 3:
        return means
    places = _means(torch.arange(n, device=means.device), means.shape[-1])
    share = float(places[0] / (places[1] - places[0]))
    first = _line(means[..., 0], means[..., 1], share)
    last = _line(means[..., -1], means[..., -2], share)
    result = torch.cat([first[..., None], means[..., 1:-1], last[..., None]], -1)
    return torch.where(result.isnan(), means, result)


def _line(end: Tensor, inner: Tensor, share: float) -> Tensor:
    """Values on lines from `inner` through `end`, a share of the way beyond the end."""
    return end + (end - inner) * share
