"""Models and runs on disk: choices as JSON, tensors as safetensors; nothing is ever unpickled or half written.

A model folder holds `config.json` (format version, recipe, sample shape, whatever else the writer adds),
`model.safetensors` and a `README.md`. A run keeps one `checkpoint.safetensors` with everything that training carries.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any, get_type_hints

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from unwarp import models, warps
from unwarp._version import __version__
from unwarp.models import Model, Recipe
from unwarp.training import History, Quiet, Row, State
from unwarp.types import CheckpointError, ConfigError
from unwarp.warps import Chain, Warp

FORMAT = 1


def describe(choice: Any) -> Any:
    """A choice (recipe, warp, and what they hold) as plain JSON values; families are named."""
    if isinstance(choice, Chain):
        return {"family": choice.name, "links": [describe(link) for link in choice.links], "size": list(choice.size)}
    if is_dataclass(choice) and not isinstance(choice, type):
        named = isinstance(choice, Recipe | Warp)
        head = {"family": getattr(choice, "family", None) or getattr(choice, "name", None)} if named else {}
        return head | {f.name: describe(getattr(choice, f.name)) for f in fields(choice)}
    if isinstance(choice, tuple | list):
        return [describe(item) for item in choice]
    return choice


def restore(record: Mapping[str, Any]) -> Any:
    """The recipe or warp that `describe` wrote, checked field by field.

    Raises:
        ConfigError: An unknown family or field, or a value of the wrong type; the message lists what there is.
    """
    if not isinstance(record, Mapping):
        raise ConfigError(f"{record!r} is no recipe or warp; give a mapping with its family")
    values = dict(record)
    name = values.pop("family", None)
    known: dict[str, Any] = {**models.families(), **warps.families()}
    if name not in known:
        raise ConfigError(f"family {name!r} is unknown; choose one of {', '.join(sorted(known))}")
    if name == Chain.name:
        return Chain(*(restore(link) for link in values.get("links", ())), size=values.get("size", (2, 2)))
    return _checked(known[name], values)


def _checked(kind: Any, values: dict[str, Any]) -> Any:
    hints, names = get_type_hints(kind), [f.name for f in fields(kind)]
    for name, value in values.items():
        if name not in names:
            raise ConfigError(f"{kind.__name__} has no field {name!r}; its fields are {', '.join(names)}")
        hint = hints[name]
        if hint is Warp:
            values[name] = warps.named(value) if isinstance(value, str) else restore(value)
        elif is_dataclass(hint) and isinstance(value, Mapping):
            values[name] = _checked(hint, dict(value))
        else:
            values[name] = _typed(kind, name, hint, value)
    return kind(**values)


def _typed(kind: type, name: str, hint: Any, value: Any) -> Any:
    config = None if is_dataclass(hint) else ConfigDict(arbitrary_types_allowed=True)
    try:
        return TypeAdapter(hint, config=config).validate_python(value)
    except ValidationError as error:
        problem = " or ".join(found["msg"] for found in error.errors())
        raise ConfigError(f"{kind.__name__}.{name}: {problem}, got {value!r}") from None


def write_folder(folder: Path, files: Mapping[str, bytes | str | dict[str, Tensor]]) -> None:
    """Write a folder whole or not at all: files are made beside it, then the folder changes its name.

    Raises:
        CheckpointError: `folder` exists and is not a folder that this function wrote.
    """
    if folder.exists() and not (folder / "config.json").is_file() and any(folder.iterdir() if folder.is_dir() else [1]):
        raise CheckpointError(f"{folder} exists and is not a model folder; choose another place or move it away")
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            if isinstance(content, dict):
                save_file({k: v.contiguous() for k, v in content.items()}, fresh / name)
            else:
                (fresh / name).write_bytes(content.encode() if isinstance(content, str) else content)
            (fresh / name).chmod(0o644)
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        if folder.exists():
            folder.rename(old / "old")
        fresh.chmod(0o755)
        fresh.rename(folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def save(model: Model, recipe: Recipe, folder: str | Path, extra: Mapping[str, Any] | None = None) -> None:
    """Write a model folder; `extra` holds more JSON values and, under `arrays`, more tensors."""
    more = dict(extra or {})
    arrays: dict[str, Tensor] = more.pop("arrays", {})
    config = {
        "format_version": FORMAT,
        "unwarp": __version__,
        "torch": torch.__version__,
        "shape": list(model.shape),
        "recipe": describe(recipe),
        **more,
    }
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()} | {f"array.{k}": v for k, v in arrays.items()}
    card = (
        f"# Unwarp model\n\n{recipe.family} with the warp `{recipe.warp.name}`, for samples of shape {model.shape}.\n\n"
        "    from unwarp import Unwarper\n    unwarper = Unwarper.load(folder)\n"
    )
    files: dict[str, bytes | str | dict[str, Tensor]] = {
        "config.json": json.dumps(config, indent=2, default=_plain),
        "model.safetensors": tensors,
        "README.md": card,
    }
    write_folder(Path(folder), files)


def _plain(value: Any) -> Any:
    """A NumPy number as JSON knows it; anything else by its text."""
    return value.item() if hasattr(value, "item") else str(value)


def load(folder: str | Path) -> tuple[Model, Recipe, dict[str, Any]]:
    """A saved model in eval mode, its recipe, and the whole configuration (with `arrays`).

    Raises:
        CheckpointError: No model there, a damaged file, or one written by a newer format.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / "config.json").read_text())
        _check_format(folder, config)
        tensors = load_file(folder / "model.safetensors")
    except FileNotFoundError as error:
        missing = error.filename or folder / "model.safetensors"
        raise CheckpointError(f"{folder} is not a model folder: {missing} is missing") from None
    except (ValueError, SafetensorError, OSError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{folder} is damaged ({error}); save the model again") from error
    try:
        recipe: Recipe = restore(config["recipe"])
        model = recipe.build(config["shape"])
        model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder} does not hold what its config.json says ({error}); save it again") from error
    config["arrays"] = {k.removeprefix("array."): v for k, v in tensors.items() if k.startswith("array.")}
    return model.eval(), recipe, config


