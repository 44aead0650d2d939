"""The loop: hooks of models, time bounds, measures, and the parameters of each player."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, fit, pictures
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
    [FULL_CIRCLE, replace(FULL_CIRCLE, pose_updates=0), replace(AUTOENCODER, pose_updates=4)],
    ids=["circle", "at the end alone", "one angle"],
)
def test_clusters_change_between_parts(recipe: Recipe) -> None:
    """A run of 30 steps with four updates has five parts."""
    changes: list[tuple[int, Tensor]] = []

    class ClusterRecorder(Callback):
        """Records the clusters of poses when they change."""

        def on_step(self, state: State, terms: Row) -> None:
            """Compare the clusters with the last recorded ones."""
            clusters = state.model.state_dict().get("search.clusters", torch.zeros(1)).nan_to_num()
            if not changes or not torch.equal(clusters, changes[-1][1]):
                changes.append((state.step, clusters.clone()))

    fit(recipe, (ClusterRecorder(),))
    steps = [step for step, clusters in changes if clusters.any()]
    assert steps == ([6, 12, 18, 24] if recipe is FULL_CIRCLE else [])


def mean_square_loss(net: nn.Module) -> Loss:
    """The mean square of a network's output, as a loss."""

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"square": net(batch.x.flatten(1)).square().mean()}

    return loss


def test_plain_module_is_trained() -> None:
    """A module without hooks needs nothing but one player; it ends in evaluation mode."""
    net = nn.Linear(100, 2)
    x = pictures().x.flatten(1)
    initial_loss = float(net(x).square().mean().detach())
    player = Player("net", net, mean_square_loss(net), Optimiser(lr=0.005, warmup=1))
    history = train(net, [player], pictures(), steps=60, batch_size=8, device="cpu")
    assert history.steps == 60 and not net.training
    assert float(net(x).square().mean().detach()) < 0.5 * initial_loss


class HookedLayer(nn.Linear):
    """A linear layer with hooks that record the number of samples and the mode."""

    def __init__(self) -> None:
        super().__init__(4, 2)
        self.calls: list[tuple[str, int, bool]] = []

    @property
    def training_hooks(self) -> Hooks:
        """Two updates and a finish."""

        def record(name: str, x: Tensor) -> None:
            self.calls.append((name, len(x), self.training))

        def begin(x: Tensor) -> tuple[str, ...]:
            record("begin", x)
            return ()

        return Hooks(2, partial(record, "update"), partial(record, "finish"), begin)


def test_hooks_get_training_samples() -> None:
    """`begin` gets 512 samples, updates 1,024, and `finish` 4,096 in evaluation mode."""
    layer, data = HookedLayer(), Dataset(torch.zeros(5000, 1, 2, 2))
    player = Player("net", layer, mean_square_loss(layer))
    train(layer, [player], data, steps=9, batch_size=8, device="cpu")
    updates = [("update", 1024, True)] * 2
    assert layer.calls == [("begin", 512, True), *updates, ("finish", 4096, False)]
    layer, few_samples = HookedLayer(), data.subset(torch.arange(7).numpy())
    player = Player("net", layer, mean_square_loss(layer))
    train(layer, [player], few_samples, steps=9, batch_size=8, device="cpu")
    assert [n for _, n, _ in layer.calls] == [7, 7, 7, 7]


def test_full_circle_needs_no_sklearn() -> None:
    """A run that forms clusters of poses needs no sklearn, pandas, matplotlib or typer."""
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


def test_players_step_in_turn() -> None:
    """A player with a period of 3 steps at every third step, and trains its module alone."""
    model = AUTOENCODER.build((1, 10, 10))
    critic = nn.Linear(3, 1)
    critic_weights: list[Tensor] = []

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        critic_weights.append(critic.weight.detach().clone())
        return {"score": critic(model.encode(batch.x).content).square().mean()}

    before = [p.detach().clone() for p in model.parameters()]
    player = Player("critic", critic, loss, Optimiser(lr=0.1, warmup=1), interval=3)
    train(model, [player], pictures(), steps=9, batch_size=8, device="cpu")
    assert len(critic_weights) == 3
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert not torch.equal(critic_weights[0], critic_weights[1])


