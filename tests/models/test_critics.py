"""Critics: normalised layers, frozen weights, the seed of weights, and coverage."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from tests.pictures import blobs
from tests.weights import has_changed, tensors
from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.metrics.samples import density_coverage
from unwarp.models import Net
from unwarp.models.critics import Critic, build_critic, coverage, freeze_weights
from unwarp.models.families.gan import GAN
from unwarp.training.loop import train

SHAPE = (1, 12, 16)
SMALL = Net("mlp", (32, 16), (16, 32))
CONV = Net("conv", (16,), (16,), channels=8)


def generator_of(seed: int = 0) -> torch.Generator:
    """A generator of random numbers with a seed."""
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("net", [SMALL, CONV], ids=["mlp", "conv"])
def test_spectral_norm_is_one_in_each_layer(net: Net) -> None:
    """The largest singular value of each layer is 1, however large its raw weight."""
    critic = Critic(net, SHAPE, spectral=True)
    with torch.no_grad():
        for layer in critic.net:  # type: ignore[attr-defined]
            if hasattr(layer, "parametrizations"):
                layer.parametrizations.weight.original.mul_(7.0)
        for _ in range(50):
            critic(torch.rand(2, *SHAPE))
    modules = critic.net.modules()
    layers = [layer for layer in modules if isinstance(layer, nn.Linear | nn.Conv2d)]
    assert len(layers) >= 2
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1.0, abs=0.02)


def test_frozen_weights_get_no_gradient() -> None:
    """Buffers do not change, the input gets a gradient, and learning goes on afterwards."""
    critic = Critic(SMALL, SHAPE, spectral=True).train()
    initial, x = tensors(critic), blobs(4).requires_grad_()
    with freeze_weights(critic):
        critic(x).sum().backward()
    assert x.grad is not None and all(
        p.grad is None and p.requires_grad for p in critic.parameters()
    )
    assert critic.training and not has_changed(initial, critic)


def test_critic_refuses_another_shape() -> None:
    """The message names the shape of the critic, the shape of the samples, and the mend."""
    recipe = GAN(n_content=3, net=SMALL)
    model = recipe.build(SHAPE)
    with pytest.raises(DataError, match=r"\(1, 12, 16\), got \(1, 10, 10\).*recipe.build"):
        train(
            model,
            recipe.players(model),
            Dataset(torch.rand(8, 1, 10, 10)),
            steps=1,
            batch_size=4,
            device="cpu",
        )


def test_critic_weights_follow_model_seed() -> None:
    """Models with one seed get equal critics, others get other critics."""

    def initial_weights(seed: int) -> Tensor:
        critic = build_critic(GAN(n_content=3, net=SMALL).build(SHAPE, seed=seed), SMALL)
        return torch.cat([p.detach().flatten() for p in critic.parameters()])

    assert torch.equal(initial_weights(1), initial_weights(1))
    assert not torch.equal(initial_weights(1), initial_weights(2))


def test_coverage_matches_expectation() -> None:
    """A perfect generator has the expected share, one of a quarter of the modes a quarter."""
    real, fake = torch.randn(2, 400, 3, generator=generator_of()).unbind()
    n, k = 400, 3
    expected = 1 - math.prod((n - i) / (2 * n - i) for i in range(1, k + 1))
    assert float(coverage(real, fake, k)) == pytest.approx(expected, abs=0.04)
    assert float(coverage(real, fake, k)) == pytest.approx(
        density_coverage(real.numpy(), fake.numpy(), k)["coverage"]
    )
    assert float(coverage(real, real, k)) == 1.0
    modes = real + torch.tensor([100.0, 0, 0]) * (torch.arange(400) % 4)[:, None]
    assert float(coverage(modes, modes[::4], 5)) == pytest.approx(0.25, abs=0.01)
    assert 0 <= float(coverage(real[:1], fake[:1])) <= 1
