"""Choices (recipes, warps and what they hold) as JSON values, and back; nothing is ever imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp import warps
from unwarp.core import address
from unwarp.errors import ConfigError, NotImportedError
from unwarp.models.recipe import Recipe
from unwarp.warps import Chain, Warp

PACKAGE = __name__.partition(".")[0]


def describe(choice: Any) -> Any:
    """A choice as plain JSON values.

    Args:
        choice: A recipe, a warp, or anything that one of them holds.

    Returns:
        A mapping with the `family` of a recipe or a warp, the `module` that defines it where that is
        outside this package, and its fields; other values as they are.

    Raises:
        ConfigError: A class that `restore` could not tell from the one that it derives from.
    """
    if isinstance(choice, Chain):
        links = [describe(link) for link in choice.links]
        return {"family": choice.name, "links": links, "size": list(choice.size)}
    if is_dataclass(choice) and not isinstance(choice, type):
        head, body = (
            _head(choice),
            {f.name: describe(getattr(choice, f.name)) for f in fields(choice)},
        )
        if taken := head.keys() & body.keys():
            raise ConfigError(
                f"{address(choice)} has a field {taken.pop()!r}, which its record needs; rename it"
            )
        return head | body
    if isinstance(choice, tuple | list):
        return [describe(item) for item in choice]
    return choice


def _head(choice: Any) -> dict[str, str]:
    """Name of a recipe or a warp, and its module where that is outside this package."""
    if not isinstance(choice, Recipe | Warp):
        return {}
    label, members = _label(choice)
    name, module = str(getattr(choice, label, None)), type(choice).__module__
    if name not in members or address(members[name]) != address(choice):
        raise ConfigError(
            f"{address(choice)} has no name of its own and cannot be written; "
            f"add to the class: {label}: ClassVar[str] = 'a-new-name'"
        )
    inside = module.partition(".")[0] == PACKAGE
    return {"family": name} | ({} if inside else {"module": module})


def _label(choice: Recipe | Warp) -> tuple[str, Mapping[str, type]]:
    """Attribute that names a choice, and the registry that knows the name."""
    return ("family", Recipe.registry) if isinstance(choice, Recipe) else ("name", Warp.registry)


def restore(record: Mapping[str, Any]) -> Any:
    """The recipe or warp that `describe` wrote, checked field by field.

    Raises:
        NotImportedError: A family of a module that is not imported; the message names the module.
        ConfigError: An unknown family or field, or a value of the wrong type.
    """
    return _restored(record, {**Warp.registry, **Recipe.registry})


def _restored(record: Any, members: Mapping[str, type]) -> Any:
    """The member of a registry that a record describes."""
    if not isinstance(record, Mapping):
        raise ConfigError(f"{record!r} is no recipe or warp; give a mapping with its family")
    values = dict(record)
    name, module = values.pop("family", None), values.pop("module", None)
    if name not in members:
        raise _absent(name, module, members)
    if members[name] is Chain:
        if strange := values.keys() - {"links", "size"}:
            raise ConfigError(
                f"a chain has no field {min(strange)!r}; set fields of its parts, as warp.PART.{min(strange)}, which are "
                + (
                    ", ".join(str(link.get("family")) for link in values.get("links", ()))
                    or "missing"
                )
            )
        links = (_restored(link, Warp.registry) for link in values.get("links", ()))
        return Chain(*links, size=values.get("size", (2, 2)))
    return _checked(members[name], values)


def _absent(name: Any, module: Any, members: Mapping[str, type]) -> ConfigError:
    """The error for a family that is not registered, with its mend."""
    if module is None:
        return ConfigError(
            f"family {name!r} is unknown; choose one of {', '.join(sorted(members))}"
        )
    if module == "__main__":
        return NotImportedError(
            f"family {name!r} is defined in a script or a notebook; run its definition here, then load again"
        )
    return NotImportedError(
        f"family {name!r} is defined in {module}, which is not imported; import it, then load again"
        f" (on the command line: unwarp --plugin {module} ...)"
    )


def _checked(choice: Any, values: dict[str, Any]) -> Any:
    """A dataclass from its fields, with values of the types that it declares."""
    hints, names = get_type_hints(choice), [f.name for f in fields(choice)]
    for name, value in values.items():
        if name not in names:
            raise ConfigError(
                f"{choice.__name__} has no field {name!r}; its fields are {', '.join(names)}"
            )
        hint = hints[name]
        if isinstance(hint, type) and issubclass(hint, Warp):
            named = isinstance(value, str)
            values[name] = warps.named(value) if named else _restored(value, Warp.registry)
        elif is_dataclass(hint) and isinstance(value, Mapping):
            values[name] = _checked(hint, dict(value))
        else:
            values[name] = _typed(choice, name, hint, value)
    return choice(**values)


def _typed(choice: type, name: str, hint: Any, value: Any) -> Any:
    """A value as the type `hint` of a field."""
    config = None if is_dataclass(hint) else ConfigDict(arbitrary_types_allowed=True)
    try:
        return TypeAdapter(hint, config=config).validate_python(value)
    except ValidationError as error:
        problem = " or ".join(part["msg"] for part in error.errors())
        raise ConfigError(f"{choice.__name__}.{name}: {problem}, got {value!r}") from None
