"""The game: who moves what, what flows where, closed forms of its parts, and that it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.pictures import blobs
from tests.weights import moved, tensors
from unwarp.core import Batch, Factor
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import Net, Optimiser, Player
from unwarp.models.codec import describe, restore
from unwarp.models.critics import Critic
from unwarp.models.families.gan import GAN, generate, pose_error
from unwarp.models.losses import gradient_penalty
from unwarp.nets.net import output_layer
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.state import Row, State
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Similarity2d, Warp

SHAPE = (1, 12, 16)
SMALL = Net("mlp", (32, 16), (16, 32))
CONV = Net("conv", (16,), (16,), channels=8)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("net", [SMALL, CONV], ids=["mlp", "conv"])
@pytest.mark.parametrize("spectral", [False, True])
def test_each_player_moves_only_its_own_weights_and_buffers(net: Net, spectral: bool) -> None:
    recipe = GAN(warp=Affine2d(), n_content=3, net=net, spectral=spectral)
    model = recipe.build(SHAPE)
    players = recipe.players(model)
    assert [player.name for player in players] == ["critic", "generator", "inference"]
    for mover in players:
        mover = replace(mover, every=1, optimiser=Optimiser(lr=0.01, warmup=0))
        before = [tensors(player.module) for player in players]
        train(model, [mover], Dataset(blobs(16)), steps=2, batch_size=8, device="cpu")
        now = [moved(state, player.module) for state, player in zip(before, players, strict=True)]
        assert now == [player.name == mover.name for player in players]


def test_training_reads_real_samples_through_the_critic_alone() -> None:
    recipe = GAN(warp=Affine2d(), n_content=3, net=SMALL)
    critic, generator, inference = recipe.players(recipe.build(SHAPE))

    def terms(player: Player, x: Tensor) -> list[float]:
        return [
            float(value.detach())
            for value in player.loss(Batch(x, torch.arange(8)), 1, draw()).values()
        ]

    here, there = blobs(8, 1), blobs(8, 2)
    assert terms(critic, here) != terms(critic, there)
    assert terms(generator, here) == terms(generator, there)
    assert terms(inference, here) == terms(inference, there)


@pytest.mark.parametrize(
    "warp", [Affine2d(), Chain(Displacement2d(3), Affine2d())], ids=lambda w: w.name
)
def test_generated_samples_are_the_models_own_and_carry_gradients_through_the_warp(
    warp: Warp,
) -> None:
    model = GAN(warp=warp, n_content=3, net=SMALL).build(SHAPE).eval()
    content, theta, x = generate(model, 5, draw(7))
    torch.testing.assert_close(x, model.sample(5, draw(7)))
    torch.testing.assert_close(
        x, model.warp.map(theta)(model.decode(content), model.window, model.frame)
    )
    weights = torch.linspace(0, 1, 16).expand_as(x)
    (x * weights).sum().backward()
    assert model.log_prior.grad is not None and bool((model.log_prior.grad != 0).any())
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.decoder.parameters())


def test_the_generators_step_follows_the_learned_prior_and_leaves_a_fixed_one() -> None:
    for prior in ("learned", 0.3):
        recipe = GAN(warp=Similarity2d(), n_content=3, net=SMALL, prior=prior)  # type: ignore[arg-type]
        model = recipe.build(SHAPE)
        before = model.prior.detach().clone()
        train(
            model, recipe.players(model), Dataset(blobs(32)), steps=5, batch_size=16, device="cpu"
        )
        assert torch.equal(before, model.prior.detach()) == (prior == 0.3)


def test_without_a_warp_it_is_the_plain_game() -> None:
    recipe = GAN(warp=Identity(), n_content=3, net=SMALL)
    model = recipe.build(SHAPE)
    critic, _, inference = recipe.players(model)
    assert isinstance(critic.module, Critic)
    batch = Batch(blobs(8), torch.arange(8))
    terms = critic.loss(batch, 1, draw(3))
    fake = model.decode(torch.randn(8, 3, generator=draw(3)))
    probability = critic.module(batch.x).sigmoid(), critic.module(fake).sigmoid()
    value = probability[0].log().mean() + (1 - probability[1]).log().mean()
    torch.testing.assert_close(terms["critic"], -value)
    assert set(inference.loss(batch, 0, draw())) == {"content"}


def test_r1_of_a_linear_critic_is_the_squared_norm_of_its_weights_and_is_paid_now_and_then() -> (
    None
):
    recipe = GAN(n_content=3, net=Net("mlp", (), ()), r1=4.0, r1_every=5)
    player = recipe.players(recipe.build(SHAPE))[0]
    weight = next(p for p in player.module.parameters() if p.dim() == 2)
    batch = Batch(blobs(8), torch.arange(8))
    terms = player.loss(batch, 10, draw())
    torch.testing.assert_close(terms["r1"], 0.5 * 4.0 * 5 * weight.square().sum())
    (slope,) = torch.autograd.grad(terms["r1"], weight)
    torch.testing.assert_close(slope, 4.0 * 5 * weight)
    assert set(player.loss(batch, 11, draw())) == {"critic"}


def test_the_penalty_is_the_gradient_of_each_sample_alone() -> None:
    critic = Critic(CONV, SHAPE)
    x = blobs(4).requires_grad_()
    together = gradient_penalty(critic(x), x)
    alone = [
        gradient_penalty(critic(row), row)
        for row in (x[i : i + 1].detach().requires_grad_() for i in range(4))
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def test_pose_errors_are_counted_in_half_ranges_and_around_the_circle() -> None:
    factors = (
        Factor("shift", "px", -2, 2),
        Factor("turn", "rad", -math.pi, math.pi, True),
        Factor("none", "", 0, 0),
    )
    theta = torch.tensor([[1.0, 3.1, 0.0]])
    torch.testing.assert_close(pose_error(theta, theta, factors), torch.zeros(1))
    around = theta + torch.tensor([[0.0, -2 * math.pi + 0.02, 0.0]])
    torch.testing.assert_close(
        pose_error(around, theta, factors), torch.tensor([0.02**2]), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        pose_error(theta + torch.tensor([[1.0, 0, 5.0]]), theta, factors), torch.tensor([0.25])
    )


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"objective": "wasserstein"}, "non-saturating, hinge"),
        ({"r1": -1.0}, "r1 must be 0 or more, got -1"),
        ({"r1_every": 0}, "r1_every must be at least 1"),
        ({"ema": 1.0}, r"ema must be in \(0, 1\)"),
        ({"critic_steps": 0}, "critic_steps must be at least 1"),
        ({"sigma": "learned"}, "no likelihood"),
        ({"n_content": 0}, "n_content must be at least 1"),
    ],
)
def test_impossible_choices_are_refused(choice: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        GAN(**choice)  # type: ignore[arg-type]


def test_every_field_survives_json() -> None:
    recipe = GAN(
        warp=Affine2d(),
        net=CONV,
        objective="hinge",
        ema=None,
        critic_optimiser=Optimiser(1e-4, 0.0, (0, 0.9)),
    )
    assert restore(describe(recipe)) == recipe


class Stop(Callback):
    """Ends a run after a step, as an interrupt would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        if state.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("spectral", [False, True])
