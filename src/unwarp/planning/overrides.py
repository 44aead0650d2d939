"""Overrides: values for single fields of a recipe."""

from __future__ import annotations

import math
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

MAX_CONFIG_BYTES, MAX_CONFIG_VALUES = 65_536, 4_096
"""Greatest size of a configuration file in bytes, and greatest number of values in it.

A recipe has about a hundred values. A small file with aliases can stand for billions of values.
"""


def parse_overrides(config: Path | None = None, settings: Sequence[str] = ()) -> dict[str, Any]:
    """Values of recipe fields by dotted name, from file and texts.

    Args:
        config: A YAML or JSON file with fields of a recipe, with nested mappings or dotted names;
            None for none.
        settings: Texts such as `optimiser.lr=1e-3`, with the value in YAML. They take precedence
            over the file.

    Returns:
        Values by dotted field name, such as `{"optimiser.lr": 0.001}`.

    Raises:
        ConfigError: The file or a value is not valid YAML, is too large or has too many levels;
            the file is not UTF-8; or a text has no `=`.

    Example:
        >>> parse_overrides(None, ["n_content=8", "warp=affine"])
        {'n_content': 8, 'warp': 'affine'}
    """
    if malformed_settings := [text for text in settings if "=" not in text]:
        raise ConfigError(
            f"--set {malformed_settings[0]!r} is not of the form key=value; write it as in "
            "--set n_content=8"
        )
    values = dict(_flatten(_parse_yaml(_read_text(config), str(config)) if config else {}))
    pairs = (text.partition("=") for text in settings)
    return values | {key: _parse_yaml(value, f"--set {key}") for key, _, value in pairs}


def _read_text(path: Path) -> str:
    """The text of a configuration file; UTF-8 only, so that it is the same everywhere."""
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ConfigError(
            f"{path} has more than {MAX_CONFIG_BYTES:,} bytes; give a file with fields of a recipe"
        )
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start}); save it with the encoding UTF-8"
        ) from None


def _parse_yaml(text: str, place: str) -> Any:
    """The value of a YAML text, whose size is checked before it is built.

    Args:
        text: The text.
        place: File or option of the text, for messages.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None and _count_values(node, {}) > MAX_CONFIG_VALUES:
            raise ConfigError(
                f"{place} has more than {MAX_CONFIG_VALUES:,} values, counted with each alias "
                "written out; keep only fields of a recipe"
            )
        return yaml.safe_load(text)
    except RecursionError:
        raise ConfigError(f"{place} has too many levels; keep only fields of a recipe") from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        reason = " ".join(str(error).split())
        raise ConfigError(f"{place} is not valid YAML: {reason}; correct it") from None


def _count_values(node: yaml.Node, counts: dict[int, float]) -> float:
    """Number of values in a YAML node, with each alias counted as often as it is used.

    Args:
        node: The node.
        counts: Numbers of the nodes so far by their identity; infinite for a node that is being
            counted, so that a node which contains itself is infinite.
    """
    if id(node) not in counts:
        counts[id(node)] = math.inf
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        parts = [part for pair in pairs for part in pair]
        parts += node.value if isinstance(node, yaml.SequenceNode) else []
        counts[id(node)] = 1 + sum(_count_values(part, counts) for part in parts)
    return counts[id(node)]


def check_fields(overrides: Mapping[str, Any], *families: type[Recipe]) -> None:
    """Refuse overrides of fields that none of some families has.

    The check needs no data, so a misspelled field is reported before data are read.

    Args:
        overrides: Values by dotted field name.
        families: The recipe classes; the most likely one first.

    Raises:
        ConfigError: None of the families has the field; the message lists the fields of the first
            family.
    """
    names = {field.name for family in families for field in fields(family)}
    for key in overrides:
        name = key.partition(".")[0]
        if name not in names and name != "family":
            choices = ", ".join(field.name for field in fields(families[0]))
            raise ConfigError(
                f"{families[0].__name__} has no field {name!r}; its fields are {choices}"
            )


def check_values(overrides: Mapping[str, Any], *recipes: Recipe) -> None:
    """Refuse overrides with values that suit none of some recipes.

    The check needs no data, so a value out of range is reported before data are read. Fields of the
    warp are left out, because the warp may depend on the data.

    Args:
        overrides: Values by dotted field name, which all recipes together have.
        recipes: Recipes that the overrides may be applied to; the most likely one first.

    Raises:
        ConfigError: A value has the wrong type or is out of range in all recipes.
    """
    values = {key: value for key, value in overrides.items() if key.partition(".")[0] != "warp"}
    errors = []
    for recipe in recipes:
        try:
            apply_overrides(recipe, values)
            return
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def apply_overrides(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields replaced; all other fields keep their values.

    Args:
        recipe: The recipe. Its family does not change, and an override `family` is ignored.
        overrides: Values by dotted field name, such as `{"optimiser.lr": 1e-3}`. The value of
            `warp` may be a `Warp`, its name, or the mapping that `describe` returns for it. The
            name of a field of one warp in a chain is `warp.PART.FIELD`, such as
            `warp.affine.rotation`.

    Returns:
        A recipe of the same family; `recipe` itself if there are no overrides.

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
    """Values of nested mappings by dotted name.

    A mapping with an entry `family`, the description of a warp, is one value.
    """
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
    """Set one field in the description of a recipe, in place.

    If the value is a warp or the name of a warp, its description is set, so that later overrides
    can set fields of this warp.

    Args:
        record: Description of the recipe, as `describe` returns it.
        path: The parts of the dotted field name.
        value: The new value.
    """
    for name in path[:-1]:
        links = {link["family"]: link for link in record.get("links", ())}
        if name not in links and name not in record:
            raise ConfigError(
                f"{'.'.join(path)!r} is not a field of the recipe, since there is no {name!r} at "
                f"this place; choose one of {', '.join([*links, *record])}"
            )
        record = links.get(name, record.get(name))  # type: ignore[assignment]
        if not isinstance(record, dict):
            raise ConfigError(
                f"{'.'.join(path)!r} is not a field of the recipe, since {name!r} has no fields; "
                f"set {name!r} itself"
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
