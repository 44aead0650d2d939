"""Overrides, single fields of a recipe from a file or from texts."""

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
    """Recipe fields by dotted name, from a file and from texts.

    Args:
        config: A YAML or JSON file with fields of a recipe, nested or dotted; None for none.
        settings: Texts such as `optimiser.lr=1e-3`, with a YAML value. They replace fields of the
            file.

    Returns:
        Values by dotted field name, such as `{"optimiser.lr": 0.001}`.

    Raises:
        ConfigError: The file or a value is not valid YAML, or a text has no `=`.

    Example:
        >>> parse_overrides(None, ["n_content=8", "warp=affine"])
        {'n_content': 8, 'warp': 'affine'}
    """
    if malformed_settings := [text for text in settings if "=" not in text]:
        raise ConfigError(
            f"--set {malformed_settings[0]!r} is not of the form key=value; write it as in "
            "--set n_content=8"
        )
    try:
        values = dict(_flatten(yaml.safe_load(config.read_text()) if config else {}))
        pairs = (text.partition("=") for text in settings)
        return values | {key: yaml.safe_load(value) for key, _, value in pairs}
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{config or settings} is not valid YAML: {reason}") from None


def check_fields(overrides: Mapping[str, Any], *families: type[Recipe]) -> None:
    """Refuse overrides of fields that no recipe has.

    This needs no data, so a typing error is reported before any are read.

    Args:
        overrides: Values by dotted field name.
        families: Recipe classes that may be meant, the most likely first.

    Raises:
        ConfigError: No family has the field; the message lists the fields of the first family.
    """
    names = {field.name for family in families for field in fields(family)}
    for key in overrides:
        name = key.partition(".")[0]
        if name not in names and name != "family":
            choices = ", ".join(field.name for field in fields(families[0]))
            raise ConfigError(
                f"{families[0].__name__} has no field {name!r}; its fields are {choices}"
            )


def apply_overrides(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields replaced.

    All other fields keep their values, so an override decides nothing else.

    Args:
        recipe: The recipe; its family stays, and an override `family` is ignored.
        overrides: Values by dotted field name, such as `{"optimiser.lr": 1e-3}`. A warp may be a
            `Warp`, a name or a description; the fields of a part of a chain are
            `warp.PART.FIELD`.

    Returns:
        A recipe of the same family; `recipe` itself without overrides.

    Raises:
        ConfigError: A field is unknown, or a value has the wrong type or is out of range.

    Example:
        >>> from unwarp.models import AE
        >>> apply_overrides(AE(), {"n_content": 8, "warp.rotation": 90}).warp.rotation
        90.0
    """
    if not overrides:
        return recipe
    record = describe(recipe)
    for key, value in overrides.items():
        if key.rpartition(".")[2] == "module":
            raise ConfigError(
                f"{key!r} names the module that defines a family and cannot be set; remove it"
            )
        if key != "family":
            _set_field(record, key.split("."), value)
    updated_recipe: Recipe = restore(record)
    return updated_recipe


def _flatten(record: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of nested mappings by dotted name; the description of a warp stays whole."""
    if not isinstance(record, dict):
        raise ConfigError(
            "--config must be a file with fields of a recipe, in lines such as 'n_content: 8'"
        )
    for key, value in record.items():
        if isinstance(value, dict) and "family" not in value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _set_field(record: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one field of a description, in place.

    A warp given by name becomes the description of that warp, so that later overrides can set its
    fields.
    """
    for name in path[:-1]:
        links = {link["family"]: link for link in record.get("links", ())}
        record = links.get(name, record.get(name))  # type: ignore[assignment]
        if not isinstance(record, dict):
            raise ConfigError(
                f"{'.'.join(path)!r} is no field of the recipe: {name!r} has no parts; set it whole"
            )
    key, parts = ".".join(path), record.get(path[-1])
    if path == ["warp"] and isinstance(value, str | Warp):
        value = describe(warps.warp_named(value) if isinstance(value, str) else value)
    elif isinstance(parts, dict) and not isinstance(value, dict):
        names = [name for name in parts if name not in ("family", "module")]
        raise ConfigError(
            f"{key} cannot be {value!r}; set one of its parts, as {key}.{names[0]}=...: "
            f"{', '.join(names)}"
        )
    record[path[-1]] = value
