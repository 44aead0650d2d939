"""Held-out samples: they decide the length of a run and its weights, and change nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import AUTOENCODER, SMALL_NET, VARIATIONAL, pictures
from tests.weights import weights
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import CheckpointError, ConfigError, DivergenceError
from unwarp.models import MixingAE, Model, Optimiser, Player, Recipe
from unwarp.training import Validation
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.loop import train
from unwarp.training.slots import copy_weights
from unwarp.training.state import History, Row, State
from unwarp.training.tensors import copies
from unwarp.warps import Affine2d

HELD_OUT = pictures(8)
MIXING = MixingAE(warp=Affine2d(), n_content=3, net=SMALL_NET, mixing=2.0)


def fit(
    recipe: Recipe = AUTOENCODER,
    callbacks: tuple[Callback, ...] = (),
    steps: int = 30,
    ema: float | None = 0.9,
    **fields: Any,
) -> tuple[Model, History]:
    """A trained model with held-out samples, measured at every fifth step unless fields say so."""
    model = recipe.build((1, 10, 10), seed=0)
    weight = getattr(recipe, recipe.held_out_term, 1.0)
    fields = {"interval": 5, "term": recipe.held_out_term, "weight": weight} | fields
    players = tuple(replace(player, ema=ema) for player in recipe.players(model))
    options: dict[str, Any] = {"steps": steps, "batch_size": 16, "device": "cpu"}
    validation = Validation(HELD_OUT, **fields)
    data = pictures(24)
    history = train(model, players, data, **options, callbacks=callbacks, validation=validation)
    return model, history


class Plateau(Callback):
    """Makes the error constant from a step on: the weights stay as they are."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.frozen: dict[str, Tensor] = {}
        self.lines: list[str] = []
        self.rates: list[float] = []

    def on_message(self, line: str) -> None:
        """Record a line."""
        self.lines.append(line)

    def on_start(self, state: State) -> None:
        """Freeze the weights of a resumed run."""
        self.freeze(state)

    def on_step(self, state: State, terms: Row) -> None:
        """Restore the frozen weights."""
        self.rates.append(state.optimisers[0].param_groups[0]["lr"])
        self.freeze(state)

    def freeze(self, state: State) -> None:
        """Freeze the weights, or restore them."""
        if state.step >= self.step:
            self.frozen = self.frozen or copy_weights(state.model)
            state.model.load_state_dict(self.frozen)


@pytest.mark.parametrize("recipe", [AUTOENCODER, VARIATIONAL, MIXING], ids=["ae", "vae", "mixing"])
def test_measuring_changes_no_step(recipe: Recipe) -> None:
    """Losses and last weights are those of a run without held-out samples, to the bit."""
    ends: list[Tensor] = []

    class LastWeights(Callback):
        """Keeps the weights of the last step."""

        def on_step(self, state: State, terms: Row) -> None:
            """Copy them."""
            if state.step == state.steps - 1:
                ends.append(weights(state.model))  # type: ignore[arg-type]

    _, measured = fit(recipe, (LastWeights(),))
    model = recipe.build((1, 10, 10), seed=0)
    players = tuple(replace(player, ema=0.9) for player in recipe.players(model))
    options: dict[str, Any] = {"steps": 30, "batch_size": 16, "device": "cpu"}
    plain = train(model, players, pictures(24), **options, callbacks=(LastWeights(),))
    assert torch.equal(*ends)
    timeless = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
        for history in (measured, plain)
    ]
    assert timeless[0] == timeless[1]
    assert [row["step"] for row in measured.validation] == [5, 10, 15, 20, 25, 30]
    assert all(recipe.held_out_term in row for row in measured.validation)


@pytest.mark.parametrize("recipe", [AUTOENCODER, VARIATIONAL, MIXING], ids=["ae", "vae", "mixing"])
def test_error_is_above_perfection(recipe: Recipe) -> None:
    """With a Gaussian likelihood it is the squared error, without the constants of the loss."""
    recipe = replace(recipe, likelihood="gaussian", sigma=0.5)
    row = fit(recipe, steps=5)[1].validation[-1]
    loss = row[recipe.held_out_term] / getattr(recipe, recipe.held_out_term, 1.0)
    constant = 100 * (torch.tensor(0.5).log() + 0.5 * torch.tensor(2 * torch.pi).log())
    assert row["error"] == pytest.approx(loss - float(constant), rel=1e-4)


def test_learned_sigma_has_a_squared_error() -> None:
    """If the standard deviation is learned, a fall of the loss by D / 2 log 2 halves the error."""
    recipe = replace(AUTOENCODER, likelihood="gaussian", sigma="learned")
    first, last = (fit(recipe).__getitem__(1).validation[i] for i in (0, -1))
    nats = first["reconstruction"] - last["reconstruction"]
    ratio = torch.tensor(2 * nats / 100).exp()
    assert first["error"] / last["error"] == pytest.approx(float(ratio), rel=1e-4)


