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
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as encode_tensors
from torch import Tensor

from unwarp._version import __version__
from unwarp.checksums import checksum
from unwarp.core import Domain
from unwarp.disk.files import check_plain, read_plain
from unwarp.errors import CheckpointError, NotImportedError
from unwarp.models.building import domain_of
from unwarp.models.codec import describe, restore
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.prefixes import strip_prefix
from unwarp.storage.files import expand
from unwarp.storage.folders import recover_folder, write_folder

FORMAT_VERSION = 2
"""Version of the file formats: `config.json`, and recipes in JSON (see `describe`)."""
MODEL_PREFIX, ARRAY_PREFIX = "model.", "array."
"""Prefixes of names in `model.safetensors`: the model's tensors, and `arrays` passed to `save`."""
WEIGHTS = "model.safetensors"
"""File of the tensors."""
CONFIG = "config.json"
"""File of the configuration, and the name of its checksum in the metadata of the tensors."""


def save(
    model: Model, recipe: Recipe, folder: str | Path, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a model folder: `config.json`, `model.safetensors` and a `README.md`.

    Args:
        model: The model.
        recipe: The recipe that built it.
        folder: The folder; an earlier model in it is replaced, and `~` is the home folder.
        extra: Further JSON values for the configuration by name and, under `arrays`, further
            tensors by name; None for none.

    Raises:
        CheckpointError: The folder exists and is no model folder, or holds other files, too;
            another process writes it; it cannot be written; or the weights are not finite.
        ConfigError: The class of the recipe or of its warp has no name; see `describe`.
    """
    _check_parameters(model, folder)
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
    text = json.dumps(config, indent=2, default=_json_value)
    tensors = {f"{MODEL_PREFIX}{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"{ARRAY_PREFIX}{k}": v for k, v in arrays.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {"checksums": json.dumps(_checksums(json.loads(text), tensors))}
    weights = encode_tensors(tensors, metadata)
    readme = _readme(model, recipe)
    write_folder(folder, {CONFIG: text, WEIGHTS: weights, "README.md": readme})


def _checksums(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The checksum of the configuration, whatever its layout as text, and of every tensor."""
    return {CONFIG: checksum(config)} | {name: checksum(value) for name, value in tensors.items()}


def has_lost_values(value: Tensor, original: Tensor) -> bool:
    """Whether a number that was finite in a new model is not.

    Args:
        value: Numbers of a stored model.
        original: The same numbers of a new model, or a finite number for all of them.

    >>> has_lost_values(torch.tensor([1.0, torch.nan]), torch.tensor([0.0, torch.nan]))
    False
    """
    return bool((original.isfinite() & ~value.isfinite()).any())


def _check_parameters(model: Model, folder: str | Path) -> None:
    """Refuse to write a model with parameters that are not finite, since it could not be loaded."""
    for name, value in model.named_parameters():
        if not value.isfinite().all():
            raise CheckpointError(
                f"{name} of the model has values that are not finite, so {folder} is not written; "
                "train the model again, with a lower learning rate"
            )


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
    folder = expand(folder)
    recover_folder(folder)
    config, tensors = _read(folder)
    try:
        recipe: Recipe = restore(config["recipe"])
        _check_domain(config["domain"])
        model = recipe.build(config["shape"])
        weights = strip_prefix(tensors, MODEL_PREFIX)
        originals = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(weights)
    except NotImportedError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    except (
        *(KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError),
        ArithmeticError,
    ) as error:
        raise CheckpointError(
            f"{folder}: the weights do not fit config.json ({error}); save it again"
        ) from error
    _check_finite(folder, weights, originals)
    config["arrays"] = strip_prefix(tensors, ARRAY_PREFIX)
    return model.eval(), recipe, config


def _check_finite(
    folder: Path, weights: Mapping[str, Tensor], originals: Mapping[str, Tensor]
) -> None:
    """Refuse weights that are not finite although they are finite in a new model."""
    for name, value in weights.items():
        if has_lost_values(value, originals[name]):
            raise CheckpointError(
                f"{folder} is damaged ({name} has values that are not finite); train the model "
                "again"
            )


def _check_domain(name: str) -> None:
    """Refuse a domain that no imported module defines."""
    if name not in Domain.registry:
        raise NotImportedError(
            f"domain {name!r} is not defined; import the module that defines it, then load again"
        )


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration of a model folder, and its tensors by name."""
    try:
        config = json.loads(read_plain(folder / CONFIG))
        _check_format(folder, config)
        check_plain(folder / WEIGHTS)
        with safe_open(folder / WEIGHTS, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        _check_sums(folder, metadata, config, tensors)
        return config, tensors
    except FileNotFoundError as error:
        missing = error.filename or folder / WEIGHTS
        raise CheckpointError(
            f"{folder} is not a model folder: {missing} is missing; give the folder of a model "
            "or of a run"
        ) from None
    except (
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,  # RecursionError included
        SafetensorError,
        OSError,
    ) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{folder} is damaged ({error}); save the model again") from error


def _check_sums(
    folder: Path,
    metadata: Mapping[str, str],
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
) -> None:
    """Refuse a part with another checksum; folders of earlier versions have no checksums."""
    if "checksums" not in metadata:
        return
    stored, actual = json.loads(metadata["checksums"]), _checksums(config, tensors)
    if not isinstance(stored, dict):
        raise ValueError("the checksums are no record")
    names = [name for name in {**stored, **actual} if stored.get(name) != actual.get(name)]
    if names:
        raise CheckpointError(
            f"{folder} is damaged, or was changed after it was saved (the checksum of {names[0]} "
            "differs); save the model again"
        )


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
