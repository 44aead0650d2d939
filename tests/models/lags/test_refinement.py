"""Lags and tempos between whole steps."""

from __future__ import annotations

import torch

from tests.models.lags.recordings import delayed
from unwarp.models.lags.matching import Observations, Poses, Templates, average
from unwarp.models.lags.refinement import refine


def test_lags_and_tempos_are_refined() -> None:
    """From half a step away, lags and tempos come within a hundredth of a step."""
    times = torch.arange(300.0) - 149.5
    curve = torch.sin(times / 9) + torch.sin(times / 23)
    templates = Templates(curve[None, None], torch.full((1, 1, 300), 9.0))
    tempo, lag = 1.013, 3.37
    points = (torch.arange(150.0) - 74.5) * tempo - lag
    x = Observations.of((torch.sin(points / 9) + torch.sin(points / 23))[None, None])
    poses = Poses(torch.zeros(1, dtype=torch.long), *torch.tensor([[3.0], [0.0], [0.1]]))
    refined = refine(x, templates, poses, tempo_step=0.03).poses
    assert abs(float(refined.lag) - lag) < 0.01
    assert abs(float(refined.log_tempo.exp()) - tempo) < 1e-3


def test_whole_lags_have_no_fractions() -> None:
    """The evidence for fractions is about 1 for whole lags, and large for others."""
    x, lags = delayed()
    poses = Poses.unmoved(len(x))
    poses = Poses(poses.template, lags, poses.log_tempo, poses.error)
    series = Observations.of(x)
    assert not refine(series, average(series, poses, 1, 240), poses).has_fractions
    halves = Observations.of((x[..., 1:] + x[..., :-1]) / 2)
    mixed = Observations(
        torch.cat([series.values[:12, ..., 1:], halves.values[12:]]), series.mask[..., 1:]
    )
    assert refine(mixed, average(mixed, poses, 1, 239), poses).has_fractions


def test_flat_series_stay() -> None:
    """A series without any shape keeps its lag."""
    templates = Templates(torch.zeros(1, 1, 20), torch.full((1, 1, 20), 3.0))
    poses = Poses.unmoved(2)
    refined = refine(Observations.of(torch.ones(2, 1, 10)), templates, poses).poses
    assert torch.equal(refined.lag, poses.lag)
