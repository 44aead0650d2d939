"""SIGTERM has the effect of Ctrl-C during a training, and no other effect outside."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch

from tests.training.runs import AUTOENCODER, fit
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.interrupts import terminate_as_interrupt
from unwarp.training.state import Row, State


class Terminate(Callback):
    """Callback that sends SIGTERM to this process after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, state: State, terms: Row) -> None:
        """Send the signal after the step."""
        if state.step == self.step:
            signal.raise_signal(signal.SIGTERM)


def test_terminated_runs_resume_exactly(tmp_path: Path) -> None:
    """A run that SIGTERM ends has a checkpoint of its step; resumed, it is equal to the bit."""
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(AUTOENCODER, (Terminate(13), Checkpoint(path)))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    resumed, history = fit(AUTOENCODER, (Checkpoint(path),))
    whole, _ = fit(AUTOENCODER)
    assert history.steps == 30
    for value, expected in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(value, expected)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_ignored_interrupts_do_not_matter(handler: Any) -> None:
    """SIGTERM ends a run even where Ctrl-C is ignored, as in the background of a shell."""
    earlier = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(AUTOENCODER, (Terminate(3),))
    finally:
        signal.signal(signal.SIGINT, earlier)


def test_handlers_of_programs_stay() -> None:
    """A program's own handler of SIGTERM is called; in other threads no handler is set."""
    numbers: list[int] = []
    earlier = signal.signal(signal.SIGTERM, lambda number, frame: numbers.append(number))
    try:
        fit(AUTOENCODER, (Terminate(3),))
    finally:
        signal.signal(signal.SIGTERM, earlier)
    assert numbers == [signal.SIGTERM]
    thread = Thread(target=_enter)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _enter() -> None:
    """Enter and leave the context."""
    with terminate_as_interrupt():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
