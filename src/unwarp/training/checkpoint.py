"""Models and runs on disk: choices as JSON, tensors as safetensors; nothing is ever unpickled or half written.

A model folder holds `config.json` (format version, recipe, sample shape, whatever else the writer adds),
`model.safetensors` and a `README.md`. A run keeps one `checkpoint.safetensors` with everything that training carries.
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
from safetensors.torch import save_file
from torch import Tensor

from unwarp.errors import CheckpointError
from unwarp.models.store import FORMAT
from unwarp.training.callbacks import Callback
from unwarp.training.state import History, Row, State


class Checkpoint(Callback):
    """Keeps a run's state in one file, puts it back at the start, and turns Ctrl-C into a clean stop.

    Args:
        path: The file; it is replaced as a whole.
        every: Steps between two writings.
    """

    def __init__(self, path: str | Path, every: int = 200) -> None:
        self.path, self.every = Path(path), every
        self._stop = False
        self._before: Any = None

    def on_start(self, state: State) -> None:
        """Continue from the file where there is one."""
        if self.path.is_file():
            _read_state(self.path, state)
        try:
            self._before = signal.signal(signal.SIGINT, self._ask)
        except ValueError:  # not the main thread: an interrupt is not ours to catch
            self._before = None

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._stop:
            self._release()
            raise KeyboardInterrupt
        self._stop = True

    def on_step(self, state: State, terms: Row) -> None:
        """Write every so often; after an interrupt, write and stop.

        Raises:
            KeyboardInterrupt: The user asked for a stop; the state is on disk.
        """
        if self._stop or (state.step + 1) % self.every == 0:
            _write_state(self.path, state)
        if self._stop:
            raise KeyboardInterrupt

    def on_stop(self, state: State) -> None:
        """Give the interrupt back."""
        self._release()

    def on_end(self, state: State) -> None:
        """Give the interrupt back; the file stays until `discard`, when the trained model is safe elsewhere."""
        self._release()

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _release(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def _tensors(state: State) -> dict[str, Tensor]:
    found = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    for i, (player, optimiser, average) in enumerate(
        zip(state.players, state.optimisers, state.averages, strict=True)
    ):
        if player.module is not state.model:
            found |= {f"player{i}.{k}": v for k, v in player.module.state_dict().items()}
        found |= {f"average{i}.{k}": v for k, v in average.items()}
        for row, slots in optimiser.state_dict()["state"].items():
            found |= {f"optimiser{i}.{row}.{k}": torch.as_tensor(v) for k, v in slots.items()}
    return {k: v.detach().cpu().contiguous().clone() for k, v in found.items()}


def _write_state(path: Path, state: State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "format_version": FORMAT,
        "step": state.step + 1,
        "steps": state.steps,
        "seed": state.seed,
        "history": asdict(state.history),
        "scaler": state.scaler.state_dict() if state.scaler else None,
    }
    partial = path.with_suffix(".partial")
    save_file(_tensors(state), partial, {"state": json.dumps(record)})
    partial.replace(path)


def _read_state(path: Path, state: State) -> None:
    """Put the state of a file into `state`."""
    record, tensors = _read_file(path)
    if (record["steps"], record["seed"]) != (state.steps, state.seed):
        raise CheckpointError(
            f"{path} belongs to a run of {record['steps']} steps with seed {record['seed']}, this one "
            f"has {state.steps} and {state.seed}; delete the file to start again"
        )
    state.model.load_state_dict(_part(tensors, "model."))
    slots = zip(state.players, state.optimisers, state.averages, strict=True)
    for i, (player, optimiser, average) in enumerate(slots):
        if player.module is not state.model:
            player.module.load_state_dict(_part(tensors, f"player{i}."))
        for name, value in _part(tensors, f"average{i}.").items():
            average[name].copy_(value)
        _restore_optimiser(optimiser, _part(tensors, f"optimiser{i}."))
    if state.scaler and record.get("scaler"):
        state.scaler.load_state_dict(record["scaler"])
    state.step, state.history = record["step"], History(**record["history"])


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Record and tensors of a checkpoint."""
    try:
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["state"])
            return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); delete it to start the run again"
        ) from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Tensors whose names start with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the state of each parameter, named `row.key`, into an optimiser."""
    rows: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        row, key = name.split(".", 1)
        rows.setdefault(int(row), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": rows, "param_groups": groups})
