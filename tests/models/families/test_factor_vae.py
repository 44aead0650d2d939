"""FactorVAE: the discriminator's density ratio, and the parameters that each player trains."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import FactorVAE, Net, Optimiser
from unwarp.models.critics import Critic
from unwarp.models.families.factor_vae import discriminator_loss, permute_columns
from unwarp.training.loop import train
from unwarp.warps import Affine2d

SHAPE = (1, 8, 8)
RECIPE = FactorVAE(warp=Affine2d(), n_content=3, net=Net("mlp", (16,), (16,)), discriminator=(16,))


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def gaussian(n: int, correlation: float, generator: torch.Generator) -> Tensor:
    """Draws (n, 2) of two correlated standard normal variables."""
    first, second = torch.randn(2, n, generator=generator)
    return torch.stack([first, correlation * first + math.sqrt(1 - correlation**2) * second], 1)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_mean_logit_is_total_correlation(correlation: float) -> None:
    """The mean logit of a trained discriminator equals the closed form for a Gaussian."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        discriminator = Critic(Net("mlp", encoder=(32, 32)), (2,))
    optimiser, generator = Optimiser(lr=5e-3).build(discriminator), rng()
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 5e-3 * (1 - step / 300)
        optimiser.zero_grad()
        codes = gaussian(512, correlation, generator)
        discriminator_loss(discriminator, codes, generator).mean().backward()
        optimiser.step()
    with torch.no_grad():
        mean_logit = float(discriminator(gaussian(20_000, correlation, rng(1))).mean())
    assert mean_logit == pytest.approx(-0.5 * math.log(1 - correlation**2), abs=0.08)


def test_permutation_breaks_dependence() -> None:
    """Columns keep their values and lose their correlation."""
    codes = gaussian(4000, 0.8, rng())
    shuffled = permute_columns(codes, rng(1))
    assert torch.equal(shuffled.sort(0).values, codes.sort(0).values)
    assert abs(float(torch.corrcoef(shuffled.mT)[0, 1])) < 0.06


def test_loss_at_chance_is_log_two() -> None:
    """A discriminator with constant logits has a loss of log 2."""
    discriminator = Critic(Net("mlp", encoder=()), (2,))
    for parameter in discriminator.parameters():
        torch.nn.init.zeros_(parameter)
    loss = discriminator_loss(discriminator, gaussian(8, 0.5, rng()), rng())
    torch.testing.assert_close(loss, torch.full((4,), math.log(2)))


def test_gradients_stay_with_their_player() -> None:
    """The discriminator's loss reaches no weight of the model, nor the other way round."""
    model = RECIPE.build(SHAPE)
    discriminator, autoencoder = RECIPE.players(model)
    batch = Batch(torch.rand(8, *SHAPE, generator=rng()), torch.arange(8))
    discriminator.loss(batch, 0, rng())["discriminator"].backward()
    assert all(p.grad is not None for p in discriminator.module.parameters())
    assert all(p.grad is None for p in model.parameters())
    discriminator.module.zero_grad()
    autoencoder.loss(batch, 0, rng())["total_correlation"].backward()
    assert all(p.grad is None for p in discriminator.module.parameters())
    content = list(model.encoder.content.parameters())  # type: ignore[union-attr]
    assert any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in content)
    assert all(p.grad is None for p in model.decoder.parameters())


def test_players_train_their_module_alone() -> None:
    """A step of one player changes no weight or buffer of the other."""
    model = RECIPE.build(SHAPE)
    players = RECIPE.players(model)
    data = Dataset(torch.rand(16, *SHAPE, generator=rng()))
    for player in players:
        before = [
            {k: v.clone() for k, v in p.module.state_dict().items() if k != "anchor_theta"}
            for p in players
        ]
        learner = replace(player, measure=None, optimiser=Optimiser(lr=0.01, warmup=0))
        train(model, [learner], data, steps=2, batch_size=8, device="cpu")
        has_changed = [
            any(not torch.equal(p.module.state_dict()[k], v) for k, v in state.items())
            for state, p in zip(before, players, strict=True)
        ]
        assert has_changed == [p.name == player.name for p in players]


def test_history_holds_the_rates() -> None:
    """Rows have the content's rate, the total correlation and the discriminator's loss."""
    model, data = RECIPE.build(SHAPE), Dataset(torch.rand(16, *SHAPE))
    history = train(model, RECIPE.players(model), data, steps=2, batch_size=8, device="cpu")
    names = {"factor-vae.content_rate", "total_correlation", "discriminator"}
    assert names <= set(history.rows[-1])


@pytest.mark.parametrize("fields", [{"gamma": -1.0}, {"discriminator": (0,)}])
def test_invalid_fields_are_refused(fields: dict[str, object]) -> None:
    """The message names the family."""
    with pytest.raises(ConfigError, match="FactorVAE"):
        FactorVAE(**fields)  # type: ignore[arg-type]
