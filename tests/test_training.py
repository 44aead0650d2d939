"""The loop: stateless order, exact resume, clear errors, players that move only their own."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unwarp.checkpoints import Checkpoint
from unwarp.datasets import Dataset
from unwarp.models import AE, VAE, Model, Net, Optimiser, Player, Recipe
from unwarp.training import Callback, History, Quiet, Row, State, rows_at, train
from unwarp.types import Batch, CheckpointError, ConfigError, TrainingError
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))
AUTO = AE(warp=Affine2d(), n_content=3, net=SMALL)
VARIATIONAL = VAE(warp=Affine2d(), n_content=3, net=SMALL, rate_warmup=10)


def pictures(n: int = 40) -> Dataset:
    x = torch.rand(n, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    return Dataset(x, draw=lambda x, generator: (x + 0.1 * torch.rand(x.shape, generator=generator)).clamp(0, 1))


def fit(recipe: Recipe, callbacks: tuple[Callback, ...] = (), steps: int = 30, seed: int = 0) -> tuple[Model, History]:
    model = recipe.build((1, 10, 10), seed=0)
    players = tuple(replace(p, ema=0.9) for p in recipe.players(model))
    history = train(
        model, players, pictures(), steps=steps, batch_size=16, seed=seed, device="cpu", callbacks=callbacks
    )
    return model, history


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])


class Interrupt(Quiet):
    """Presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        if state.step == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("recipe", [AUTO, VARIATIONAL], ids=["ae", "vae"])
@pytest.mark.parametrize("stop", [0, 7, 28])
def test_a_stopped_run_resumes_bit_for_bit(recipe: Recipe, stop: int, tmp_path: Path) -> None:
    whole, history = fit(recipe)
    place = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, (Interrupt(stop), Checkpoint(place)))
    assert place.is_file()
    resumed, continued = fit(recipe, (Checkpoint(place),))
    assert torch.equal(weights(whole), weights(resumed))
    assert [r["reconstruction"] for r in history.rows] == [r["reconstruction"] for r in continued.rows]
    assert place.exists()
    Checkpoint(place).discard()
    assert not place.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(AUTO, (Interrupt(3), Checkpoint(place)))
    with pytest.raises(CheckpointError, match="30 steps with seed 0"):
        fit(AUTO, (Checkpoint(place),), seed=1)
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="damaged"):
        fit(AUTO, (Checkpoint(place),))


def test_epochs_visit_every_row_once_and_follow_the_seed() -> None:
    rows = torch.cat([rows_at(step, 10, 4, seed=3) for step in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    assert not torch.equal(rows_at(0, 1000, 16, 0), rows_at(0, 1000, 16, 1))
    assert len(rows_at(2, 3, 8, 0)) == 8


def test_a_loss_that_is_not_finite_names_step_player_and_term() -> None:
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        ruin = torch.tensor(float("nan") if step == 4 else 1.0)
        return {"fine": model.encode(batch.x).content.sum(), "broken": ruin * model.encode(batch.x).content.sum()}

    with pytest.raises(TrainingError, match=r"step 4, player 'clumsy': the term 'broken' is nan"):
        train(model, [Player("clumsy", model, loss)], pictures(), steps=10, batch_size=8, device="cpu")


def test_a_player_moves_only_its_own_and_rests_between_its_turns() -> None:
    model = AUTO.build((1, 10, 10))
    critic = nn.Linear(3, 1)
    seen: list[Tensor] = []

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        seen.append(critic.weight.detach().clone())
        return {"score": critic(model.encode(batch.x).content).square().mean()}

    before = [p.detach().clone() for p in model.parameters()]
    player = Player("critic", critic, loss, Optimiser(lr=0.1, warmup=1), every=3)
    train(model, [player], pictures(), steps=9, batch_size=8, device="cpu")
    assert len(seen) == 3
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert not torch.equal(seen[0], seen[1])


def test_a_deadline_hurries_the_schedule_and_ends_the_run() -> None:
    model = AUTO.build((1, 10, 10))
    history = train(model, AUTO.players(model), pictures(), steps=10**6, batch_size=8, seconds=0.5, device="cpu")
    assert history.steps < 10**5
    assert history.seconds < 5


def test_impossible_choices_are_refused() -> None:
    model = AUTO.build((1, 10, 10))
    with pytest.raises(ConfigError, match="steps=0"):
        train(model, AUTO.players(model), pictures(), steps=0)
    with pytest.raises(ConfigError, match="choose one of cpu"):
        train(model, AUTO.players(model), pictures(), steps=1, device="tpu")