def test_time_bound_ends_a_run() -> None:
    """A run of a million steps ends after half a second."""
    model = AUTOENCODER.build((1, 10, 10))
    history = train(
        model,
        AUTOENCODER.players(model),
        pictures(),
        steps=10**6,
        batch_size=8,
        seconds=0.5,
        device="cpu",
    )
    assert history.steps < 10**5


def test_invalid_arguments_are_refused() -> None:
    """The message names the argument and its value."""
    model = AUTOENCODER.build((1, 10, 10))
    with pytest.raises(ConfigError, match="steps=0"):
        train(model, AUTOENCODER.players(model), pictures(), steps=0)
    with pytest.raises(ConfigError, match="choose one of cpu"):
        train(model, AUTOENCODER.players(model), pictures(), steps=1, device="tpu")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("model", (None, "model", AUTOENCODER)),
        ("players", (None, (), [], "all", [None])),
        ("data", (None, [1, 2], torch.zeros(4, 1, 10, 10).numpy())),
        ("callbacks", (None, 3, "progress", [None], [Callback], {Callback()}, iter(()))),
        ("facts", (3, [1])),
        ("seed", (-1, 1.5, None, True, 2**63)),
    ],
)
def test_other_objects_are_refused(name: str, values: tuple[Any, ...]) -> None:
    """Each object of a run has a type, and another one is named before the first step."""
    model = AUTOENCODER.build((1, 10, 10))
    right = {"model": model, "players": AUTOENCODER.players(model), "data": pictures()}
    for value in values:
        with pytest.raises(ConfigError, match=rf"^{name}=.* is not allowed; give "):
            train(**(right | {"steps": 1, name: value}))


def test_measures_do_not_change_training() -> None:
    """Measures are taken without gradient at logged steps; weights and losses stay the same."""
    measured_steps: list[int] = []

    def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        assert not torch.is_grad_enabled()
        measured_steps.append(step)
        return {"draw": torch.rand((), generator=generator), "size": torch.tensor(len(batch))}

    def run(has_measure: bool) -> tuple[Tensor, History]:
        model = AUTOENCODER.build((1, 10, 10), seed=0)
        players = tuple(
            replace(player, measure=measure if has_measure else None)
            for player in AUTOENCODER.players(model)
        )
        history = train(model, players, pictures(), steps=24, batch_size=8, device="cpu")
        return weights(model), history

    (measured_weights, measured), (plain_weights, plain) = run(True), run(False)
    assert measured_steps == [0, 10, 20, 23]
    assert [row["autoencoder.size"] for row in measured.rows] == [8.0] * 4
    assert len({row["autoencoder.draw"] for row in measured.rows}) == 4
    assert torch.equal(measured_weights, plain_weights)
    assert [row["reconstruction"] for row in measured.rows] == [
        row["reconstruction"] for row in plain.rows
    ]


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_settings_of_torch_change_nothing(context: Callable[[], Any]) -> None:
    """Under float64 as torch's default and without gradients, the weights are bit-equal."""
    rows = np.random.default_rng(0).random((40, 1, 10, 10))

    def train_anew() -> Tensor:
        model = AUTOENCODER.build((1, 10, 10), seed=0)
        data = Dataset(torch.from_numpy(rows).float())
        train(model, AUTOENCODER.players(model), data, steps=3, batch_size=8, device="cpu")
        return weights(model)

    expected = train_anew()
    torch.set_default_dtype(torch.float64)
    try:
        with context():
            assert torch.equal(train_anew(), expected)
    finally:
        torch.set_default_dtype(torch.float32)
