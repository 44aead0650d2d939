"""Templates of similar shapes share their zero."""

from __future__ import annotations

import torch

from tests.models.lags.recordings import delayed
from unwarp.models.lags.clustering import Fit
from unwarp.models.lags.matching import Observations, Poses, Templates
from unwarp.models.lags.registration import register


def test_similar_templates_are_registered() -> None:
    """A shifted, larger template is registered, to a fraction of a step; another shape stays."""
    times = torch.arange(120.0)
    curve = torch.exp(-((times - 60) / 6).square()) + torch.exp(-((times - 80) / 9).square())
    moved = torch.exp(-((times - 64.5) / 6).square()) + torch.exp(-((times - 84.5) / 9).square())
    other = delayed(n=1)[0][0, 0]
    values = torch.stack([curve, 3 * moved + 1, other])[:, None]
    poses = Poses.unmoved(6)
    poses = Poses(torch.tensor([0, 0, 0, 1, 1, 2]), poses.lag, poses.log_tempo, poses.error)
    fit = Fit(Observations.of(values), Templates(values, torch.ones_like(values)), poses)
    shifts = register(fit)
    assert shifts[0] == 0 and shifts[2] == 0
    assert abs(float(shifts[1]) + 4.5) < 0.1
