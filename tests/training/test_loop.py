"""The loop: stateless order, exact resume, clear errors, players that move only their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import CheckpointError, ConfigError, TrainingError
from unwarp.models import AE, VAE, Model, Net, Optimiser, Player, Recipe
from unwarp.models.hooks import Hooks
from unwarp.models.players import Loss
from unwarp.training.batches import rows_at
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))
AUTO = AE(warp=Affine2d(), n_content=3, net=SMALL)
CIRCLE = AE(warp=Affine2d(rotation=180), n_content=3, net=SMALL, starts=4, pose_clusters=2, pose_updates=4)
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


class Interrupt(Callback):
    """Presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        if state.step == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("recipe", [AUTO, VARIATIONAL, CIRCLE], ids=["ae", "vae", "circle"])
@pytest.mark.parametrize("stop", [0, 5, 7, 28])
def test_a_stopped_run_resumes_bit_for_bit(recipe: Recipe, stop: int, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
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
    assert signal.getsignal(signal.SIGINT) is before


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


def test_impossible_choices_are_refused() -> None:
    model = AUTO.build((1, 10, 10))
    with pytest.raises(ConfigError, match="steps=0"):
        train(model, AUTO.players(model), pictures(), steps=0)
    with pytest.raises(ConfigError, match="choose one of cpu"):
        train(model, AUTO.players(model), pictures(), steps=1, device="tpu")


def test_a_gradient_that_is_not_finite_is_named_too() -> None:
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"root": (0.0 * model.encode(batch.x).content.sum()).sqrt()}

    with pytest.raises(TrainingError, match=r"step 0, player 'steep': the gradient's norm is nan"):
        train(model, [Player("steep", model, loss)], pictures(), steps=10, batch_size=8, device="cpu")


def test_the_history_has_each_players_gradient_norm_before_clipping() -> None:
    layer = nn.Linear(100, 1, bias=False)
    model = AUTO.build((1, 10, 10))

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"mean": layer(batch.x.flatten(1)).mean()}

    data = Dataset(torch.full((8, 1, 10, 10), 3.0))
    for clip, rows in ((0.0, (0, 10)), (1.0, (0, 10, 12))):
        player = Player("line", layer, loss, Optimiser(lr=1e-3, clip=clip))
        history = train(model, [player], data, steps=13, batch_size=4, device="cpu")
        found = {row["step"]: row["line.gradient"] for row in history.rows if "line.gradient" in row}
        assert found == pytest.approx(dict.fromkeys(rows, 30.0))


def test_a_measure_is_taken_without_gradient_where_a_row_is_logged_and_changes_nothing() -> None:
    seen: list[int] = []

    def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        assert not torch.is_grad_enabled()
        seen.append(step)
        return {"draw": torch.rand((), generator=generator), "size": torch.tensor(len(batch))}

    def run(measured: bool) -> tuple[Tensor, History]:
        model = AUTO.build((1, 10, 10), seed=0)
        players = tuple(replace(p, measure=measure if measured else None) for p in AUTO.players(model))
        history = train(model, players, pictures(), steps=24, batch_size=8, device="cpu")
        return weights(model), history

    (watched, history), (alone, plain) = run(True), run(False)
    assert seen == [0, 10, 20, 23]
    assert [row["autoencoder.size"] for row in history.rows] == [8.0] * 4
    assert len({row["autoencoder.draw"] for row in history.rows}) == 4
    assert torch.equal(watched, alone)
    assert [row["reconstruction"] for row in history.rows] == [row["reconstruction"] for row in plain.rows]


def test_averages_follow_buffers_with_the_weights_and_soon_forget_the_start() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    model = AUTO.build((1, 2, 2))
    path: list[dict[str, Tensor]] = []

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {"square": (net(batch.x.flatten(1)) - 1).square().mean() + net[0].weight.square().sum()}

    class Watch(Callback):
        def on_step(self, state: State, terms: Row) -> None:
            path.append({name: value.clone() for name, value in net.state_dict().items()})

    start = {name: value.clone() for name, value in net.state_dict().items()}
    data = Dataset(torch.randn(64, 1, 2, 2) * 3 + 5)
    player = Player("net", net, loss, Optimiser(lr=0.1, warmup=1), ema=0.6)
    train(model, [player], data, steps=8, batch_size=16, device="cpu", callbacks=[Watch()])
    expected = start
    for step, now in enumerate(path):
        decay = min(0.6, (1 + step) / (10 + step))
        expected = {
            k: decay * v + (1 - decay) * now[k] if v.is_floating_point() else now[k] for k, v in expected.items()
        }
    assert path[0].keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, expected[name])
    assert not torch.allclose(net.state_dict()["1.running_mean"], path[-1]["1.running_mean"])


def test_the_scale_of_mixed_precision_survives_a_checkpoint(tmp_path: Path) -> None:
    def state(scale: float) -> State:
        model = AUTO.build((1, 10, 10))
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        scaler.scale(torch.ones(1))
        return State(model, (), (), (), steps=30, seed=0, step=4, scaler=scaler)

    kept, fresh = state(8.0), state(1024.0)
    place = tmp_path / "run.checkpoint"
    Checkpoint(place, every=1).on_step(kept, {})
    checkpoint = Checkpoint(place)
    checkpoint.on_start(fresh)
    checkpoint.on_end(fresh)
    assert fresh.scaler is not None and kept.scaler is not None
    assert fresh.scaler.state_dict() == kept.scaler.state_dict()
    assert fresh.step == 5
