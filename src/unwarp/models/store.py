"""A bare model in a folder: its recipe as JSON, its tensors as safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from unwarp._version import __version__
from unwarp.core import Domain
from unwarp.errors import CheckpointError, ConfigError, NotImportedError
from unwarp.models.building import domain_of
from unwarp.models.codec import describe, restore
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.storage import write_folder

FORMAT = 2
"""Version of the keys of `config.json`, of recipes as `describe` writes them, and of run states."""


def save(
    model: Model, recipe: Recipe, folder: str | Path, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a model folder; `extra` holds more JSON values and, under `arrays`, more tensors."""
    more = dict(extra or {})
    arrays: dict[str, Tensor] = more.pop("arrays", {})
    config = {
        "format_version": FORMAT,
        "unwarp": __version__,
        "torch": torch.__version__,
        "shape": list(model.shape),
        "domain": domain_of(recipe.warp, model.shape).name,
        "recipe": describe(recipe),
        **more,
    }
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()} | {
        f"array.{k}": v for k, v in arrays.items()
    }
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
        CheckpointError: No model there, a damaged file, another format, or a family of a module
            that is not imported.
    """
    folder = Path(folder)
    config, tensors = _read(folder)
    try:
        recipe: Recipe = restore(config["recipe"])
        _check_domain(config["domain"])
        model = recipe.build(config["shape"])
        model.load_state_dict(
            {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        )
    except NotImportedError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(
            f"{folder} does not hold what its config.json says ({error}); save it again"
        ) from error
    config["arrays"] = {
        k.removeprefix("array."): v for k, v in tensors.items() if k.startswith("array.")
    }
    return model.eval(), recipe, config


def _check_domain(name: str) -> None:
    """Refuse a domain of a module that is not imported."""
    if name not in Domain.registry:
        raise NotImportedError(
            f"domain {name!r} is not defined; import the module that defines it, then load again"
        )


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration of a model folder, and its tensors by name."""
    try:
        config = json.loads((folder / "config.json").read_text())
        _check_format(folder, config)
        return config, load_file(folder / "model.safetensors")
    except FileNotFoundError as error:
        missing = error.filename or folder / "model.safetensors"
        raise CheckpointError(f"{folder} is not a model folder: {missing} is missing") from None
    except (ValueError, SafetensorError, OSError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{folder} is damaged ({error}); save the model again") from error


def _check_format(folder: Path, config: Any) -> None:
    """Refuse a configuration of another format than `FORMAT`."""
    version = config.get("format_version") if isinstance(config, dict) else None
    if not isinstance(version, int):
        raise CheckpointError(f"{folder}/config.json has no format version; save the model again")
    if version > FORMAT:
        raise CheckpointError(
            f"{folder} has format version {version}, this unwarp {__version__} reads up to {FORMAT}; "
            "upgrade with: pip install -U unwarp"
        )
    if version < FORMAT:
        raise CheckpointError(
            f"{folder} was written by unwarp {config.get('unwarp', 'of an unknown version')} in format "
            f"version {version}, this unwarp {__version__} reads version {FORMAT}; train the model again, "
            "or install the version that wrote it"
        )
