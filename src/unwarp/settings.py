"""Recipe fields from a file and from `--set`: checked, and put over what the data would get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from unwarp import models, warps
from unwarp.checkpoints import describe, restore
from unwarp.recipes import DIGITS
from unwarp.types import ConfigError


def recipe(source: str, config: Path | None = None, settings: Sequence[str] = ()) -> dict[str, Any] | None:
    """The recipe of a data source, changed by a YAML file and then by `key=value` texts; None where nothing was asked.

    Raises:
        ConfigError: No YAML, no such field, or a value of the wrong type.
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
    own = DIGITS if source == "affine-mnist" else models.AE()
    record = describe(replace(models.named(str(family)), warp=models.AE().warp) if family else own)
    for key, value in asked:
        _put(record, key.split("."), value)
    found: dict[str, Any] = describe(restore(record))
    return found


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
        names = [name for name in parts if name != "family"]
        raise ConfigError(
            f"{key} cannot be {value!r}; set one of its parts, as {key}.{names[0]}=...: {', '.join(names)}"
        )
    record[way[-1]] = value
