"""The GAN: players and their gradients, closed forms of its terms, and training."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.pictures import blobs
from tests.weights import has_changed, tensors
from unwarp.core import Batch, Factor
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import Net, Optimiser, Player
from unwarp.models.codec import describe, restore
from unwarp.models.critics import Critic
from unwarp.models.families.gan import GAN, pose_error, sample_with_latents
from unwarp.models.losses import gradient_penalty
from unwarp.nets.net import output_layer
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.state import Row, State
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Similarity2d, Warp

SHAPE = (1, 12, 16)
SMALL_NET = Net("mlp", (32, 16), (16, 32))
CONV_NET = Net("conv", (16,), (16,), channels=8)


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("net", [SMALL_NET, CONV_NET], ids=["mlp", "conv"])
@pytest.mark.parametrize("spectral", [False, True])
def test_players_train_their_module_alone(net: Net, spectral: bool) -> None:
    """A step of one player changes no weight or buffer of the others."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=net, spectral=spectral)
    model = recipe.build(SHAPE)
    players = recipe.players(model)
    assert [player.name for player in players] == ["critic", "generator", "inference"]
    for player in players:
        learner = replace(player, interval=1, optimiser=Optimiser(lr=0.01, warmup=0))
        before = [tensors(p.module) for p in players]
        train(model, [learner], Dataset(blobs(16)), steps=2, batch_size=8, device="cpu")
        changes = [has_changed(state, p.module) for state, p in zip(before, players, strict=True)]
        assert changes == [p.name == player.name for p in players]


def test_real_samples_reach_the_critic_alone() -> None:
    """The losses of the generator and of the inference player ignore the batch."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=SMALL_NET)
    critic, generator, inference = recipe.players(recipe.build(SHAPE))

    def terms(player: Player, x: Tensor) -> list[float]:
        loss = player.loss(Batch(x, torch.arange(8)), 1, rng())
        return [float(value.detach()) for value in loss.values()]

    x, other_x = blobs(8, 1), blobs(8, 2)
    assert terms(critic, x) != terms(critic, other_x)
    assert terms(generator, x) == terms(generator, other_x)
    assert terms(inference, x) == terms(inference, other_x)


@pytest.mark.parametrize(
    "warp", [Affine2d(), Chain(Displacement2d(3), Affine2d())], ids=lambda w: w.name
)
def test_generated_samples_have_gradients(warp: Warp) -> None:
    """They equal those of `Model.sample`; gradients pass the warp to decoder and prior."""
    model = GAN(warp=warp, n_content=3, net=SMALL_NET).build(SHAPE).eval()
    content, theta, x = sample_with_latents(model, 5, rng(7))
    torch.testing.assert_close(x, model.sample(5, rng(7)))
    torch.testing.assert_close(
        x, model.warp.map(theta)(model.decode(content), model.window, model.frame)
    )
    weights = torch.linspace(0, 1, 16).expand_as(x)
    (x * weights).sum().backward()
    assert model.log_prior.grad is not None and bool((model.log_prior.grad != 0).any())
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.decoder.parameters())


def test_training_changes_a_learned_prior() -> None:
    """The generator trains the scale of the prior if it is learned, and no fixed one."""
    for prior in ("learned", 0.3):
        warp = Similarity2d()
        recipe = GAN(warp=warp, n_content=3, net=SMALL_NET, prior=prior)  # type: ignore[arg-type]
        model, data = recipe.build(SHAPE), Dataset(blobs(32))
        before = model.prior.detach().clone()
        train(model, recipe.players(model), data, steps=5, batch_size=16, device="cpu")
        assert torch.equal(before, model.prior.detach()) == (prior == 0.3)


def test_loss_without_warp_is_published() -> None:
    """The critic's loss is minus the value of the game of Goodfellow et al. (2014)."""
    recipe = GAN(warp=Identity(), n_content=3, net=SMALL_NET)
    model = recipe.build(SHAPE)
    critic, _, inference = recipe.players(model)
    assert isinstance(critic.module, Critic)
    batch = Batch(blobs(8), torch.arange(8))
    terms = critic.loss(batch, 1, rng(3))
    fake = model.decode(torch.randn(8, 3, generator=rng(3)))
    probability = critic.module(batch.x).sigmoid(), critic.module(fake).sigmoid()
    value = probability[0].log().mean() + (1 - probability[1]).log().mean()
    torch.testing.assert_close(terms["critic"], -value)
    assert set(inference.loss(batch, 0, rng())) == {"content"}