def test_a_stopped_game_resumes_bit_for_bit_critic_included(
    spectral: bool, tmp_path: object
) -> None:
    recipe = GAN(
        warp=Affine2d(), n_content=3, net=SMALL, spectral=spectral, critic_steps=2, r1_every=3
    )

    def run(*callbacks: Callback) -> tuple[list[dict[str, Tensor]], list[Row]]:
        model = recipe.build(SHAPE, seed=1)
        players = recipe.players(model)
        history = train(
            model,
            players,
            Dataset(blobs(24)),
            steps=22,
            batch_size=8,
            device="cpu",
            callbacks=callbacks,
        )
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
        return [tensors(model), *(tensors(player.module) for player in players)], rows

    whole, history = run()
    place = f"{tmp_path}/run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(place, every=7), Stop(15))
    resumed, continued = run(Checkpoint(place))
    assert history == continued
    for one, other in zip(whole, resumed, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_history_carries_the_signs_of_the_game() -> None:
    recipe = GAN(warp=Affine2d(), n_content=3, net=SMALL)
    model = recipe.build(SHAPE)
    history = train(
        model, recipe.players(model), Dataset(blobs(32)), steps=11, batch_size=16, device="cpu"
    )
    names = {
        "critic",
        "generator",
        "content",
        "deformation",
        "critic.real",
        "critic.fake",
        "generator.coverage",
    }
    for row in history.rows:
        assert names | {
            f"{player}.gradient" for player in ("critic", "generator", "inference")
        } <= set(row)
        assert all(
            0 <= row[name] <= 1 for name in ("critic.real", "critic.fake", "generator.coverage")
        )
    assert history.rows[0]["critic"] == pytest.approx(math.log(4), abs=0.1)


def test_it_finds_both_of_two_modes() -> None:
    generator = draw(5)
    side = torch.randint(0, 2, (512, 1, 1), generator=generator) * 2.0 - 1
    data = Dataset(2 * side + 0.3 * torch.randn(512, 1, 1, generator=generator))
    quick = Optimiser(4e-3, 0.0, (0.0, 0.99))
    recipe = GAN(
        n_content=2,
        net=Net("mlp", (32, 32), (32, 32)),
        r1=0.3,
        ema=0.95,
        optimiser=quick,
        critic_optimiser=quick,
    )
    model = recipe.build((1, 1), seed=0)
    train(model, recipe.players(model)[:2], data, steps=500, batch_size=128, device="cpu")
    with torch.no_grad():
        found = model.sample(1000, draw(1)).flatten()
    assert 0.35 < float((found > 0).float().mean()) < 0.65
    assert float(((found.abs() - 2).abs() < 1).float().mean()) > 0.8


def test_the_inference_player_reads_deformations_off_generated_samples() -> None:
    recipe = GAN(
        warp=Similarity2d(rotation=30.0, shift=0.4),
        n_content=2,
        net=SMALL,
        prior=0.5,
        refinements=1,
        passes=(1, 1),
    )
    model = recipe.build(SHAPE, seed=0)
    corner = torch.zeros(SHAPE)
    corner[0, 3:9, 6:8], corner[0, 7:9, 6:11] = 1.0, 1.0
    with torch.no_grad():
        output_layer(model.decoder).bias.copy_(8 * corner.flatten() - 4)
    train(
        model, recipe.players(model)[2:], Dataset(blobs(64)), steps=150, batch_size=64, device="cpu"
    )
    with torch.no_grad():
        _, theta, x = generate(model, 500, draw(9))
        error = pose_error(model.warp.theta(model.encode(x).map), theta, model.warp.factors).mean()
        spread = pose_error(torch.zeros_like(theta), theta, model.warp.factors).mean()
    assert float(error) < 0.2 * float(spread)
