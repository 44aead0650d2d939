"""Checkpoints: exact resumption, and files that are refused."""

from __future__ import annotations

import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, VARIATIONAL, fit
from tests.weights import weights
from unwarp.data.dataset import Dataset
from unwarp.errors import CheckpointError, CheckpointWarning
from unwarp.models import Recipe
from unwarp.models.codec import describe
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.checkpoint_files import read_snapshot
from unwarp.training.loop import train
from unwarp.training.state import History, Row, State


class Interrupt(Callback):
    """Presses Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the signal at the step."""
        if state.step == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    "recipe", [AUTOENCODER, VARIATIONAL, FULL_CIRCLE], ids=["ae", "vae", "circle"]
)
@pytest.mark.parametrize("stop_step", [0, 5, 7, 28])
def test_resumed_run_is_bit_equal(recipe: Recipe, stop_step: int, tmp_path: Path) -> None:
    """A run that is interrupted and resumed ends with the weights and losses of a whole one."""
    handler = signal.getsignal(signal.SIGINT)
    whole_model, whole_history = fit(recipe)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, (Interrupt(stop_step), Checkpoint(path)))
    assert path.is_file()
    resumed_model, resumed_history = fit(recipe, (Checkpoint(path),))
    assert torch.equal(weights(whole_model), weights(resumed_model))
    assert [row["reconstruction"] for row in whole_history.rows] == [
        row["reconstruction"] for row in resumed_history.rows
    ]
    assert path.exists()
    Checkpoint(path).discard()
    assert not path.exists()
    assert signal.getsignal(signal.SIGINT) is handler


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    """A file of another run or a damaged file raises an error that says so."""
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, (Interrupt(3), Checkpoint(path)))
    with pytest.raises(CheckpointError, match="seed=1, but it was 0"):
        fit(AUTOENCODER, (Checkpoint(path),), seed=1)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="damaged"):
        fit(AUTOENCODER, (Checkpoint(path),))


def interrupted(path: Path, step: int = 11, **options: Any) -> None:
    """A run that writes a checkpoint after every fifth step and stops after a step."""
    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, (Interrupt(step), Checkpoint(path, 5, **options)))


def flip(path: Path) -> None:
    """Change a byte of the last tensor."""
    content = bytearray(path.read_bytes())
    content[-3] ^= 16
    path.write_bytes(content)


def test_damaged_newest_falls_back(tmp_path: Path) -> None:
    """The checkpoint before takes its place, with a message; the end is bit-equal."""
    whole_model, whole_history = fit(AUTOENCODER)
    path, messages = tmp_path / "run.checkpoint", list[str]()
    interrupted(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "run.checkpoint",
        "run.checkpoint.1",
    ]
    flip(path)
    with pytest.raises(KeyboardInterrupt):  # a second interrupt must not lose the good one
        fit(AUTOENCODER, (Interrupt(10), Checkpoint(path, 50, on_message=messages.append)))
    assert len(messages) == 1
    assert re.search(
        r"run.checkpoint is damaged .*; continuing from .*run.checkpoint\.1", *messages
    )
    model, history = fit(AUTOENCODER, (Checkpoint(path),))
    assert torch.equal(weights(model), weights(whole_model))
    assert [row["reconstruction"] for row in history.rows] == [
        row["reconstruction"] for row in whole_history.rows
    ]
    Checkpoint(path).discard()
    assert not list(tmp_path.iterdir())


def test_damage_is_a_warning_by_default(tmp_path: Path) -> None:
    """Without a function for messages, damage is a warning that can be filtered by type."""
    interrupted(tmp_path / "run.checkpoint")
    flip(tmp_path / "run.checkpoint")
    with pytest.warns(CheckpointWarning, match="continuing from"):
        fit(AUTOENCODER, (Checkpoint(tmp_path / "run.checkpoint"),))


