"""Callbacks: their hooks follow a run, and do nothing by default."""

from __future__ import annotations

import pytest
import torch

from tests.training.runs import AUTO, fit
from tests.weights import weights
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State


class Diary(Callback):
    """Writes down which hook was called; an error may be raised at a step."""

    def __init__(self, failure: int = -1) -> None:
        self.lines: list[str] = []
        self.failure = failure

    def on_start(self, state: State) -> None:
        self.lines.append("start")

    def on_step(self, state: State, terms: Row) -> None:
        self.lines.append(f"step {state.step}")
        if state.step == self.failure:
            raise RuntimeError("enough")

    def on_stop(self, state: State) -> None:
        self.lines.append("stop")

    def on_end(self, state: State) -> None:
        self.lines.append("end")


def test_hooks_follow_a_run() -> None:
    """The end comes after the last step; after an error comes the stop, and no end."""
    whole, broken = Diary(), Diary(failure=1)
    fit(AUTO, (whole,), steps=3)
    assert whole.lines == ["start", "step 0", "step 1", "step 2", "end"]
    with pytest.raises(RuntimeError, match="enough"):
        fit(AUTO, (broken,), steps=3)
    assert broken.lines == ["start", "step 0", "step 1", "stop"]


def test_callbacks_do_nothing_by_default() -> None:
    """The weights of a run are those of a run without."""
    models = [fit(AUTO, callbacks, steps=3)[0] for callbacks in ((), (Callback(),))]
    assert torch.equal(*map(weights, models))
