"""Callbacks: the order of their hooks, and their defaults."""

from __future__ import annotations

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit
from tests.weights import weights
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State


class Recorder(Callback):
    """Records the hooks that are called, and raises an error after one step."""

    def __init__(self, failing_step: int = -1) -> None:
        self.calls: list[str] = []
        self.failing_step = failing_step

    def on_start(self, state: State) -> None:
        """Record the start."""
        self.calls.append("start")

    def on_step(self, state: State, terms: Row) -> None:
        """Record the step, and fail at one."""
        self.calls.append(f"step {state.step}")
        if state.step == self.failing_step:
            raise RuntimeError("deliberate")

    def on_stop(self, state: State) -> None:
        """Record the early end."""
        self.calls.append("stop")

    def on_end(self, state: State) -> None:
        """Record the end."""
        self.calls.append("end")


def test_hooks_follow_a_run() -> None:
    """A whole run ends with `on_end`, a failing one with `on_stop`."""
    recorder, failing_recorder = Recorder(), Recorder(failing_step=1)
    fit(AUTOENCODER, (recorder,), steps=3)
    assert recorder.calls == ["start", "step 0", "step 1", "step 2", "end"]
    with pytest.raises(RuntimeError, match="deliberate"):
        fit(AUTOENCODER, (failing_recorder,), steps=3)
    assert failing_recorder.calls == ["start", "step 0", "step 1", "stop"]


def test_callbacks_do_nothing_by_default() -> None:
    """A run with the base class has the weights of a run without callbacks."""
    models = [fit(AUTOENCODER, callbacks, steps=3)[0] for callbacks in ((), (Callback(),))]
    assert torch.equal(*map(weights, models))
