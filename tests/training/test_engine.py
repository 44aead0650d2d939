"""The accelerator: device and precision of a run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from unwarp.errors import ConfigError
from unwarp.training.engine import make_accelerator, stops_together
from unwarp.training.state import State


def test_calls_do_not_share_precision() -> None:
    """Each call has its own precision, whatever earlier runs of the process had."""
    requested, precisions = ["no", "bf16", "no"], []
    for precision in requested:
        engine = make_accelerator("cpu", precision)  # type: ignore[arg-type]
        assert engine.device.type == "cpu"
        precisions.append(engine.mixed_precision)
    assert precisions == requested


def test_unknown_choices_are_refused() -> None:
    """The message lists the choices."""
    with pytest.raises(ConfigError, match="precision='fp8' is unknown; choose no, fp16 or bf16"):
        make_accelerator("cpu", "fp8")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="device='abacus' is not available here; choose one of"):
        make_accelerator("abacus")


@pytest.mark.parametrize(("reasons", "reason"), [(["", "by 1"], "by 1"), (["", ""], "")])
def test_a_process_stops_the_others(
    reasons: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without a reason stops by that of another one, and goes on if there is none."""
    monkeypatch.setattr("accelerate.utils.gather_object", lambda reason: reasons)
    state, engine = State(nn.Identity(), (), (), (), 9, 0), SimpleNamespace(num_processes=2)
    assert stops_together(state, engine) == bool(reason)  # type: ignore[arg-type]
    assert state.history.stopped == reason


TWO_PROCESSES = """
import os
from tests.training.runs import AUTOENCODER, fit
from unwarp.training.callbacks import Callback

class Stop(Callback):
    def on_step(self, state, terms):
        if os.environ["RANK"] == "0" and state.step == 4:
            state.stop("enough")

history = fit(AUTOENCODER, (Stop(),), steps=12)[1]
assert (history.steps, history.stopped) == (5, "enough"), history
"""


@pytest.mark.slow
def test_two_processes_stop_together() -> None:
    """A callback that stops the first process alone stops both after the same step."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    options: dict[str, Any] = {"cwd": Path(__file__).parents[2], "stderr": subprocess.PIPE}
    names = {"WORLD_SIZE": "2", "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", **address}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_PROCESSES],
            env={**os.environ, **names, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            **options,
        )
        for rank in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors.decode()