def test_plateau_ends_a_run_with_a_model() -> None:
    """The run cools down for a quarter of its steps, and the history says why."""
    callback = Plateau(20)
    _, history = fit(AUTOENCODER, (callback,), steps=400, ema=None)
    (change,) = history.changes
    assert change.to_steps == history.steps == round(1.25 * change.step) < 400
    assert history.stopped == change.reason and history.notes[0] == str(change)
    assert callback.lines == [f"training {change}"]
    assert callback.rates[-1] < 0.1 * callback.rates[change.step - 1]


def test_falling_error_extends_a_run() -> None:
    """A run that still improves is extended up to its bound, and its rates rise again."""
    callback = Plateau(10**6)
    _, history = fit(steps=16 * 2, callbacks=(callback,), interval=2, max_steps=100, ema=None)
    assert [(change.from_steps, change.to_steps) for change in history.changes] == [
        (32, 64),
        (64, 100),
    ]
    assert history.steps == 100 and not history.stopped
    assert callback.rates[32] > 5 * callback.rates[31]
    assert [line.partition(":")[0] for line in callback.lines] == [
        "training extended from 32 to 64 steps",
        "training extended from 64 to 100 steps",
    ]


def test_best_weights_are_kept() -> None:
    """A model that gets worse ends with the averaged weights of its least error."""

    class Spoil(Callback):
        """Adds noise to the weights from a step on, and keeps the averages before."""

        average: dict[str, Tensor]

        def on_step(self, state: State, terms: Row) -> None:
            """Spoil the weights."""
            if state.step == 9:
                self.average = copies(state.averages[0])
            if state.step >= 10:
                for parameter in state.model.parameters():
                    parameter.data += 0.5 * torch.randn_like(parameter)

    callback = Spoil()
    model, history = fit(callbacks=(callback,))
    assert history.best["step"] == 10 and "kept the weights after step 10" in history.notes[-1]
    parameters = dict(model.named_parameters())
    assert all(torch.equal(value, callback.average[name]) for name, value in parameters.items())


class Kill(Callback):
    """Ends the process, so to say, after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        if state.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", [10, 37, 66, 90])
def test_killed_run_resumes_to_the_bit(step: int, tmp_path: Path) -> None:
    """Before and after an extension, the resumed run ends as the whole one."""
    options: dict[str, Any] = {"steps": 32, "interval": 2, "max_steps": 100}
    whole_model, whole = fit(**options)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(**options, callbacks=(Checkpoint(path, 4), Kill(step)))
    model, history = fit(**options, callbacks=(Checkpoint(path),))
    assert torch.equal(weights(model), weights(whole_model))
    assert (history.changes, history.steps) == (whole.changes, whole.steps)
    pairs = zip(history.validation, whole.validation, strict=True)
    assert all(first["error"] == second["error"] for first, second in pairs)


def test_killed_plateau_resumes(tmp_path: Path) -> None:
    """A run that is killed while it cools down ends at the step of the whole one."""
    options: dict[str, Any] = {"steps": 400, "ema": None}
    whole_model, whole = fit(callbacks=(Plateau(20),), **options)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        steps = whole.changes[0].step
        fit(callbacks=(Plateau(20), Checkpoint(path, 1), Kill(steps + 3)), **options)
    model, history = fit(callbacks=(Checkpoint(path), Plateau(20)), **options)
    assert (history.steps, history.stopped) == (whole.steps, whole.stopped)
    assert torch.equal(weights(model), weights(whole_model))


def test_module_without_the_term_is_measured() -> None:
    """A plain module is measured by the sum of its loss terms."""
    net = nn.Linear(100, 2)

    def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        value = net(batch.x.flatten(1)).square().mean()
        return {"a": value, "b": 2 * value}

    player = Player("net", net, loss, Optimiser(lr=0.005))
    validation = Validation(HELD_OUT, interval=5)
    options: dict[str, Any] = {"steps": 5, "device": "cpu", "validation": validation}
    row = train(net, [player], pictures(), **options).validation[-1]
    assert row["objective"] == row["error"] > 0


def test_loss_that_is_not_finite_is_told() -> None:
    """Held-out samples with extreme values end the run by the error of a divergence."""
    model = AUTOENCODER.build((1, 10, 10))
    validation = Validation(Dataset(torch.full((4, 1, 10, 10), 1e30)), interval=5)
    options: dict[str, Any] = {"steps": 9, "device": "cpu", "validation": validation}
    with pytest.raises(DivergenceError, match="the loss of held-out samples is"):
        train(model, AUTOENCODER.players(model), pictures(), **options)


def test_other_validation_is_refused(tmp_path: Path) -> None:
    """The argument has a type, and a checkpoint with other held-out samples is not resumed."""
    model = AUTOENCODER.build((1, 10, 10))
    with pytest.raises(ConfigError, match=r"^validation=0.1 is not allowed; give a Validation"):
        options: dict[str, Any] = {"steps": 1, "validation": 0.1}
        train(model, AUTOENCODER.players(model), pictures(), **options)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=(Checkpoint(path, 4), Kill(9)))
    with pytest.raises(CheckpointError, match=r"validation\.interval=7, but it was 5"):
        fit(callbacks=(Checkpoint(path),), interval=7)
