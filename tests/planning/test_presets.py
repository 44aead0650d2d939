"""Measured recipes: their description, and the series that they were measured for."""

from __future__ import annotations

import pytest
import torch

from unwarp.datasets import bumps
from unwarp.models import AE
from unwarp.models.codec import describe, restore
from unwarp.planning.presets import DIGITS, SERIES, SHARP
from unwarp.training.loop import train


@pytest.mark.parametrize("recipe", [DIGITS, SERIES, SHARP], ids=["digits", "series", "sharp"])
def test_presets_survive_json(recipe: AE) -> None:
    """A preset equals the recipe that is restored from its description."""
    assert restore(describe(recipe)) == recipe


@pytest.mark.slow
def test_series_preset_recovers_time_warps() -> None:
    """It classifies 99 % of warped series and recovers relative warps up to 3 % of the time."""
    data, test = bumps.load("train"), bumps.load("test")
    model = SERIES.build(data.shape, seed=0)
    train(model, SERIES.players(model), data, steps=400, batch_size=20, seed=0, device="cpu")
    with torch.no_grad():
        latent, codes = model.embed(test.x), model.embed(data.x).content
    assert data.labels is not None and test.labels is not None and test.maps is not None
    centroids = torch.stack([codes[torch.as_tensor(data.labels == k)].mean(0) for k in range(4)])
    predicted = torch.cdist(latent.content, centroids).argmin(1).numpy()
    assert (predicted == test.labels).mean() >= 0.99
    first, second = torch.arange(0, 200, 2), torch.arange(1, 200, 2)
    points = torch.linspace(0, 1, 128)[:, None]
    estimated, true = (
        map[second].compose(map[first].invert()).pull(points) for map in (latent.map, test.maps)
    )
    error = (estimated - true).abs().amax((1, 2))
    baseline_error = (points - true).abs().amax((1, 2))
    assert error.median() < 0.03
    assert error.median() < 0.2 * baseline_error.median()
