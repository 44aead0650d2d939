"""Recipe fields from a file and from `--set`: checked, and put over what the data would get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml

from unwarp import datasets, models, warps
from unwarp.core import DomainName
from unwarp.data.arrays import as_samples
from unwarp.data.formats.files import read
from unwarp.errors import ConfigError
from unwarp.models import Recipe
from unwarp.models.codec import describe, restore
from unwarp.planning.defaults import FEW, suited
from unwarp.planning.presets import OWN


def recipe(
    source: str, config: Path | None = None, settings: Sequence[str] = (), domain: DomainName = "auto"
) -> dict[str, Any] | None:
    """The recipe of a data source, changed by a YAML file and then by `key=value` texts; None where nothing was asked.

    Args:
        source: A file, a folder or the name of a built-in data set; it is read where its kind is to be found.
        config: A file with fields of the recipe.
        settings: Fields as `key=value`, which go before those of the file.
        domain: How samples are read.

    Raises:
        ConfigError: No YAML, no such field, or a value of the wrong type.
        DataError: A source that cannot be read.
    """
    if config is None and not settings:
        return None
    if wrong := [text for text in settings if "=" not in text]:
        raise ConfigError(f"--set {wrong[0]!r} is not of the form key=value")
    try:
        asked = [*_flat(yaml.safe_load(config.read_text()) if config else {})]
        asked += [(key, yaml.safe_load(value)) for key, _, value in (text.partition("=") for text in settings)]
    except yaml.YAMLError as error:
        raise ConfigError(f"{config or settings} is not YAML: {' '.join(str(error).split())}") from None
    family = dict(asked).get("family")
    record = describe(_start(source, domain, None if family is None else str(family)))
    for key, value in asked:
        _put(record, key.split("."), value)
    found: dict[str, Any] = describe(restore(record))
    return found


def _start(source: str, domain: DomainName, family: str | None) -> Recipe:
    """What a source gets where no field is set: its own recipe, or what suits its kind in a family."""
    preset = OWN.get(source) or datasets.preset(source)
    if family is None and preset is not None:
        return preset
    if _kind(source, domain) == "series":
        return suited(torch.zeros(FEW, 1, 2), family)
    return replace(models.named(family), warp=models.AE().warp) if family else models.AE()


def _kind(source: str, domain: DomainName) -> DomainName:
    """Whether the samples of a source are pictures or series."""
    if domain != "auto":
        return domain
    if source in datasets.names():
        return "image" if datasets.load(source, "test").x.ndim == 4 else "series"
    found = read(source)
    return as_samples(found.x)[1] if found.domain == "auto" else found.domain


def _flat(record: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of nested mappings as dotted keys; a warp with a family of its own stays whole."""
    if not isinstance(record, dict):
        raise ConfigError("--config must hold fields of a recipe, as 'n_content: 8'")
    for key, value in record.items():
        if isinstance(value, dict) and "family" not in value:
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value


def _put(record: dict[str, Any], way: list[str], value: Any) -> None:
    """Set one field; a warp given by name becomes that warp, whose fields may then be set."""
    for step in way[:-1]:
        record = record.get(step) if isinstance(record, dict) else None  # type: ignore[assignment]
        if not isinstance(record, dict):
            raise ConfigError(f"{'.'.join(way)!r} is no field of the recipe: {step!r} has no parts")
    key, parts = ".".join(way), record.get(way[-1])
    if way[-1] == "warp" and isinstance(value, str):
        value = describe(warps.named(value))
    elif isinstance(parts, dict) and not isinstance(value, dict):
        names = [name for name in parts if name not in ("family", "module")]
        raise ConfigError(
            f"{key} cannot be {value!r}; set one of its parts, as {key}.{names[0]}=...: {', '.join(names)}"
        )
    record[way[-1]] = value