def _check_format(folder: Path, config: Any) -> None:
    found = config.get("format_version") if isinstance(config, dict) else None
    if not isinstance(found, int):
        raise CheckpointError(f"{folder}/config.json has no format version; save the model again")
    if found > FORMAT:
        raise CheckpointError(
            f"{folder} has format version {found}, this unwarp {__version__} reads up to {FORMAT}; "
            "upgrade with: pip install -U unwarp"
        )


class Checkpoint(Quiet):
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
    for i, (player, optimiser, average) in enumerate(zip(state.players, state.optimisers, state.averages, strict=True)):
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
    try:
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); delete it to start the run again") from error
    if (record["steps"], record["seed"]) != (state.steps, state.seed):
        raise CheckpointError(
            f"{path} belongs to a run of {record['steps']} steps with seed {record['seed']}, this one has {state.steps} "
            f"and {state.seed}; delete the file to start again"
        )

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    state.model.load_state_dict(part("model."))
    for i, (player, optimiser, average) in enumerate(zip(state.players, state.optimisers, state.averages, strict=True)):
        if player.module is not state.model:
            player.module.load_state_dict(part(f"player{i}."))
        for name, value in part(f"average{i}.").items():
            average[name].copy_(value)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in part(f"optimiser{i}.").items():
            row, key = name.split(".", 1)
            slots.setdefault(int(row), {})[key] = value
        optimiser.load_state_dict({"state": slots, "param_groups": optimiser.state_dict()["param_groups"]})
    if state.scaler and record.get("scaler"):
        state.scaler.load_state_dict(record["scaler"])
    state.step, state.history = record["step"], History(**record["history"])
