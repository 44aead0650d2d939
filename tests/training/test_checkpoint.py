"""Checkpoints: exact resume, and refusal of what belongs to another run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from tests.training.runs import AUTO, CIRCLE, VARIATIONAL, fit
from tests.weights import weights
from unwarp.errors import CheckpointError
from unwarp.models import Recipe
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import Row, State


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
    assert [r["reconstruction"] for r in history.rows] == [
        r["reconstruction"] for r in continued.rows
    ]
    assert place.exists()
    Checkpoint(place).discard()
    assert not place.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(AUTO, (Interrupt(3), Checkpoint(place)))
    with pytest.raises(CheckpointError, match="30 steps with seed 0"):
        fit(AUTO, (Checkpoint(place),), seed=1)
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="damaged"):
        fit(AUTO, (Checkpoint(place),))


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
