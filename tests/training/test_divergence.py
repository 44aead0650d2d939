"""Divergence: what ends a run, and the way back to a state from which it continues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, VARIATIONAL, fit, pictures
from tests.weights import weights
from unwarp.core import Batch, DivergencePolicy
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError, DivergenceError
from unwarp.models import GAN, Net, Optimiser, Player, Recipe
from unwarp.training.batches import step_generator
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.divergence import MAX_ROLLBACKS
from unwarp.training.loop import train
from unwarp.training.state import SEED_STRIDE_OF_ROLLBACK, History, Row, State
from unwarp.warps import Affine2d

ROWS = Dataset(torch.rand(12, 4, generator=torch.Generator().manual_seed(0)))
SMALL_GAN = GAN(warp=Affine2d(), n_content=3, net=Net("mlp", (16,), (16,)))


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore point at every fifth step."""
    monkeypatch.setattr("unwarp.training.divergence.RESTORE_INTERVAL", 5)


class Listener(Callback):
    """Records messages and, after each step, the learning rate of each player."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.rates: list[tuple[int, list[float]]] = []

    def on_message(self, line: str) -> None:
        """Record the line."""
        self.lines.append(line)

    def on_step(self, state: State, terms: Row) -> None:
        """Record the rates."""
        rates = [optimiser.param_groups[0]["lr"] for optimiser in state.optimisers]
        self.rates.append((state.step, rates))


def is_draw(generator: torch.Generator, step: int, n_rollbacks: int) -> bool:
    """Whether a generator is that of a step after a number of rollbacks."""
    seed = SEED_STRIDE_OF_ROLLBACK * n_rollbacks
    return generator.initial_seed() == step_generator(seed, step).initial_seed()


def run_unlucky(
    draws: set[tuple[int, int]],
    callbacks: tuple[Callback, ...] = (),
    policy: DivergencePolicy = "rollback",
    recipe: Recipe = AUTOENCODER,
) -> tuple[Tensor, History]:
    """A run of 30 steps with a loss that is NaN at pairs of a step and a number of rollbacks."""
    model = recipe.build((1, 10, 10), seed=0)

    def spoil(player: Player) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            is_unlucky = any(is_draw(generator, *draw) for draw in draws)
            terms = player.loss(batch, step, generator)
            factor = torch.nan if is_unlucky else 1.0
            return {name: factor * value for name, value in terms.items()}

        return replace(player, loss=loss, ema=0.9)

    players = [spoil(player) for player in recipe.players(model)]
    options: dict[str, Any] = {"steps": 30, "batch_size": 16, "device": "cpu"}
    history = train(
        model, players, pictures(), on_divergence=policy, callbacks=callbacks, **options
    )
    return weights(model), history


def run_steep(policy: DivergencePolicy, *callbacks: Callback, lr: float = 100.0) -> Any:
    """A linear network with an exponential loss, trained at a rate that is far too high."""
    torch.manual_seed(0)
    net = nn.Linear(4, 1)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"error": (net(batch.x) - 8).cosh().mean()}

    player = Player("net", net, loss, Optimiser(lr=lr, warmup=1))
    history = train(
        net, [player], ROWS, steps=60, device="cpu", on_divergence=policy, callbacks=callbacks
    )
    return net, history


def test_high_rate_ends_well() -> None:
    """A rate that ends in an error with `stop` is halved until the run learns to its end."""
    with pytest.raises(DivergenceError, match=r"step \d, .* is inf; .*on_divergence='rollback'"):
        run_steep("stop")
    listener = Listener()
    net, history = run_steep("rollback", listener)
    assert 1 <= len(history.rollbacks) <= MAX_ROLLBACKS
    factors = [rollback.rates["net"] / 100 for rollback in history.rollbacks]
    assert factors == [0.5 ** (i + 1) for i in range(len(factors))]
    assert listener.lines == [f"training {rollback}" for rollback in history.rollbacks]
    assert history.steps == 60 and history.rows[-1]["error"] < 0.01 * history.rows[0]["error"]
    steps = [row["step"] for row in history.rows]
    assert steps == sorted(set(steps))
    assert all(parameter.isfinite().all() for parameter in net.parameters())


@pytest.mark.parametrize(
    "recipe", [AUTOENCODER, VARIATIONAL, FULL_CIRCLE, SMALL_GAN], ids=["ae", "vae", "circle", "gan"]
)
def test_sound_run_is_not_changed(recipe: Recipe) -> None:
    """Without a divergence the weights and losses are bit-equal to those of `stop`."""
    (stopped, history), (restored, other) = (
        fit(recipe, on_divergence=policy) for policy in ("stop", "rollback")
    )
    assert torch.equal(weights(stopped), weights(restored))
    rows = [[{**row, "seconds": 0} for row in part.rows] for part in (history, other)]
    assert rows[0] == rows[1] and not other.rollbacks


class Kill(Callback):
    """Ends the process, so to say, after a number of steps that were run in it."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps

    def on_step(self, state: State, terms: Row) -> None:
        """Count down."""
        self.n_steps -= 1
        if not self.n_steps:
            raise SystemExit


