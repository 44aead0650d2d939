"""The discriminator's density ratio against a closed form, and who moves what."""

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


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(n: int, correlation: float, generator: torch.Generator) -> Tensor:
    one, two = torch.randn(2, n, generator=generator)
    return torch.stack([one, correlation * one + math.sqrt(1 - correlation**2) * two], 1)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_the_mean_logit_is_the_total_correlation_of_a_gaussian(correlation: float) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        judge = Critic(Net("mlp", encoder=(32, 32)), (2,))
    optimiser, generator = Optimiser(lr=5e-3).build(judge), draw()
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 5e-3 * (1 - step / 300)
        optimiser.zero_grad()
        discriminator_loss(
            judge, gaussian(512, correlation, generator), generator
        ).mean().backward()
        optimiser.step()
    with torch.no_grad():
        found = float(judge(gaussian(20_000, correlation, draw(1))).mean())
    assert found == pytest.approx(-0.5 * math.log(1 - correlation**2), abs=0.08)


def test_permuting_keeps_the_columns_and_breaks_their_dependence() -> None:
    codes = gaussian(4000, 0.8, draw())
    shuffled = permute_columns(codes, draw(1))
    assert torch.equal(shuffled.sort(0).values, codes.sort(0).values)
    assert abs(float(torch.corrcoef(shuffled.mT)[0, 1])) < 0.06


def test_a_discriminator_that_cannot_tell_pays_log_two() -> None:
    judge = Critic(Net("mlp", encoder=()), (2,))
    for parameter in judge.parameters():
        torch.nn.init.zeros_(parameter)
    loss = discriminator_loss(judge, gaussian(8, 0.5, draw()), draw())
    torch.testing.assert_close(loss, torch.full((4,), math.log(2)))


def test_gradients_stay_with_their_player() -> None:
    model = RECIPE.build(SHAPE)
    judge, autoencoder = RECIPE.players(model)
    batch = Batch(torch.rand(8, *SHAPE, generator=draw()), torch.arange(8))
    judge.loss(batch, 0, draw())["discriminator"].backward()
    assert all(p.grad is not None for p in judge.module.parameters())
    assert all(p.grad is None for p in model.parameters())
    judge.module.zero_grad()
    autoencoder.loss(batch, 0, draw())["total_correlation"].backward()
    assert all(p.grad is None for p in judge.module.parameters())
    content = list(model.encoder.content.parameters())  # type: ignore[union-attr]
    assert any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in content)
    assert all(p.grad is None for p in model.decoder.parameters())


def test_each_player_moves_only_its_own_weights_and_buffers() -> None:
    model = RECIPE.build(SHAPE)
    players = RECIPE.players(model)
    data = Dataset(torch.rand(16, *SHAPE, generator=draw()))
    for mover in players:
        before = [
            {k: v.clone() for k, v in p.module.state_dict().items() if k != "anchor_theta"}
            for p in players
        ]
        mover = replace(mover, measure=None, optimiser=Optimiser(lr=0.01, warmup=0))
        train(model, [mover], data, steps=2, batch_size=8, device="cpu")
        now = [
            any(not torch.equal(p.module.state_dict()[k], v) for k, v in old.items())
            for old, p in zip(before, players, strict=True)
        ]
        assert now == [p.name == mover.name for p in players]


def test_the_history_holds_the_rates() -> None:
    model = RECIPE.build(SHAPE)
    history = train(
        model,
        RECIPE.players(model),
        Dataset(torch.rand(16, *SHAPE)),
        steps=2,
        batch_size=8,
        device="cpu",
    )
    assert {"factor-vae.content_rate", "total_correlation", "discriminator"} <= set(
        history.rows[-1]
    )


@pytest.mark.parametrize("wrong", [{"gamma": -1.0}, {"discriminator": (0,)}])
def test_bad_fields_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="FactorVAE"):
        FactorVAE(**wrong)  # type: ignore[arg-type]
