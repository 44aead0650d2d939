"""The beta-VAE: weights of the content's rate, and the capacity."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import VAE, BetaVAE, Net, rates
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Identity

SMALL_NET = Net("mlp", (32,), (32,))
X = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()
WITHOUT_WARP = BetaVAE(warp=Identity(), n_content=4, net=SMALL_NET)


def costs(recipe: BetaVAE | VAE, step: int = 0) -> dict[str, torch.Tensor]:
    """The weighted regularisers of a new model at a step."""
    model = recipe.build((1, 8, 8)).eval()
    return recipe.regularisers(model.encode(X, torch.Generator().manual_seed(0)), model, step)


def test_beta_one_is_the_vae() -> None:
    """With a weight of 1 the regularisers are those of a VAE."""
    vae_costs = costs(VAE(warp=Affine2d(), n_content=4, net=SMALL_NET))
    beta_costs = costs(BetaVAE(warp=Affine2d(), n_content=4, net=SMALL_NET, beta=1.0))
    for name, value in vae_costs.items():
        torch.testing.assert_close(beta_costs[name], value)


def test_epsilon_shifts_the_loss_alone() -> None:
    """The constant changes the loss by beta epsilon, and no trained weight."""
    shifted = replace(WITHOUT_WARP, epsilon=3.0)
    difference = costs(WITHOUT_WARP)["content_rate"] - costs(shifted)["content_rate"]
    assert float(difference.detach()) == pytest.approx(4.0 * 3.0, rel=1e-5)

    def trained_weights(recipe: BetaVAE) -> torch.Tensor:
        model = recipe.build((1, 8, 8))
        train(model, recipe.players(model), Dataset(X), steps=5, batch_size=16, device="cpu")
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    torch.testing.assert_close(trained_weights(WITHOUT_WARP), trained_weights(shifted))


def test_beta_weighs_content_alone() -> None:
    """The rate of the deformation does not depend on beta."""
    recipe = BetaVAE(warp=Affine2d(), n_content=4, net=SMALL_NET)
    light, heavy = (costs(replace(recipe, beta=beta)) for beta in (1.0, 10.0))
    assert torch.equal(light["deformation_rate"], heavy["deformation_rate"])
    torch.testing.assert_close(10 * light["content_rate"], heavy["content_rate"])


def test_capacity_rises_linearly() -> None:
    """The cost is gamma times the distance from a capacity that rises, then stays."""
    recipe = replace(WITHOUT_WARP, capacity=8.0, capacity_steps=10, gamma=7.0)
    model = recipe.build((1, 8, 8)).eval()
    rate = rates(model.encode(X), model)["content_rate"].mean()
    for step, capacity in ((0, 0.0), (5, 4.0), (10, 8.0), (50, 8.0)):
        torch.testing.assert_close(
            costs(recipe, step)["content_rate"], 7.0 * (rate - capacity).abs()
        )


@pytest.mark.parametrize("capacity", [2.0, 5.0])
def test_training_reaches_the_capacity(capacity: float) -> None:
    """After training the content's rate equals the capacity up to 0.3 nats."""
    recipe = replace(WITHOUT_WARP, capacity=capacity, capacity_steps=200)
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, lr=3e-3))
    model = recipe.build((1, 8, 8))
    train(model, recipe.players(model), Dataset(X), steps=600, batch_size=64, device="cpu")
    with torch.no_grad():
        rate = float(rates(model.encode(X), model)["content_rate"].mean())
    assert rate == pytest.approx(capacity, abs=0.3)


@pytest.mark.parametrize(
    "fields", [{"beta": -1.0}, {"gamma": -1.0}, {"capacity": -2.0}, {"capacity_steps": -1}]
)
def test_negative_fields_are_refused(fields: dict[str, float]) -> None:
    """The message names the field and its range."""
    with pytest.raises(ConfigError, match=f"{next(iter(fields))} must be 0 or more"):
        BetaVAE(**fields)  # type: ignore[arg-type]