def test_damage_of_all_files_is_refused(tmp_path: Path) -> None:
    """A run never silently starts again from the first step."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)
    flip(path)
    flip(tmp_path / "run.checkpoint.1")
    with pytest.raises(CheckpointError, match=r"no other checkpoint; delete .*checkpoint\.1 to"):
        fit(AUTOENCODER, (Checkpoint(path),))
    assert path.exists()


def test_killed_rename_leaves_a_checkpoint(tmp_path: Path) -> None:
    """A kill between the two renames leaves the older file, from which the run continues."""
    path, messages = tmp_path / "run.checkpoint", list[str]()
    interrupted(path)
    path.unlink()
    model, _ = fit(AUTOENCODER, (Checkpoint(path, on_message=messages.append),))
    assert torch.equal(weights(model), weights(fit(AUTOENCODER)[0])) and not messages


def test_full_disk_keeps_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an error by type, and the run continues from the checkpoint before."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("unwarp.training.checkpoint_files.write_file", fail)
        for _ in range(2):
            with pytest.raises(CheckpointError, match="cannot be written: no space left"):
                fit(AUTOENCODER, (Checkpoint(path, 5),))
    states = list[int]()

    class Starts(Callback):
        def on_start(self, state: State) -> None:
            states.append(state.step)

    model, _ = fit(AUTOENCODER, (Checkpoint(path), Starts()))
    assert torch.equal(weights(model), weights(fit(AUTOENCODER)[0]))
    assert states == [12]


@pytest.mark.parametrize("n_files", [1, 3])
def test_number_of_files_is_bounded(n_files: int, tmp_path: Path) -> None:
    """As many files are kept as the argument says, and the older ones have higher numbers."""
    interrupted(tmp_path / "run.checkpoint", 21, n_files=n_files)
    names = ["run.checkpoint", "run.checkpoint.1", "run.checkpoint.2"][:n_files]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    steps = [read_snapshot(tmp_path / name).step for name in names]
    assert steps == [22, 20, 15][:n_files]


def test_checkpoints_are_written_in_time(tmp_path: Path) -> None:
    """A file is written after every `interval` steps, and no other one."""
    path, steps = tmp_path / "run.checkpoint", list[int]()

    class Times(Callback):
        def on_step(self, state: State, terms: Row) -> None:
            steps.append(read_snapshot(path).step if path.exists() else 0)

    fit(AUTOENCODER, (Checkpoint(path, 4), Times()), steps=9)
    assert steps == [0, 0, 0, 4, 4, 4, 4, 8, 8]


def test_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    """Ctrl-C twice ends the run within the step, with the checkpoint before and the old handler."""
    handler, path = signal.getsignal(signal.SIGINT), tmp_path / "run.checkpoint"

    class Impatient(Callback):
        def on_step(self, state: State, terms: Row) -> None:
            if state.step == 7:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, (Impatient(), Checkpoint(path, 5)))
    assert read_snapshot(path).step == 5
    assert signal.getsignal(signal.SIGINT) is handler


def test_third_interrupt_is_not_caught(tmp_path: Path) -> None:
    """The second Ctrl-C gives the signal back to the program at once, before the run ends."""
    handler, checkpoint = signal.getsignal(signal.SIGINT), Checkpoint(tmp_path / "a")
    checkpoint.on_start(State(torch.nn.Identity(), (), (), (), steps=9, seed=0))
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is not handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is handler


def test_damaged_file_is_dropped(tmp_path: Path) -> None:
    """A damaged checkpoint does not take the place of the good one at the next write."""
    path, names = tmp_path / "run.checkpoint", list[str]()
    interrupted(path)
    flip(path)

    class Names(Callback):
        def on_start(self, state: State) -> None:
            names.extend(file.name for file in tmp_path.iterdir())

    fit(AUTOENCODER, (Checkpoint(path, on_message=lambda line: None), Names()))
    assert names == ["run.checkpoint.1"]


def test_damaged_file_may_vanish(tmp_path: Path) -> None:
    """A damaged checkpoint that somebody deletes meanwhile is no error."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)
    flip(path)
    model, _ = fit(AUTOENCODER, (Checkpoint(path, on_message=lambda line: path.unlink()),))
    assert torch.equal(weights(model), weights(fit(AUTOENCODER)[0]))


def test_discarded_file_may_vanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody deletes while the run is cleared up is no error."""
    checkpoint = Checkpoint(tmp_path / "a")
    monkeypatch.setattr(checkpoint, "_files", lambda: [tmp_path / "absent"])
    checkpoint.discard()
    assert not list(tmp_path.iterdir())


def test_warning_is_at_the_line_of_its_cause(tmp_path: Path) -> None:
    """The warning about damage names the file that shows it, not that of the warning itself."""
    with pytest.warns(CheckpointWarning, match="a line") as caught:
        Checkpoint(tmp_path / "a")._show("a line")
    assert caught[0].filename == __file__


def test_default_checkpoints_are_documented(tmp_path: Path) -> None:
    """A checkpoint is written every 200 steps, and the one before it is kept."""
    checkpoint = Checkpoint(tmp_path / "a")
    assert (checkpoint.interval, checkpoint.n_files) == (200, 2)
    assert "200 steps" in Checkpoint.__doc__ and "2 checkpoints" in Checkpoint.__doc__


def test_other_threads_train_with_checkpoints(tmp_path: Path) -> None:
    """Outside the main thread, which alone catches interrupts, files are written all the same."""
    path, handlers = tmp_path / "run.checkpoint", [signal.getsignal(signal.SIGINT)]
    thread = threading.Thread(target=lambda: fit(AUTOENCODER, (Checkpoint(path, 2),), steps=4))
    thread.start()
    thread.join()
    assert read_snapshot(path).step == 4 and signal.getsignal(signal.SIGINT) in handlers


def test_failed_rename_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that lost its permission is named with the mend, and keeps its checkpoint."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)
    content = path.read_bytes()

    def fail(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(CheckpointError, match="renamed: Permission denied; make the folder"):
            fit(AUTOENCODER, (Checkpoint(path, 5),))
    assert path.read_bytes() == content


def test_discard_spares_other_files(tmp_path: Path) -> None:
    """Checkpoints and decisions of the run go; files with similar names stay."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)
    Checkpoint(path).on_decision("selection", {}, {})
    others = {"run.checkpoint.txt", "run.checkpoint.1.old", "run.checkpoint2", "other.checkpoint.1"}
    for name in others:
        (tmp_path / name).touch()
    Checkpoint(path).discard()
    assert {file.name for file in tmp_path.iterdir()} == others