def test_r1_of_linear_critic() -> None:
    """It is the squared norm of the weights, scaled by its period, at some steps only."""
    recipe = GAN(n_content=3, net=Net("mlp", (), ()), r1=4.0, r1_every=5)
    player = recipe.players(recipe.build(SHAPE))[0]
    weight = next(p for p in player.module.parameters() if p.dim() == 2)
    batch = Batch(blobs(8), torch.arange(8))
    terms = player.loss(batch, 10, rng())
    torch.testing.assert_close(terms["r1"], 0.5 * 4.0 * 5 * weight.square().sum())
    (gradient,) = torch.autograd.grad(terms["r1"], weight)
    torch.testing.assert_close(gradient, 4.0 * 5 * weight)
    assert set(player.loss(batch, 11, rng())) == {"critic"}


def test_penalty_ignores_other_samples() -> None:
    """The penalty of a sample is the same in a batch and by itself."""
    critic = Critic(CONV_NET, SHAPE)
    x = blobs(4).requires_grad_()
    batch_penalty = gradient_penalty(critic(x), x)
    single_penalties = [
        gradient_penalty(critic(row), row)
        for row in (x[i : i + 1].detach().requires_grad_() for i in range(4))
    ]
    torch.testing.assert_close(batch_penalty, torch.cat(single_penalties))


def test_pose_errors_are_in_half_ranges() -> None:
    """Periodic columns count around the circle, columns without a range not at all."""
    factors = (
        Factor("shift", "px", -2, 2),
        Factor("turn", "rad", -math.pi, math.pi, True),
        Factor("none", "", 0, 0),
    )
    theta = torch.tensor([[1.0, 3.1, 0.0]])
    torch.testing.assert_close(pose_error(theta, theta, factors), torch.zeros(1))
    turned = theta + torch.tensor([[0.0, -2 * math.pi + 0.02, 0.0]])
    torch.testing.assert_close(
        pose_error(turned, theta, factors), torch.tensor([0.02**2]), atol=1e-5, rtol=0
    )
    shifted = theta + torch.tensor([[1.0, 0, 5.0]])
    torch.testing.assert_close(pose_error(shifted, theta, factors), torch.tensor([0.25]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"objective": "wasserstein"}, "non-saturating, hinge"),
        ({"r1": -1.0}, "r1=-1.0 is not allowed; r1 must be 0 or more"),
        ({"r1_every": 0}, "r1_every must be at least 1"),
        ({"ema": 1.0}, r"ema must be in \(0, 1\)"),
        ({"critic_steps": 0}, "critic_steps must be at least 1"),
        ({"sigma": "learned"}, "no likelihood"),
        ({"n_content": 0}, "n_content must be a whole number from 1"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, object], message: str) -> None:
    """The message names the field and its range."""
    with pytest.raises(ConfigError, match=message):
        GAN(**fields)  # type: ignore[arg-type]


def test_fields_survive_json() -> None:
    """A recipe equals the one that is restored from its description."""
    recipe = GAN(
        warp=Affine2d(),
        net=CONV_NET,
        objective="hinge",
        ema=None,
        critic_optimiser=Optimiser(1e-4, 0.0, (0, 0.9)),
    )
    assert restore(describe(recipe)) == recipe


class Interrupt(Callback):
    """Ends a run after a step, as the user does with Ctrl-C."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Raise `KeyboardInterrupt` at the step."""
        if state.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("spectral", [False, True])
