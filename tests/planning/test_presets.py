"""Measured recipes: they survive their file, and do what they were measured for."""

from __future__ import annotations

import pytest
import torch

from unwarp.datasets import bumps
from unwarp.models import AE
from unwarp.models.codec import describe, restore
from unwarp.planning.presets import DIGITS, SERIES, SHARP
from unwarp.training.loop import train


@pytest.mark.parametrize("recipe", [DIGITS, SERIES, SHARP], ids=["digits", "series", "sharp"])
def test_measured_recipes_survive_their_file(recipe: AE) -> None:
    assert restore(describe(recipe)) == recipe


@pytest.mark.slow
def test_series_that_hurry_and_linger_are_told_apart_and_their_warps_recovered() -> None:
    data, test = bumps.load("train"), bumps.load("test")
    model = SERIES.build(data.shape, seed=0)
    train(model, SERIES.players(model), data, steps=400, batch_size=20, seed=0, device="cpu")
    with torch.no_grad():
        latent, codes = model.embed(test.x), model.embed(data.x).content
    assert data.labels is not None and test.labels is not None and test.maps is not None
    centroids = torch.stack([codes[torch.as_tensor(data.labels == k)].mean(0) for k in range(4)])
    found = torch.cdist(latent.content, centroids).argmin(1).numpy()
    assert (found == test.labels).mean() >= 0.99
    one, two, points = (
        torch.arange(0, 200, 2),
        torch.arange(1, 200, 2),
        torch.linspace(0, 1, 128)[:, None],
    )
    relative, true = (
        map[two].compose(map[one].invert()).pull(points) for map in (latent.map, test.maps)
    )
    error, still = (relative - true).abs().amax((1, 2)), (points - true).abs().amax((1, 2))
    assert error.median() < 0.03
    assert error.median() < 0.2 * still.median()
