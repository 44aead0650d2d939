"""The loop: hooks, deadlines, measures, and players that move only their own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTO, CIRCLE, fit, pictures
from tests.weights import weights
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import Optimiser, Player, Recipe
from unwarp.models.hooks import Hooks
from unwarp.models.players import Loss
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State


@pytest.mark.parametrize(
    "recipe",
    [CIRCLE, replace(CIRCLE, pose_updates=0), replace(AUTO, pose_updates=4)],
    ids=["circle", "at the end alone", "one angle"],
)
def test_clusters_change_between_parts(recipe: Recipe) -> None:
    """A run of 30 steps with four updates has five parts."""
    rows: list[tuple[int, Tensor]] = []

    class Watch(Callback):
        def on_step(self, state: State, terms: Row) -> None:
            clusters = state.model.state_dict().get("search.clusters", torch.zeros(1)).nan_to_num()
            if not rows or not torch.equal(clusters, rows[-1][1]):
                rows.append((state.step, clusters.clone()))

    fit(recipe, (Watch(),))
    changes = [step for step, clusters in rows if clusters.any()]
    assert changes == ([6, 12, 18, 24] if recipe is CIRCLE else [])


def loss_of(net: nn.Module) -> Loss:
    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"square": net(batch.x.flatten(1)).square().mean()}

    return loss


def test_plain_module_is_trained() -> None:
    """A module without hooks needs nothing but one player; it ends in evaluation mode."""
    net = nn.Linear(100, 2)
    x = pictures().x.flatten(1)
    before = float(net(x).square().mean().detach())
    player = Player("net", net, loss_of(net), Optimiser(lr=0.005, warmup=1))
    history = train(net, [player], pictures(), steps=60, batch_size=8, device="cpu")
    assert history.steps == 60 and not net.training
    assert float(net(x).square().mean().detach()) < 0.5 * before


class Hooked(nn.Linear):
    """A linear layer with hooks that record the sizes of their samples and the mode."""

    def __init__(self) -> None:
        super().__init__(4, 2)
        self.calls: list[tuple[str, int, bool]] = []

    @property
    def training_hooks(self) -> Hooks:
        def record(name: str, x: Tensor) -> None:
            self.calls.append((name, len(x), self.training))

        return Hooks(2, partial(record, "update"), partial(record, "finish"))


def test_hooks_get_training_samples() -> None:
    """Two updates from 1,024 samples in training mode, then one end with 4,096 in use."""
    net, data = Hooked(), Dataset(torch.zeros(5000, 1, 2, 2))
    train(net, [Player("net", net, loss_of(net))], data, steps=9, batch_size=8, device="cpu")
    assert net.calls == [("update", 1024, True)] * 2 + [("finish", 4096, False)]
    small, few = Hooked(), data.subset(torch.arange(7).numpy())
    train(small, [Player("net", small, loss_of(small))], few, steps=9, batch_size=8, device="cpu")
    assert [n for _, n, _ in small.calls] == [7, 7, 7]


def test_full_circle_needs_no_sklearn() -> None:
    """Nor pandas, matplotlib or typer: a run that forms clusters of poses, with them blocked."""
    script = """
import sys
for name in ("sklearn", "pandas", "matplotlib", "typer"):
    sys.modules[name] = None
import torch
from unwarp import AE, Affine2d, Dataset, train
warp = Affine2d(rotation=180)
recipe = AE(warp=warp, n_content=2, starts=4, pose_clusters=2, pose_updates=2)
model, data = recipe.build((1, 12, 12)), Dataset(torch.rand(20, 1, 12, 12))
train(model, recipe.players(model), data, steps=6, batch_size=8, device="cpu")
assert model.search.clusters.isfinite().all()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


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
    history = train(
        model, AUTO.players(model), pictures(), steps=10**6, batch_size=8, seconds=0.5, device="cpu"
    )
    assert history.steps < 10**5


def test_impossible_choices_are_refused() -> None:
    model = AUTO.build((1, 10, 10))
    with pytest.raises(ConfigError, match="steps=0"):
        train(model, AUTO.players(model), pictures(), steps=0)
    with pytest.raises(ConfigError, match="choose one of cpu"):
        train(model, AUTO.players(model), pictures(), steps=1, device="tpu")


def test_a_measure_is_taken_without_gradient_where_a_row_is_logged_and_changes_nothing() -> None:
    seen: list[int] = []

    def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        assert not torch.is_grad_enabled()
        seen.append(step)
        return {"draw": torch.rand((), generator=generator), "size": torch.tensor(len(batch))}

    def run(measured: bool) -> tuple[Tensor, History]:
        model = AUTO.build((1, 10, 10), seed=0)
        players = tuple(
            replace(p, measure=measure if measured else None) for p in AUTO.players(model)
        )
        history = train(model, players, pictures(), steps=24, batch_size=8, device="cpu")
        return weights(model), history

    (watched, history), (alone, plain) = run(True), run(False)
    assert seen == [0, 10, 20, 23]
    assert [row["autoencoder.size"] for row in history.rows] == [8.0] * 4
    assert len({row["autoencoder.draw"] for row in history.rows}) == 4
    assert torch.equal(watched, alone)
    assert [row["reconstruction"] for row in history.rows] == [
        row["reconstruction"] for row in plain.rows
    ]