def test_resumed_run_is_bit_equal(spectral: bool, tmp_path: Path) -> None:
    """An interrupted run ends with the weights and history of a whole one, critic included."""
    recipe = GAN(
        warp=Affine2d(), n_content=3, net=SMALL_NET, spectral=spectral, critic_steps=2, r1_every=3
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

    whole_states, whole_rows = run()
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(path, interval=7), Interrupt(15))
    resumed_states, resumed_rows = run(Checkpoint(path))
    assert whole_rows == resumed_rows
    for whole, resumed in zip(whole_states, resumed_states, strict=True):
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_history_holds_terms_and_measures() -> None:
    """Rows have losses, probabilities, coverage and gradient norms; training starts at log 4."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=SMALL_NET)
    model, data = recipe.build(SHAPE), Dataset(blobs(32))
    history = train(model, recipe.players(model), data, steps=11, batch_size=16, device="cpu")
    shares = {"critic.real", "critic.fake", "generator.coverage"}
    names = {"critic", "generator", "content", "deformation"} | shares
    gradients = {f"{player}.gradient" for player in ("critic", "generator", "inference")}
    for row in history.rows:
        assert names | gradients <= set(row)
        assert all(0 <= row[name] <= 1 for name in shares)
    assert history.rows[0]["critic"] == pytest.approx(math.log(4), abs=0.1)


def test_generator_covers_two_modes() -> None:
    """Samples of a mixture of two Gaussians come from both, in about equal shares."""
    generator = rng(5)
    sign = torch.randint(0, 2, (512, 1, 1), generator=generator) * 2.0 - 1
    data = Dataset(2 * sign + 0.3 * torch.randn(512, 1, 1, generator=generator))
    optimiser = Optimiser(4e-3, 0.0, (0.0, 0.99))
    recipe = GAN(
        n_content=2,
        net=Net("mlp", (32, 32), (32, 32)),
        r1=0.3,
        ema=0.95,
        optimiser=optimiser,
        critic_optimiser=optimiser,
    )
    model = recipe.build((1, 1), seed=0)
    train(model, recipe.players(model)[:2], data, steps=500, batch_size=128, device="cpu")
    with torch.no_grad():
        samples = model.sample(1000, rng(1)).flatten()
    assert 0.35 < float((samples > 0).float().mean()) < 0.65
    assert float(((samples.abs() - 2).abs() < 1).float().mean()) > 0.8


def test_inference_recovers_deformations() -> None:
    """The trained encoder explains 80 % of the variance of the deformations it generated."""
    recipe = GAN(
        warp=Similarity2d(rotation=30.0, shift=0.4),
        n_content=2,
        net=SMALL_NET,
        prior=0.5,
        refinements=1,
        passes=(1, 1),
    )
    model, data = recipe.build(SHAPE, seed=0), Dataset(blobs(64))
    corner = torch.zeros(SHAPE)
    corner[0, 3:9, 6:8], corner[0, 7:9, 6:11] = 1.0, 1.0
    with torch.no_grad():
        output_layer(model.decoder).bias.copy_(8 * corner.flatten() - 4)
    train(model, recipe.players(model)[2:], data, steps=150, batch_size=64, device="cpu")
    with torch.no_grad():
        _, theta, x = sample_with_latents(model, 500, rng(9))
        predicted, factors = model.warp.theta(model.encode(x).map), model.warp.factors
        error = pose_error(predicted, theta, factors).mean()
        spread = pose_error(torch.zeros_like(theta), theta, factors).mean()
    assert float(error) < 0.2 * float(spread)


def test_pose_error_needs_the_right_mirror() -> None:
    """A discrete column has no error of its own; if it is wrong, its row has none at all."""
    factors = Similarity2d(mirror=True).factors
    theta = torch.tensor([[0.1, 0.2, 0.3, 0.4, 1.0]] * 2)
    predicted = theta * 0.5
    predicted[0, -1] = 1.0
    predicted[1, -1] = 0.0
    errors = pose_error(predicted, theta, factors)
    plain = pose_error(predicted[:, :4], theta[:, :4], factors[:4])
    assert errors.tolist() == [float(plain[0]), 0.0] and float(plain[0]) > 0
