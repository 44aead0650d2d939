"""Templates of series with lags and tempos, by k-means.

fit_templates       templates and poses for a given number of templates
choose_number       the number of templates, by the error of held-out series
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.models.lags.matching import Observations, Poses, Templates, average, clean, match
from unwarp.models.lags.refinement import refine

N_STARTS, N_STARTS_WITH_TEMPOS, N_STARTS_OF_TRIAL = 8, 4, 2
"""Random starts of k-means for lags, for lags and tempos, and for held-out errors."""

MAX_STEPS = 30
"""Greatest number of steps of k-means."""

N_CLEANINGS = 2
"""Number of times that gains, offsets and spikes of the series are found and removed."""

NUMBERS_OF_TEMPLATES = (1, 2, 3, 4, 6, 8)
"""Numbers of templates to try."""

MAX_FAILURES = 2
"""Number of successive numbers of templates without a gain after which no more are tried."""

MIN_GAIN, MIN_SAVING = 0.1, 0.005
"""What more templates must save: this share of the held-out error, and this share of variance."""

MIN_SERIES_PER_TEMPLATE = 4
"""Least number of training series for each template."""

MAX_SERIES_FOR_NUMBER = 128
"""Greatest number of series by which the number of templates is chosen."""


@dataclass(frozen=True)
class Grid:
    """The lags and tempos of a search.

    Attributes:
        size: Length of the canvas: that of a series and twice the greatest lag.
        log_tempos: Logarithms of the tempos (G,).

    >>> Grid(8, torch.zeros(1)).size
    8
    """

    size: int
    log_tempos: Tensor

    @property
    def tempo_step(self) -> float:
        """Distance of two log tempos; 0 for a single one."""
        return float(self.log_tempos[:2].diff().sum())


@dataclass(frozen=True)
class Fit:
    """Templates with the series that they were made from.

    Attributes:
        x: The series, without gains and offsets.
        templates: The templates.
        poses: The poses of the series.

    >>> x = Observations.of(torch.zeros(2, 1, 4))
    >>> Fit(x, Templates(x.values, x.mask), Poses.unmoved(2)).error
    0.0
    """

    x: Observations
    templates: Templates
    poses: Poses

    @property
    def error(self) -> float:
        """Mean squared error of a value, in variances of the series."""
        errors = self.poses.error
        return float(errors.where(errors.isfinite(), errors.new_ones(())).mean())


def fit_templates(
    x: Observations, n: int, grid: Grid, seed: int = 0, n_starts: int | None = None
) -> Fit:
    """Templates by k-means: the best of several random starts.

    Args:
        x: Standardised series.
        n: Number of templates.
        grid: The lags and tempos to try.
        seed: Seed of the first start.
        n_starts: Number of random starts; None for 8, or 4 with several tempos.

    Returns:
        Templates and poses. The median lag of each template is 0, and its median tempo 1.
    """
    n_starts = n_starts or (N_STARTS if len(grid.log_tempos) == 1 else N_STARTS_WITH_TEMPOS)
    starts = (_iterate(x, _initial(x, n, grid, seed + i), n, grid) for i in range(n_starts))
    fit = min(starts, key=lambda start: start.error)
    for _ in range(N_CLEANINGS):
        fit = _iterate(clean(fit.x, fit.templates, fit.poses), fit.templates, n, grid)
    return fit


def _initial(x: Observations, n: int, grid: Grid, seed: int) -> Templates:
    """Series as first templates, by k-means++ under the distance of the search."""
    random = np.random.default_rng(seed)
    rows = [int(random.integers(len(x)))]
    while len(rows) < n:
        errors = match(x, _single(x, rows, grid.size), grid.log_tempos, is_single=True).error
        shares = errors.double().cpu().nan_to_num(posinf=0.0).numpy() + 1e-9
        rows.append(int(random.choice(len(x), p=shares / shares.sum())))
    return _single(x, rows, grid.size)


def _single(x: Observations, rows: list[int], size: int) -> Templates:
    """Single series as templates; each counts as two, as `Templates.weights` needs."""
    template = Templates(x.values[rows], 2 * x.mask[rows])
    return template.pad(size)


def _iterate(x: Observations, templates: Templates, n: int, grid: Grid) -> Fit:
    """Lloyd's algorithm: pose each series, then average the series of each template."""
    poses = match(x, templates, grid.log_tempos)
    for _ in range(MAX_STEPS):
        poses = centre(poses, n)
        templates = average(x, poses, n, grid.size)
        earlier, poses = poses, match(x, templates, grid.log_tempos)
        if all(
            torch.equal(getattr(poses, name), getattr(earlier, name))
            for name in ("template", "lag", "log_tempo")
        ):
            break
    return Fit(x, templates, poses)


