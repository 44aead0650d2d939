"""Fits of a search: reach, period and tempos are found in the series."""

from __future__ import annotations

import torch

from tests.models.lags.recordings import delayed, periodic
from unwarp.models.lags.fitting import fit_lags, full_size, tempo_grid


def test_reach_has_slack() -> None:
    """The reach is that of the lags and a third more; series without lags have a reach of 1."""
    x, lags = delayed(reach=15)
    greatest = float((lags - lags.median()).abs().max())
    assert greatest < fit_lags(x, 8).reach <= 4 / 3 * (greatest + 1) + 1
    assert fit_lags(delayed(reach=0)[0], 8).reach == 1


def test_period_bounds_the_reach() -> None:
    """Periodic series are searched over one period."""
    fit = fit_lags(periodic()[0], 8)
    assert abs(fit.period - 30) < 0.05 and 15 < fit.reach <= 17


def test_tempos_are_found() -> None:
    """Hurried and slowed series have a range of tempos; others have none."""
    rng = torch.Generator().manual_seed(0)
    tempo = 0.16 * (torch.rand(24, 1, generator=rng) - 0.5)
    times = torch.arange(120.0) - 59.5
    points = times * tempo.exp()
    x = (torch.sin(points / 5) + torch.sin(points / 13) + torch.cos(points / 7.7))[:, None]
    fit = fit_lags(x + 0.05 * torch.randn(x.shape, generator=rng), 2, has_tempo=True)
    assert 0.06 < fit.tempo_reach <= 0.2
    assert fit_lags(delayed()[0], 8).tempo_reach == 0


def test_grid_has_the_tempo_one() -> None:
    """The grid of tempos is symmetric about 1, on the canvas of all lags."""
    grid = tempo_grid(0.2, 100)
    assert (grid == 0).any() and torch.allclose(grid, -grid.flip(0)) and full_size(101) == 201
