"""Checkpoints: exact resumption, and files that are refused."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from tests.training.runs import AUTOENCODER, FULL_CIRCLE, VARIATIONAL, fit
from tests.weights import weights
from unwarp.errors import CheckpointError
from unwarp.models import Recipe
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import Row, State


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
    with pytest.raises(CheckpointError, match="30 steps with seed 0"):
        fit(AUTOENCODER, (Checkpoint(path),), seed=1)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="damaged"):
        fit(AUTOENCODER, (Checkpoint(path),))


def test_gradient_scale_is_restored(tmp_path: Path) -> None:
    """The scale of mixed precision survives a checkpoint."""

    def state(scale: float) -> State:
        model = AUTOENCODER.build((1, 10, 10))
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        scaler.scale(torch.ones(1))
        return State(model, (), (), (), steps=30, seed=0, step=4, scaler=scaler)

    saved_state, restored_state = state(8.0), state(1024.0)
    path = tmp_path / "run.checkpoint"
    Checkpoint(path, interval=1).on_step(saved_state, {})
    checkpoint = Checkpoint(path)
    checkpoint.on_start(restored_state)
    checkpoint.on_end(restored_state)
    assert restored_state.scaler is not None and saved_state.scaler is not None
    assert restored_state.scaler.state_dict() == saved_state.scaler.state_dict()
    assert restored_state.step == 5
