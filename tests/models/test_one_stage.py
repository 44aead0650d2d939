"""The encoder with one network answers once, from the raw sample."""

from __future__ import annotations

import torch

from unwarp import AE, VAE, Affine2d
from unwarp.models import Model, Net, Recipe

SMALL = Net("mlp", (8,), (8,))


def random_model(recipe: Recipe) -> tuple[Model, torch.Tensor]:
    """A model of pictures with random weights, and pictures for it."""
    model = recipe.build((1, 12, 12)).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model, torch.rand(5, 1, 12, 12, generator=generator)


@torch.no_grad()
def test_pose_is_that_of_embedding() -> None:
    """`pose` returns the maps of `embed`, and theta is their chart in half-ranges."""
    model, x = random_model(AE(warp=Affine2d(), net=SMALL, encoder="one-stage"))
    points, posterior = model.frame.lattice(x), model.encode(x)
    map, expected = model.pose(x), model.embed(x).map
    torch.testing.assert_close(map.pull(points), expected.pull(points), rtol=0, atol=1e-6)
    half_ranges = torch.tensor([factor.half_range for factor in model.warp.factors])
    theta = model.warp.theta(posterior.map) / half_ranges
    torch.testing.assert_close(posterior.theta, theta, rtol=0, atol=1e-5)
    assert posterior.theta.abs().max() > 1e-3


@torch.no_grad()
def test_network_runs_once() -> None:
    """Starts and passes change nothing, as there are none."""
    model, x = random_model(AE(warp=Affine2d(), net=SMALL, encoder="one-stage"))
    once = model.encoder(x, None, torch.full((5,), 1.0), single_pass=True)
    assert torch.equal(once.content, model.encoder(x).content)
    assert torch.equal(once.theta, model.encoder(x).theta)


@torch.no_grad()
def test_stochastic_encoder_samples() -> None:
    """With a generator, codes and maps are samples around the means; without, the means."""
    model, x = random_model(VAE(warp=Affine2d(), net=SMALL, encoder="one-stage"))
    sample = model.encoder(x, torch.Generator().manual_seed(1))
    mean = model.encoder(x)
    assert torch.equal(mean.content, sample.content_mean)
    assert not torch.equal(sample.content, sample.content_mean)
    points = model.frame.lattice(x)
    assert (sample.map.pull(points) - mean.map.pull(points)).abs().max() > 1e-4