DRAWS_OF_KILLED_RUN = {(17, 0), (16, 1), (29, 2)}


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Tensor, History]:
    """Weights and history of a run with three rollbacks that is not killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unwarp.training.divergence.RESTORE_INTERVAL", 5)
        return run_unlucky(DRAWS_OF_KILLED_RUN)


@pytest.mark.parametrize(("n_steps", "n_files"), [(8, 2), (16, 1), (18, 2), (21, 1), (34, 2)])
def test_killed_rollback_resumes_exactly(
    n_steps: int, n_files: int, undisturbed: tuple[Tensor, History], tmp_path: Path
) -> None:
    """Killed before, at or after a rollback, a run resumes to the bit, with the same rollbacks."""
    draws, path, (whole, history) = DRAWS_OF_KILLED_RUN, tmp_path / "run.checkpoint", undisturbed
    assert [(r.step, r.to_step) for r in history.rollbacks] == [(17, 15), (16, 0), (29, 25)]
    with pytest.raises(SystemExit):
        run_unlucky(draws, (Checkpoint(path, 7, n_files), Kill(n_steps)))
    with pytest.raises(SystemExit):
        run_unlucky(draws, (Checkpoint(path, 4, n_files), Kill(5)))
    resumed, other = run_unlucky(draws, (Checkpoint(path, 7, n_files),))
    assert torch.equal(whole, resumed)
    assert other.rollbacks == history.rollbacks
    assert [row["reconstruction"] for row in other.rows] == [
        row["reconstruction"] for row in history.rows
    ]


def test_stopped_run_resumes_with_rollback(tmp_path: Path) -> None:
    """A run that stopped continues from its checkpoint once rollbacks are allowed."""
    path = tmp_path / "run.checkpoint"
    with pytest.raises(DivergenceError):
        run_unlucky({(17, 0)}, (Checkpoint(path, 7),), "stop")
    history = run_unlucky({(17, 0)}, (Checkpoint(path, 7),))[1]
    assert [point.to_step for point in history.rollbacks] == [15]


def test_restore_point_is_used_once() -> None:
    """A run that diverges again before a new restore point goes back to its beginning."""

    def path(draws: set[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(r.step, r.to_step) for r in run_unlucky(draws)[1].rollbacks]

    assert path({(12, 0), (11, 1), (3, 2)}) == [(12, 10), (11, 0), (3, 0)]
    assert path({(12, 0), (16, 1), (17, 2)}) == [(12, 10), (16, 15), (17, 0)]


def test_all_players_slow_down() -> None:
    """After a rollback every player has half its rate at the same step, and no other."""
    listener = Listener()
    history = run_unlucky({(13, 0)}, (listener,), recipe=SMALL_GAN)[1]
    (rollback,) = history.rollbacks
    assert len(rollback.rates) > 1
    before, after = [rates for step, rates in listener.rates if step == 11]
    assert after == [rate / 2 for rate in before]
    assert [rates for step, rates in listener.rates if step == 9] == [run_rates(SMALL_GAN)[9]]


def run_rates(recipe: Recipe) -> list[list[float]]:
    """The learning rates of all players at each step of a run without divergence."""
    listener = Listener()
    run_unlucky(set(), (listener,), recipe=recipe)
    return [rates for _, rates in listener.rates]


def test_last_error_tells_what_was_tried() -> None:
    """After five rollbacks the error has the steps, the last rates and the rows of samples."""
    listener = Listener()
    with pytest.raises(DivergenceError) as caught:
        run_unlucky({(3, n) for n in range(MAX_ROLLBACKS + 1)}, (listener,))
    text = str(caught.value)
    rate = AUTOENCODER.optimiser.lr / 2**MAX_ROLLBACKS
    assert "step 3, player 'autoencoder': the loss term 'reconstruction' is nan" in text
    assert "went back 5 times (to the steps 0, 0, 0, 0, 0)" in text
    assert f"autoencoder lr={rate:.3g}" in text
    assert f"in rows {list(caught.value.rows)} and others" in text
    assert len(listener.lines) == MAX_ROLLBACKS


def run_hidden(policy: DivergencePolicy, steps: int, draws: set[tuple[int, int]]) -> History:
    """A run with gradients that are NaN, unseen, at pairs of a step and a number of rollbacks."""
    net = nn.Linear(4, 1)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        is_unlucky = any(is_draw(generator, *draw) for draw in draws)
        root = (0.0 * net(batch.x).sum()).sqrt() if is_unlucky else net(batch.x).sum()
        return {"root": root}

    player = Player("net", net, loss, Optimiser(clip=0.0))
    return train(net, [player], ROWS, steps=steps, device="cpu", on_divergence=policy)


def test_last_update_is_checked() -> None:
    """Weights that the last update made NaN are a divergence, too."""
    with pytest.raises(DivergenceError, match="after step 5, player 'net': a weight is not finite"):
        run_hidden("stop", 5, {(4, 0)})
    assert len(run_hidden("rollback", 5, {(4, 0)}).rollbacks) == 1


def test_lost_state_is_no_restore_point() -> None:
    """A state with weights that are NaN is not gone back to."""
    (rollback,) = run_hidden("rollback", 20, {(9, 0)}).rollbacks
    assert (rollback.step, rollback.to_step) == (10, 5)


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With several processes, rollbacks are refused; an unknown policy is, too."""
    with pytest.raises(ConfigError, match=r"on_divergence='retry' is not .* one of stop, rollback"):
        run_hidden("retry", 5, set())  # type: ignore[arg-type]
    engine = SimpleNamespace(num_processes=2)
    monkeypatch.setattr("unwarp.training.loop.make_accelerator", lambda *options: engine)
    with pytest.raises(ConfigError, match=r"on_divergence='rollback' .* with 2 processes"):
        run_hidden("rollback", 5, set())