def centre(poses: Poses, n: int, middle: Callable[[Tensor], Tensor] = torch.median) -> Poses:
    """Poses with the median lag 0 and the median tempo 1.

    Args:
        poses: Poses relative to other templates.
        n: Number of templates.
        middle: The mean of lags (N,), by default their median.
    """
    scale, shift = poses.lag.new_ones(n), poses.lag.new_zeros(n)
    for i in range(n):
        rows = poses.template == i
        if not rows.any():
            continue
        scale[i] = poses.log_tempo[rows].median().neg().exp()
        shift[i] = -middle(poses.lag[rows] * scale[i])
    return poses.move(scale, shift)


def held_out_errors(x: Observations, n: int, grid: Grid, seed: int = 0) -> Tensor:
    """Errors (N,) of series against templates of other series, in two folds.

    Args:
        x: Standardised series.
        n: Number of templates.
        grid: The lags and tempos to try.
        seed: Seed of the folds and of the templates.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    errors = x.values.new_empty(len(x))
    for fold in range(2):
        test, training = order[fold::2], torch.cat([order[:fold], order[1 - fold :: 2]])[fold:]
        fit = fit_templates(x[training], n, grid, seed, N_STARTS_OF_TRIAL)
        poses = refine(fit.x, fit.templates, fit.poses, grid.tempo_step).poses
        templates = average(fit.x, poses, n, grid.size)
        series, poses = pose(x[test], templates, grid.log_tempos)
        errors[test] = refine(series, templates, poses, grid.tempo_step).poses.error
    return errors


def pose(x: Observations, templates: Templates, log_tempos: Tensor) -> tuple[Observations, Poses]:
    """Poses of new series, and the series without gains and offsets.

    Args:
        x: Standardised series.
        templates: Templates of other series.
        log_tempos: Logarithms of the tempos to try (G,).
    """
    poses = match(x, templates, log_tempos)
    for _ in range(N_CLEANINGS):
        x = clean(x, templates, poses)
        poses = match(x, templates, log_tempos)
    return x, poses


def choose_number(x: Observations, n_max: int, grid: Grid, seed: int = 0) -> int:
    """The number of templates, by the error of held-out series.

    More templates are taken if they save a tenth of the error, and twice its standard error.

    Args:
        x: Standardised series.
        n_max: Greatest number.
        grid: The lags and tempos to try.
        seed: Seed of the folds and of the templates.
    """
    x, best, errors, n_failures = x[:MAX_SERIES_FOR_NUMBER], 1, None, 0
    n_max = min(n_max, len(x) // (2 * MIN_SERIES_PER_TEMPLATE))
    for n in (n for n in NUMBERS_OF_TEMPLATES if n <= n_max):
        candidate = held_out_errors(x, n, grid, seed)
        if errors is None:
            errors = candidate
            continue
        savings = (errors - candidate)[(errors + candidate).isfinite()]
        needed = max(MIN_SAVING, MIN_GAIN * float(errors[errors.isfinite()].mean()))
        deviation = float(savings.std()) / math.sqrt(max(1, len(savings)))
        if float(savings.mean()) > max(2 * deviation, needed):
            best, errors, n_failures = n, candidate, 0
        else:
            n_failures += 1
        if n_failures == MAX_FAILURES:
            break
    return best
