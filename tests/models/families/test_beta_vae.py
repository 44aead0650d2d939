"""beta (KL - epsilon) and gamma |KL - C(t)|: what acts, and on what."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import VAE, BetaVAE, Net, rates
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Identity

SMALL = Net("mlp", (32,), (32,))
X = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()
PLAIN = BetaVAE(warp=Identity(), n_content=4, net=SMALL)


def pressure(recipe: BetaVAE | VAE, step: int = 0) -> dict[str, torch.Tensor]:
    model = recipe.build((1, 8, 8)).eval()
    return recipe.regularisers(model.encode(X, torch.Generator().manual_seed(0)), model, step)


def test_beta_one_is_the_vae() -> None:
    theirs = pressure(VAE(warp=Affine2d(), n_content=4, net=SMALL))
    ours = pressure(BetaVAE(warp=Affine2d(), n_content=4, net=SMALL, beta=1.0))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value)


def test_epsilon_shifts_the_objective_and_changes_nothing_that_is_learned() -> None:
    shifted = replace(PLAIN, epsilon=3.0)
    gap = pressure(PLAIN)["content_rate"] - pressure(shifted)["content_rate"]
    assert float(gap.detach()) == pytest.approx(4.0 * 3.0, rel=1e-5)

    def learned(recipe: BetaVAE) -> torch.Tensor:
        model = recipe.build((1, 8, 8))
        train(model, recipe.players(model), Dataset(X), steps=5, batch_size=16, device="cpu")
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    torch.testing.assert_close(learned(PLAIN), learned(shifted))


def test_the_pressure_is_on_content_alone() -> None:
    one, ten = (
        pressure(BetaVAE(warp=Affine2d(), n_content=4, net=SMALL, beta=b)) for b in (1.0, 10.0)
    )
    assert torch.equal(one["deformation_rate"], ten["deformation_rate"])
    torch.testing.assert_close(10 * one["content_rate"], ten["content_rate"])


def test_the_capacity_rises_and_the_gap_costs_gamma() -> None:
    recipe = replace(PLAIN, capacity=8.0, capacity_steps=10, gamma=7.0)
    model = recipe.build((1, 8, 8)).eval()
    rate = rates(model.encode(X), model)["content_rate"].mean()
    for step, capacity in ((0, 0.0), (5, 4.0), (10, 8.0), (50, 8.0)):
        torch.testing.assert_close(
            pressure(recipe, step)["content_rate"], 7.0 * (rate - capacity).abs()
        )


@pytest.mark.parametrize("capacity", [2.0, 5.0])
def test_training_holds_the_rate_at_the_capacity(capacity: float) -> None:
    recipe = replace(PLAIN, capacity=capacity, capacity_steps=200)
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, lr=3e-3))
    model = recipe.build((1, 8, 8))
    train(model, recipe.players(model), Dataset(X), steps=600, batch_size=64, device="cpu")
    with torch.no_grad():
        assert float(rates(model.encode(X), model)["content_rate"].mean()) == pytest.approx(
            capacity, abs=0.3
        )


@pytest.mark.parametrize(
    "wrong", [{"beta": -1.0}, {"gamma": -1.0}, {"capacity": -2.0}, {"capacity_steps": -1}]
)
def test_a_wrong_choice_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be 0 or more"):
        BetaVAE(**wrong)  # type: ignore[arg-type]
