"""Checkpoints, files from which an interrupted run resumes exactly.

The file holds tensors as safetensors and all other values as JSON in its metadata. Nothing is
unpickled, and a file is replaced as a whole, so that an interrupt leaves no partial file.
"""

from __future__ import annotations

import json
import signal
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unwarp.errors import CheckpointError
from unwarp.models.store import FORMAT_VERSION
from unwarp.storage import expand, write_file
from unwarp.training.callbacks import Callback
from unwarp.training.state import History, Row, State


class Checkpoint(Callback):
    """Callback that saves the state of a run and resumes from it.

    If the file exists when the run starts, the run continues from the saved state. Its result is
    bit-equal to that of an uninterrupted run. During the run, the first Ctrl-C finishes the current
    step, writes the file and raises `KeyboardInterrupt`; a second Ctrl-C raises it at once. Put
    this callback last in the list, so that the other callbacks see a step before it is saved.

    Args:
        path: Path of the checkpoint file.
        interval: Number of steps between two writes, at least 1.

    Attributes:
        path: Path of the checkpoint file.
        interval: Number of steps between two writes.

    Example:
        >>> checkpoint = Checkpoint("folder/run.checkpoint", interval=500)
        >>> checkpoint.path.name, checkpoint.interval
        ('run.checkpoint', 500)
    """

    def __init__(self, path: str | Path, interval: int = 200) -> None:
        self.path, self.interval = expand(path), interval
        self._stop_requested = False
        self._previous_handler: Any = None

    def on_start(self, state: State) -> None:
        """Resume from the file if it exists, and catch interrupts.

        Args:
            state: The initial state; if the file exists, it is changed in place to the saved state.

        Raises:
            CheckpointError: The file is damaged, or belongs to a run with other steps or another
                seed.
        """
        if self.path.is_file():
            _read_state(self.path, state)
        try:
            self._previous_handler = signal.signal(signal.SIGINT, self._request_stop)
        except ValueError:  # Python lets only the main thread catch interrupts
            self._previous_handler = None

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        """Handle Ctrl-C: the first one stops the run after the step, the second one at once."""
        if self._stop_requested:
            self._restore_handler()
            raise KeyboardInterrupt
        self._stop_requested = True

    def on_step(self, state: State, terms: Row) -> None:
        """Write the file every `interval` steps, and after a Ctrl-C.

        Args:
            state: The state after the step.
            terms: Numbers of the step; ignored.

        Raises:
            KeyboardInterrupt: The user pressed Ctrl-C; the state is in the file.
        """
        if self._stop_requested or (state.step + 1) % self.interval == 0:
            _write_state(self.path, state)
        if self._stop_requested:
            raise KeyboardInterrupt

    def on_stop(self, state: State) -> None:
        """Restore the earlier handler of Ctrl-C.

        Args:
            state: The state of the run; it is not written to the file.
        """
        self._restore_handler()

    def on_end(self, state: State) -> None:
        """Restore the earlier handler of Ctrl-C.

        The file is not deleted. Call `discard` as soon as the trained model is saved elsewhere.

        Args:
            state: The state after the run; it is not written to the file.
        """
        self._restore_handler()

    def discard(self) -> None:
        """Delete the checkpoint file, if it exists."""
        self.path.unlink(missing_ok=True)

    def _restore_handler(self) -> None:
        """Restore the handler of Ctrl-C from before the run."""
        if self._previous_handler is not None:
            signal.signal(signal.SIGINT, self._previous_handler)
            self._previous_handler = None


def _state_tensors(state: State) -> dict[str, Tensor]:
    """Copies of all tensors of a state by name, on the CPU.

    The names are `model.NAME` for weights of the model, `player<i>.NAME` for those of a player with
    another module, `average<i>.NAME` for averaged weights, and `optimiser<i>.ROW.NAME` for the
    optimiser state of parameter number ROW.
    """
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    for i, (player, optimiser, average) in enumerate(
        zip(state.players, state.optimisers, state.averages, strict=True)
    ):
        if player.module is not state.model:
            weights = player.module.state_dict()
            tensors |= {f"player{i}.{name}": value for name, value in weights.items()}
        tensors |= {f"average{i}.{name}": value for name, value in average.items()}
        for row, moments in optimiser.state_dict()["state"].items():
            named = {f"optimiser{i}.{row}.{name}": value for name, value in moments.items()}
            tensors |= {name: torch.as_tensor(value) for name, value in named.items()}
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _write_state(path: Path, state: State) -> None:
    """Write a state to a file, completely or not at all."""
    record = {
        "format_version": FORMAT_VERSION,
        "step": state.step + 1,
        "steps": state.steps,
        "seed": state.seed,
        "history": asdict(state.history),
        "scaler": state.scaler.state_dict() if state.scaler else None,
    }
    write_file(path, save(_state_tensors(state), {"state": json.dumps(record)}))


def _read_state(path: Path, state: State) -> None:
    """Change `state` in place to the state that is saved in a file.

    Raises:
        CheckpointError: The file is damaged, or the run has other steps or another seed.
    """
    record, tensors = _read_file(path)
    if (record["steps"], record["seed"]) != (state.steps, state.seed):
        raise CheckpointError(
            f"{path} belongs to another run, of {record['steps']} steps with seed "
            f"{record['seed']}, but this run has {state.steps} steps and seed {state.seed}; delete "
            "the file to start from the first step, or set steps and seed as in the other run"
        )
    state.model.load_state_dict(_select(tensors, "model."))
    entries = zip(state.players, state.optimisers, state.averages, strict=True)
    for i, (player, optimiser, average) in enumerate(entries):
        if player.module is not state.model:
            player.module.load_state_dict(_select(tensors, f"player{i}."))
        for name, value in _select(tensors, f"average{i}.").items():
            average[name].copy_(value)
        _restore_optimiser(optimiser, _select(tensors, f"optimiser{i}."))
    if state.scaler and record.get("scaler"):
        state.scaler.load_state_dict(record["scaler"])
    state.step, state.history = record["step"], History(**record["history"])


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The JSON values and the tensors by name in a checkpoint file."""
    try:
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["state"])
            return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); delete it to start the run from the first step"
        ) from error


def _select(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors with a prefix in their name, under their name without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Load tensors with names `ROW.NAME` as the states of the optimiser's parameters."""
    rows: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        row, key = name.split(".", 1)
        rows.setdefault(int(row), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": rows, "param_groups": groups})
