"""Fields of a recipe from a file and from `key=value` texts, laid over the recipe that was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from unwarp import warps
from unwarp.errors import ConfigError
from unwarp.models.codec import describe, restore
from unwarp.models.recipe import Recipe
from unwarp.warps import Warp


def parse_overrides(config: Path | None = None, settings: Sequence[str] = ()) -> dict[str, Any]:
    """Values by dotted field, such as `{"optimiser.lr": 0.001}`.

    Args:
        config: A YAML or JSON file with fields of a recipe.
        settings: Fields as `key=value`, which go before those of the file.

    Raises:
        ConfigError: No YAML, or a text without a key.
    """
    if wrong := [text for text in settings if "=" not in text]:
        raise ConfigError(f"--set {wrong[0]!r} is not of the form key=value")
    try:
        values = dict(_flatten(yaml.safe_load(config.read_text()) if config else {}))
        pairs = (text.partition("=") for text in settings)
        return values | {key: yaml.safe_load(value) for key, _, value in pairs}
    except yaml.YAMLError as error:
        words = " ".join(str(error).split())
        raise ConfigError(f"{config or settings} is not YAML: {words}") from None


def check_fields(overrides: Mapping[str, Any], *families: type[Recipe]) -> None:
    """Refuse fields that no recipe has, before anything is decided or read.

    Args:
        overrides: Values by dotted field.
        families: Classes of recipes that may be meant, the likeliest first.

    Raises:
        ConfigError: A field that none of the families has; the message lists those of the first.
    """
    names = {field.name for family in families for field in fields(family)}
    for key in overrides:
        head = key.partition(".")[0]
        if head not in names and head != "family":
            likeliest = ", ".join(field.name for field in fields(families[0]))
            raise ConfigError(
                f"{families[0].__name__} has no field {head!r}; its fields are {likeliest}"
            )


def lay_over(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields set, and all others as they are.

    Args:
        recipe: The recipe that was decided; its family stays.
        overrides: Values by dotted field; a warp may be given by name.

    Raises:
        ConfigError: No such field, or a value of the wrong type.
    """
    if not overrides:
        return recipe
    record = describe(recipe)
    for key, value in overrides.items():
        if key.rpartition(".")[2] == "module":
            raise ConfigError(f"{key!r} says where a family is defined, and is no field to set")
        if key != "family":
            _set_field(record, key.split("."), value)
    changed: Recipe = restore(record)
    return changed


def _flatten(record: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of nested mappings as dotted keys; a warp with a family of its own stays whole."""
    if not isinstance(record, dict):
        raise ConfigError("--config must hold fields of a recipe, as 'n_content: 8'")
    for key, value in record.items():
        if isinstance(value, dict) and "family" not in value:
            yield from _flatten(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", value


def _set_field(record: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one field of a record; a warp given by name becomes that warp, whose fields may then be set."""
    for step in path[:-1]:
        links = {link["family"]: link for link in record.get("links", ())}
        record = links.get(step, record.get(step))  # type: ignore[assignment]
        if not isinstance(record, dict):
            raise ConfigError(
                f"{'.'.join(path)!r} is no field of the recipe: {step!r} has no parts"
            )
    key, parts = ".".join(path), record.get(path[-1])
    if path == ["warp"] and isinstance(value, str | Warp):
        value = describe(warps.named(value) if isinstance(value, str) else value)
    elif isinstance(parts, dict) and not isinstance(value, dict):
        names = [name for name in parts if name not in ("family", "module")]
        raise ConfigError(
            f"{key} cannot be {value!r}; set one of its parts, as {key}.{names[0]}=...: {', '.join(names)}"
        )
    record[path[-1]] = value
