"""Choices (recipes, warps and what they hold) as JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp import warps
from unwarp.errors import ConfigError
from unwarp.models.recipe import Recipe
from unwarp.warps import Chain, Warp


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
    known: dict[str, Any] = {**Recipe.known, **Warp.known}
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
