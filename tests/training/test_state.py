"""The state of a run: a request to stop, and the model that it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit
from tests.weights import weights
from unwarp.errors import ConfigError
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.state import History, Row, State


class StopAt(Callback):
    """Stops the run at a step, and records the calls."""

    def __init__(self, step: int, reason: str = "enough") -> None:
        self.step, self.reason, self.calls = step, reason, list[str]()

    def on_step(self, state: State, terms: Row) -> None:
        """Ask for the end at the step."""
        self.calls.append(f"step {state.step}")
        if state.step == self.step:
            state.stop(self.reason)

    def on_message(self, line: str) -> None:
        """Record the message."""
        self.calls.append(line)

    def on_early_end(self, state: State) -> None:
        """Record the early end."""
        self.calls.append("early end")

    def on_end(self, state: State) -> None:
        """Record the end."""
        self.calls.append("end")


def test_stopped_run_ends_as_a_whole_one() -> None:
    """All callbacks see the last step, averages are loaded, `finish` and `on_end` are called."""
    first, second = StopAt(7, "a target"), StopAt(-1)
    model, history = fit(AUTOENCODER, (first, second))
    line = "training stopped after step 8: a target"
    assert first.calls == second.calls
    assert first.calls[-4:] == ["step 7", "early end", line, "end"]
    assert (history.steps, history.stopped, history.rows[-1]["step"]) == (8, "a target", 7)
    assert not model.training and model.anchor_theta.any()
    assert torch.isfinite(weights(model)).all()


def test_run_stops_before_its_first_step() -> None:
    """A callback that stops the run at its start leaves the initial weights."""

    class Never(Callback):
        """Stops at once."""

        def on_start(self, state: State) -> None:
            """Ask for the end."""
            state.stop("nothing to learn")

    _, history = fit(AUTOENCODER, (Never(),))
    assert (history.steps, history.stopped, history.rows) == (0, "nothing to learn", [])


def test_first_reason_counts() -> None:
    """Of several callbacks that stop a run, the first one gives the reason."""
    _, history = fit(AUTOENCODER, (StopAt(3, "first"), StopAt(3, "second")))
    assert history.stopped == "first"


@pytest.mark.parametrize("reason", ["", "  ", None, 3])
def test_reason_must_be_words(reason: str) -> None:
    """A reason that says nothing is refused."""
    with pytest.raises(ConfigError, match=r"^reason=.*; say in words"):
        fit(AUTOENCODER, (StopAt(3, reason),))


@pytest.mark.parametrize("is_checkpoint_first", [True, False])
def test_stopped_run_resumes_as_finished(is_checkpoint_first: bool, tmp_path: Path) -> None:
    """With its checkpoint, wherever it is in the list, there are no further steps to run."""
    callbacks = [Checkpoint(tmp_path / "run.checkpoint"), StopAt(7)]
    model, history = fit(AUTOENCODER, tuple(callbacks if is_checkpoint_first else callbacks[::-1]))
    witness = StopAt(-1)
    resumed_model, resumed_history = fit(
        AUTOENCODER, (Checkpoint(tmp_path / "run.checkpoint"), witness)
    )
    assert witness.calls == ["end"] and resumed_history == history
    assert torch.equal(weights(resumed_model), weights(model))


def test_history_of_an_earlier_version() -> None:
    """A stored history without a reason is that of a run that ended by itself."""
    assert History.of({"steps": 3}).stopped == ""
