"""The fit of a search for lags: templates, reach and period."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unwarp.models.lags.clustering import Fit, Grid, centre, choose_number, fit_templates
from unwarp.models.lags.matching import Observations, Poses, Templates, average
from unwarp.models.lags.periods import circular_mean, find_period, fold
from unwarp.models.lags.refinement import refine
from unwarp.models.lags.registration import register

SLACK = 4 / 3
"""Reach of a search, divided by the greatest lag or tempo of the training series."""

N_REFINEMENTS = 3
"""Number of times that poses are refined, and templates averaged at the refined poses."""

TEMPO_REACH, MAX_TEMPO_REACH = 0.2, 0.4
"""Range of log tempos to try, and a wider one for tempos that reach its end."""

SHARES_OF_LENGTH = (8, 4, 2)
"""Ranges of lags to try, from an eighth of the length to half of it."""

MAX_ERROR_RATIO, MAX_EXCESS_ERROR = 1.1, 0.005
"""Error of a smaller range, divided by the least error, and what it may have besides."""

MIN_TEMPO_STEP, STEPS_OF_TEMPO = 0.01, 8.0
"""Distance of two log tempos: the first number, or the second one divided by the length."""

MAX_SHARE_AT_END = 0.05
"""Share of the series that may lie in the last quarter of a range before it is widened."""


@dataclass(frozen=True)
class LagFit:
    """A fitted search for lags.

    Attributes:
        templates: Templates on a canvas of twice the length of a series, or a little more.
        reach: Greatest lag to search, in time steps.
        period: Period of the series in time steps; 0 if they have none.
        tempo_reach: Greatest log tempo to search; 0 for none.
        has_fractions: Whether lags are no whole time steps.
    """

    templates: Templates
    reach: int
    period: float
    tempo_reach: float
    has_fractions: bool


def full_size(length: int) -> int:
    """Length of a canvas that holds lags of half a length."""
    return length + 2 * (length // 2)


def tempo_step(length: int) -> float:
    """Distance of two log tempos, for series of a length."""
    return max(MIN_TEMPO_STEP, STEPS_OF_TEMPO / length)


def tempo_grid(reach: float, length: int) -> Tensor:
    """Log tempos (G,) from -reach to reach, 0 included.

    Args:
        reach: Greatest log tempo; 0 for the tempo 1 alone.
        length: Number of time steps of a series.
    """
    n = math.ceil(reach / tempo_step(length))
    return torch.arange(-n, n + 1) * (reach / max(n, 1))


def fit_lags(x: Tensor, n_max: int, *, has_tempo: bool = False, seed: int = 0) -> LagFit:
    """Fit a search to series.

    Args:
        x: Series (N, C, T), NaN in gaps.
        n_max: Greatest number of templates.
        has_tempo: Whether series may be hurried or slowed.
        seed: Seed of random starts.

    Returns:
        The fitted search.
    """
    series, length = Observations.of(x).standardise(), x.shape[-1]
    n, log_tempos = _choose_grid(series, n_max, length // 2, has_tempo, seed)
    fit = _fit_in_reach(series, n, log_tempos, seed)
    period = find_period(series, fit.error)
    if period:
        half = _half(period, length)
        n, log_tempos = _choose_grid(series, n_max, half, has_tempo, seed)
        fit = fit_templates(series, n, Grid(length + 2 * half, log_tempos), seed)
    poses = replace(fit.poses, lag=fit.poses.lag - register(fit)[fit.poses.template])
    fit = _average_again(fit, _centre_all(poses, period))
    fit, has_fractions = _refine(fit, tempo_step(length) if has_tempo else 0.0, period)
    greatest = math.ceil(SLACK * float(fit.poses.lag.abs().max()) + 1e-6)
    reach = _half(period, length) if period else min(length // 2, max(1, greatest))
    templates = fit.templates.pad(full_size(length))
    return LagFit(templates, reach, period, _tempo_reach(fit.poses, length), has_fractions)


def _half(period: float, length: int) -> int:
    """Reach of a search in a period."""
    return min(length // 2, math.ceil(period / 2) + 1)


def _choose_grid(
    x: Observations, n_max: int, reach: int, has_tempo: bool, seed: int
) -> tuple[int, Tensor]:
    """The number of templates for lags within a reach, and the log tempos to try."""
    length = x.values.shape[-1]
    log_tempos = tempo_grid(TEMPO_REACH * has_tempo, length).to(x.values)
    n = choose_number(x, n_max, Grid(length + 2 * reach, log_tempos), seed)
    if has_tempo:
        poses = fit_templates(x, n, Grid(length + 2 * reach, log_tempos), seed).poses
        if not _is_within(poses.log_tempo, TEMPO_REACH):
            log_tempos = tempo_grid(MAX_TEMPO_REACH, length).to(x.values)
    return n, log_tempos


def _fit_in_reach(x: Observations, n: int, log_tempos: Tensor, seed: int) -> Fit:
    """Templates for lags in the least reach that explains the series as well as a larger one."""
    length = x.values.shape[-1]
    reaches = [max(1, length // share) for share in SHARES_OF_LENGTH]
    fits = [fit_templates(x, n, Grid(length + 2 * reach, log_tempos), seed) for reach in reaches]
    limit = MAX_ERROR_RATIO * min(fit.error for fit in fits) + MAX_EXCESS_ERROR
    candidates = [
        fit
        for fit, reach in zip(fits, reaches, strict=True)
        if fit.error <= limit and (_is_within(fit.poses.lag, reach) or reach == max(reaches))
    ]
    return candidates[0] if candidates else min(fits, key=lambda fit: fit.error)


def _tempo_reach(poses: Poses, length: int) -> float:
    """Greatest log tempo to search, with slack; 0 if all tempos are 1."""
    greatest = SLACK * float(poses.log_tempo.abs().max())
    return min(MAX_TEMPO_REACH, max(tempo_step(length), greatest)) if greatest else 0.0


def _is_within(numbers: Tensor, reach: float) -> bool:
    """Whether few of the numbers (N,) lie near the end of a range."""
    return bool((numbers.abs() > reach / SLACK).float().mean() <= MAX_SHARE_AT_END)


def _centre_all(poses: Poses, period: float) -> Poses:
    """Poses relative to templates that all moved together, with the median lag 0."""
    if period:
        lag = fold(poses.lag - circular_mean(poses.lag, period), period)
        return replace(poses, lag=lag)
    together = centre(replace(poses, template=torch.zeros_like(poses.template)), 1)
    return replace(together, template=poses.template)


def _average_again(fit: Fit, poses: Poses) -> Fit:
    """The fit with templates at other poses, on the whole canvas."""
    size = full_size(fit.x.values.shape[-1])
    return Fit(fit.x, average(fit.x, poses, len(fit.templates.values), size), poses)


def _refine(fit: Fit, step: float, period: float) -> tuple[Fit, bool]:
    """The fit at refined poses, and whether its lags are no whole numbers."""
    refinement = refine(fit.x, fit.templates, fit.poses, step)
    if not (step or refinement.has_fractions):
        return fit, False
    for _ in range(N_REFINEMENTS):
        fit = _average_again(fit, _centre_all(refinement.poses, period))
        refinement = refine(fit.x, fit.templates, fit.poses, step)
    return fit, True
