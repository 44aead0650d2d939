"""Templates of several kinds of series, and their number."""

from __future__ import annotations

import torch

from tests.models.lags.recordings import delayed, deviations
from unwarp.models.lags.clustering import (
    Grid,
    centre,
    choose_number,
    fit_templates,
    held_out_errors,
    pose,
)
from unwarp.models.lags.matching import Observations, Poses

GRID = Grid(240, torch.zeros(1))


def two_kinds() -> tuple[Observations, torch.Tensor, torch.Tensor]:
    """Series of two recordings, their lags, and their kinds."""
    (a, lags_of_a), (b, lags_of_b) = delayed(seed=0), delayed(seed=1)
    kinds = torch.arange(2).repeat_interleave(24)
    return Observations.of(torch.cat([a, b])), torch.cat([lags_of_a, lags_of_b]), kinds


def test_kinds_have_a_template_each() -> None:
    """Two kinds get two templates, with exact lags within each, and one kind gets one."""
    x, lags, kinds = two_kinds()
    series = x.standardise()
    assert choose_number(series[torch.arange(24)], 8, GRID) == 1
    assert choose_number(series, 8, GRID) == 2
    poses = fit_templates(series, 2, GRID).poses
    for kind in (0, 1):
        rows = kinds == kind
        assert len(poses.template[rows].unique()) == 1
        assert deviations(poses.lag[rows], lags[rows]).max() == 0


def test_templates_are_centred() -> None:
    """The median lag of a template is 0 and its median tempo 1."""
    log_tempo = torch.tensor([0.1, 0.2, 0.3])
    poses = Poses(
        torch.zeros(3, dtype=torch.long), torch.tensor([4.0, 9.0, 5.0]), log_tempo, log_tempo
    )
    moved = centre(poses, 1)
    torch.testing.assert_close(moved.log_tempo, torch.tensor([-0.1, 0.0, 0.1]))
    assert moved.lag.median() == 0


def test_seed_decides_templates() -> None:
    """The same series and seed give the same templates, bit by bit."""
    x = Observations.of(delayed()[0]).standardise()
    first, second = (fit_templates(x, 2, GRID, seed=3) for _ in range(2))
    assert torch.equal(first.templates.values, second.templates.values)


def test_held_out_errors_are_of_all() -> None:
    """Every series is held out once, and its error is that of its noise."""
    x = Observations.of(delayed(noise=0.1)[0]).standardise()
    errors = held_out_errors(x, 1, GRID)
    assert len(errors) == 24 and 0.005 < errors.mean() < 0.02


def test_new_series_are_posed() -> None:
    """New series get lags against templates, whatever their levels and sizes."""
    x, lags = delayed(n=40)
    fit = fit_templates(Observations.of(x[:24]).standardise(), 1, GRID)
    poses = pose(Observations.of(5 * x[24:] - 3).standardise(), fit.templates, GRID.log_tempos)[1]
    assert deviations(poses.lag, lags[24:]).max() == 0
