"""Lags and tempos to a hundredth of a time step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unwarp.models.lags.matching import Observations, Poses, Templates, centred, middle

MEDIAN_OF_CHI_SQUARE = 0.455
"""Median of the square of a standard normal number, so that a few bad series do not count."""

N_STEPS = 4
"""Gauss-Newton steps of a refinement."""

MAX_LAG_STEP, MAX_LAG_CHANGE = 0.5, 1.0
"""Greatest change of a lag in one step and in all, in time steps of the template."""

MIN_FRACTION_STATISTIC = 2.0
"""Squared change of lags, in units of its expected error, from which fractions are real.

Lags that are whole numbers give about 1. If the lags are not whole, fractions have the smaller
error of the two from 2 on.
"""


@dataclass(frozen=True)
class Refinement:
    """Refined poses, and the evidence for the fractions of their lags.

    Attributes:
        poses: The refined poses.
        change: Squared change of each lag (N,), in units of its expected error.

    >>> Refinement(Poses.unmoved(2), torch.zeros(2)).has_fractions
    False
    """

    poses: Poses
    change: Tensor

    @property
    def has_fractions(self) -> bool:
        """Whether the lags of all series together are significantly no whole numbers."""
        median = self.change.median() / MEDIAN_OF_CHI_SQUARE
        return bool(torch.minimum(median, self.change.mean()) > MIN_FRACTION_STATISTIC)


def refine(
    x: Observations, templates: Templates, poses: Poses, tempo_step: float = 0.0
) -> Refinement:
    """Refine lags, and tempos if there are several, to least squared error.

    Args:
        x: N series.
        templates: The templates.
        poses: Poses of the series, near those of least error.
        tempo_step: Distance of two tempos of the search in logarithms; 0 to leave tempos as they
            are.

    Returns:
        The refined poses, at most a time step and a tempo step away, with their errors.
    """
    dtype = torch.float32 if x.values.device.type == "mps" else torch.float64
    values, mask = x.values.to(dtype), x.mask.to(dtype)
    rows, times = poses.template, centred(values)
    curves, weights = (part[rows].to(dtype) for part in (templates.values, templates.weights))
    lag, log_tempo = poses.lag.to(dtype), poses.log_tempo.to(dtype)
    for _ in range(N_STEPS):
        points = times * log_tempo.exp()[:, None] - lag[:, None]
        expected, slope, weight = _cubic(curves, weights, points + middle(curves))
        residual, weight = values - expected, weight * mask
        gradients = [-slope, slope * (times * log_tempo.exp()[:, None])[:, None]]
        gradient = torch.stack(gradients[: 1 + bool(tempo_step)], -1)
        hessian = torch.einsum("nct,ncta,nctb->nab", weight, gradient, gradient)
        # a ridge far below any curvature that matters: a flat series stays where it is
        hessian = hessian + 1e-9 * torch.eye(hessian.shape[-1], dtype=dtype, device=lag.device)
        product = torch.einsum("nct,nct,ncta->na", weight, residual, gradient)
        step = torch.linalg.solve(hessian, product)
        lag = lag + step[:, 0].clamp(-MAX_LAG_STEP, MAX_LAG_STEP)
        if tempo_step:
            log_tempo = log_tempo + step[:, 1].clamp(-tempo_step / 2, tempo_step / 2)
    variance = (weight * residual.square()).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1e-9)
    change = lag - poses.lag
    statistic = change.square() * hessian[:, 0, 0] / variance.clamp_min(1e-12)
    tempo_change = (log_tempo - poses.log_tempo).clamp(-tempo_step, tempo_step)
    is_unmatched = poses.error.isinf()
    refined = replace(
        poses,
        error=torch.where(is_unmatched, poses.error, variance.to(poses.error)),
        lag=poses.lag + change.clamp(-MAX_LAG_CHANGE, MAX_LAG_CHANGE).to(poses.lag),
        log_tempo=poses.log_tempo + tempo_change.to(poses.lag),
    )
    return Refinement(refined, statistic)


def _cubic(values: Tensor, weights: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Catmull-Rom interpolation.

    Args:
        values: Curves (N, C, S).
        weights: Their weights (N, C, S).
        points: Time steps of the curves (N, P).

    Returns:
        Values, slopes and weights (N, C, P); the weight is the least of the four neighbours.
    """
    last = values.shape[-1] - 1
    left = points.floor()
    share = (points - left)[:, None]
    index = left.long()[:, None].expand(-1, values.shape[1], -1)
    neighbours = [(index + k).clamp(0, last) for k in (-1, 0, 1, 2)]
    a, b, c, d = (values.gather(-1, rows) for rows in neighbours)
    weight = torch.stack([weights.gather(-1, rows) for rows in neighbours]).amin(0)
    is_inside = ((left >= 1) & (left <= last - 2))[:, None]
    start, end = (c - a) / 2, (d - b) / 2
    square, cube = 3 * (c - b) - 2 * start - end, 2 * (b - c) + start + end
    value = b + share * (start + share * (square + share * cube))
    slope = start + share * (2 * square + 3 * share * cube)
    return value, slope, weight * is_inside
