"""Write models to folders and read them.

Recipes are stored as JSON, tensors as safetensors. No file is a pickle, so reading a folder never
runs code from it.
"""

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

FORMAT_VERSION = 2
"""Version of the file formats: `config.json`, recipes in JSON (see `describe`), and checkpoints."""
MODEL_PREFIX, ARRAY_PREFIX = "model.", "array."
"""Prefixes of names in `model.safetensors`: the model's tensors, and `arrays` passed to `save`."""


def save(
    model: Model, recipe: Recipe, folder: str | Path, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a model folder: `config.json`, `model.safetensors` and a `README.md`.

    Args:
        model: The model.
        recipe: The recipe that built it.
        folder: The folder; an earlier model in it is replaced.
        extra: Further JSON values by name, which are written to `config.json`. The entry `arrays`
            holds further tensors by name, which are written to `model.safetensors`. None for none.

    Raises:
        CheckpointError: The folder exists and is not a model folder.
        ConfigError: The class of the recipe or of its warp has no name; see `describe`.
    """
    values = dict(extra or {})
    arrays: dict[str, Tensor] = values.pop("arrays", {})
    config = {
        "format_version": FORMAT_VERSION,
        "unwarp": __version__,
        "torch": torch.__version__,
        "shape": list(model.shape),
        "domain": domain_of(recipe.warp, model.shape).name,
        "recipe": describe(recipe),
        **values,
    }
    tensors = {f"{MODEL_PREFIX}{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"{ARRAY_PREFIX}{k}": v for k, v in arrays.items()}
    files: dict[str, bytes | str | dict[str, Tensor]] = {
        "config.json": json.dumps(config, indent=2, default=_json_value),
        "model.safetensors": tensors,
        "README.md": _readme(model, recipe),
    }
    write_folder(Path(folder), files)


def _readme(model: Model, recipe: Recipe) -> str:
    """Text for people: the family, the shape of samples, and how to load the model."""
    return (
        f"# Unwarp model\n\n{recipe.family} with the warp `{recipe.warp.name}`, "
        f"for samples of shape {model.shape}.\n\n"
        "    from unwarp import Unwarper\n    unwarper = Unwarper.load(folder)\n"
    )


def _json_value(value: Any) -> Any:
    """A NumPy number as a Python number; any other value as its text, `str(value)`."""
    return value.item() if hasattr(value, "item") else str(value)


def load(folder: str | Path) -> tuple[Model, Recipe, dict[str, Any]]:
    """A saved model, its recipe, and its configuration.

    Args:
        folder: A folder that `save` wrote.

    Returns:
        The model in evaluation mode, on the CPU; the recipe; and all values of `config.json`. The
        entry `arrays` of the values holds the tensors that were passed to `save` in addition to
        those of the model.

    Raises:
        CheckpointError: The folder holds no model, a file is damaged or has another format version,
            or no imported module defines the family.
    """
    folder = Path(folder)
    config, tensors = _read(folder)
    try:
        recipe: Recipe = restore(config["recipe"])
        _check_domain(config["domain"])
        model = recipe.build(config["shape"])
        model.load_state_dict(_with_prefix(tensors, MODEL_PREFIX))
    except NotImportedError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(
            f"{folder}: the weights do not fit config.json ({error}); save it again"
        ) from error
    config["arrays"] = _with_prefix(tensors, ARRAY_PREFIX)
    return model.eval(), recipe, config


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors with a prefix in their name, under their name without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _check_domain(name: str) -> None:
    """Refuse a domain that no imported module defines."""
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
    except (ValueError, RecursionError, SafetensorError, OSError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{folder} is damaged ({error}); save the model again") from error


def _check_format(folder: Path, config: Any) -> None:
    """Refuse a configuration with a format version other than `FORMAT_VERSION`."""
    version = config.get("format_version") if isinstance(config, dict) else None
    if not isinstance(version, int):
        raise CheckpointError(f"{folder}/config.json has no format version; save the model again")
    if version > FORMAT_VERSION:
        raise CheckpointError(
            f"{folder} has format version {version}, this unwarp {__version__} reads up to "
            f"{FORMAT_VERSION}; upgrade with: pip install -U unwarp"
        )
    if version < FORMAT_VERSION:
        writer = config.get("unwarp", "of an unknown version")
        raise CheckpointError(
            f"{folder} was written by unwarp {writer} in format version {version}, this unwarp "
            f"{__version__} reads version {FORMAT_VERSION}; train the model again, or install "
            "the version that wrote it"
        )