@pytest.mark.parametrize("change", ["order", "value", "rows", "batch_size", "recipe", "model"])
def test_other_runs_are_refused(change: str, tmp_path: Path) -> None:
    """Other data, another batch size or another recipe is refused and named."""
    path = tmp_path / "run.checkpoint"
    x = torch.rand(20, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    samples = {"order": x.flip(0), "value": x * 0.99, "rows": x[:-1]}

    def run(x: Tensor, recipe: Recipe, batch_size: int, *callbacks: Callback) -> None:
        model, facts = recipe.build((1, 10, 10), seed=0), {"recipe": describe(recipe)}
        options: dict[str, Any] = {"steps": 4, "batch_size": batch_size, "facts": facts}
        players = recipe.players(model)
        train(model, players, Dataset(x), device="cpu", callbacks=callbacks, **options)

    with pytest.raises(KeyboardInterrupt):
        run(x, AUTOENCODER, 8, Interrupt(1), Checkpoint(path))
    recipes = {"recipe": replace(AUTOENCODER, isometry=0.5), "model": FULL_CIRCLE}
    recipe, size = recipes.get(change, AUTOENCODER), 16 if change == "batch_size" else 8
    names = {"order": "samples", "value": "samples", "rows": "shape", "recipe": "recipe.isometry"}
    pattern = rf"belongs to another run \(.*{names.get(change, '')}.*\); restore .*, or delete"
    with pytest.raises(CheckpointError, match=pattern):
        run(samples.get(change, x), recipe, size, Checkpoint(path))
    run(x, AUTOENCODER, 8, Checkpoint(path))


def test_decisions_are_recalled(tmp_path: Path) -> None:
    """A decision comes back for the same facts, is refused for others, and is discarded."""
    messages = list[str]()
    checkpoint = Checkpoint(tmp_path / "run.checkpoint", on_message=messages.append)
    assert checkpoint.recall("selection", {"seed": 0}) is None
    checkpoint.on_decision("selection", {"seed": 0}, {"choice": "none"})
    assert checkpoint.recall("selection", {"seed": 0}) == {"choice": "none"}
    with pytest.raises(CheckpointError, match=r"another run \(seed=1, but it was 0\)"):
        checkpoint.recall("selection", {"seed": 1})
    (file,) = tmp_path.iterdir()
    file.write_text("{}")
    assert checkpoint.recall("selection", {"seed": 0}) is None
    assert "the decision is made again" in messages[0]
    checkpoint.discard()
    assert not list(tmp_path.iterdir())


def test_gradient_scale_is_restored(tmp_path: Path) -> None:
    """The scale of mixed precision survives a checkpoint."""

    def state(scale: float) -> State:
        model = AUTOENCODER.build((1, 10, 10))
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        scaler.scale(torch.ones(1))
        return State(model, (), (), (), 30, 0, 4, History(steps=5), scaler)

    saved_state, restored_state = state(8.0), state(1024.0)
    path = tmp_path / "run.checkpoint"
    Checkpoint(path, interval=1).on_step(saved_state, {})
    checkpoint = Checkpoint(path)
    checkpoint.on_start(restored_state)
    checkpoint.on_end(restored_state)
    assert restored_state.scaler is not None and saved_state.scaler is not None
    assert restored_state.scaler.state_dict() == saved_state.scaler.state_dict()
    assert restored_state.step == 5


@pytest.mark.parametrize("is_damaged", [False, True])
def test_undeletable_file_is_typed(
    is_damaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that cannot be deleted is named, with what to do."""
    path = tmp_path / "run.checkpoint"
    interrupted(path)

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    checkpoint = Checkpoint(path, on_message=lambda line: None)
    with pytest.raises(CheckpointError, match=r"run\.checkpoint cannot be deleted: permission"):
        if is_damaged:
            flip(path)
            fit(AUTOENCODER, (checkpoint,))
        else:
            checkpoint.discard()
