"""Convert recipes and warps to JSON values, and back.

Reading never imports a module and never runs stored code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from unwarp import warps
from unwarp.errors import ConfigError, NotImportedError
from unwarp.models.recipe import Recipe
from unwarp.registry import address
from unwarp.values import brief, has_type, words_for
from unwarp.warps import Chain, Warp

PACKAGE = __name__.partition(".")[0]

MAX_LINKS, MAX_COUNT = 16, 65_536
"""Greatest number of warps in a chain, and greatest whole number, that `restore` takes.

A record may come from a file of another person; greater numbers would ask for endless work. Objects
that are made in Python have no such bounds.
"""


def describe(choice: Any) -> Any:
    """A recipe or a warp as plain JSON values.

    Args:
        choice: A recipe, a warp, or the value of one of their fields.

    Returns:
        For a recipe or a warp, a mapping with its name as `family`, its fields and, if its class is
        defined outside this package, the name of the defining `module`. For another dataclass, a
        mapping with its fields. Other values are returned unchanged.

    Raises:
        ConfigError: The class has no registered name, so `restore` could not find it; or a field is
            called `family` or `module`.

    >>> from unwarp.warps import Identity
    >>> describe(Identity())
    {'family': 'identity', 'size': [2, 2]}
    """
    if isinstance(choice, Chain):
        links = [describe(link) for link in choice.links]
        return {"family": choice.name, "links": links, "size": list(choice.size)}
    if is_dataclass(choice) and not isinstance(choice, type):
        head = _family_entries(choice)
        body = {f.name: describe(getattr(choice, f.name)) for f in fields(choice)}
        if clashes := head.keys() & body.keys():
            raise ConfigError(
                f"{address(choice)} has a field {clashes.pop()!r}, a name that the file format "
                "reserves; rename the field"
            )
        return head | body
    if isinstance(choice, tuple | list):
        return [describe(item) for item in choice]
    return choice


def recipe_facts(recipe: Recipe) -> Any:
    """A recipe as JSON values, to tell it from another one.

    Unlike `describe` it accepts a recipe without a registered name, of which only the text is a
    fact.

    Args:
        recipe: Any recipe.

    >>> from unwarp.models import AE
    >>> recipe_facts(AE(n_content=3))["n_content"]
    3
    """
    try:
        return describe(recipe)
    except ConfigError:
        return f"{address(recipe)} {recipe}"


def _family_entries(choice: Any) -> dict[str, str]:
    """The entries `family` and, outside this package, `module`; none for other dataclasses."""
    if not isinstance(choice, Recipe | Warp):
        return {}
    attribute, members = _naming(choice)
    name, module = str(getattr(choice, attribute, None)), type(choice).__module__
    if name not in members or address(members[name]) != address(choice):
        raise ConfigError(
            f"{address(choice)} has no name of its own and cannot be written; "
            f"add to the class: {attribute}: ClassVar[str] = 'a-new-name'"
        )
    is_inside = module.partition(".")[0] == PACKAGE
    return {"family": name} | ({} if is_inside else {"module": module})


def _naming(choice: Recipe | Warp) -> tuple[str, Mapping[str, type]]:
    """The class attribute that holds the registered name, and the registry with this name."""
    return ("family", Recipe.registry) if isinstance(choice, Recipe) else ("name", Warp.registry)


def restore(record: Mapping[str, Any]) -> Any:
    """The recipe or warp that a mapping of JSON values describes.

    This is the inverse of `describe`. Every field is checked. Missing fields take their default
    values. A warp within a recipe may be given by its name.

    Args:
        record: A mapping with the name of a recipe or a warp as `family`, and its fields.

    Raises:
        NotImportedError: The module that defines the family is not imported; the message names it.
        ConfigError: A family or a field is unknown, or a value has the wrong type, is not finite,
            or is out of range.

    >>> restore({"family": "vae", "n_content": 6, "warp": "affine"}).n_content
    6
    """
    try:
        return _restore_member(record, {**Warp.registry, **Recipe.registry})
    except RecursionError:
        raise ConfigError("the record has too many levels; give a recipe or a warp") from None


def _restore_member(record: Any, members: Mapping[str, type]) -> Any:
    """The recipe or warp that a record describes; `members` are the classes by name."""
    if not isinstance(record, Mapping):
        raise ConfigError(
            f"{record!r} is not a recipe or a warp; give a mapping such as {{'family': 'ae'}}"
        )
    values = dict(record)
    name, module = values.pop("family", None), values.pop("module", None)
    if name not in members:
        raise _unknown_family(name, module, members)
    if members[name] is Chain:
        return _restore_chain(values)
    return _build_dataclass(members[name], values)


def _restore_chain(values: Mapping[str, Any]) -> Chain:
    """A chain of warps from the records of its parts."""
    links = values.get("links", ())
    if unknown := values.keys() - {"links", "size"}:
        field = min(unknown)
        parts = ", ".join(str(link.get("family")) for link in links) or "missing"
        raise ConfigError(
            f"a chain has no field {field!r}; set a field of one of its parts ({parts}), "
            f"as warp.PART.{field}"
        )
    if not isinstance(links, list | tuple) or not 2 <= len(links) <= MAX_LINKS:
        raise ConfigError(f"links of a chain must be a list of 2 to {MAX_LINKS} warps; correct it")
    members = (_restore_member(link, Warp.registry) for link in links)
    return Chain(*members, size=values.get("size", (2, 2)))


def _unknown_family(name: Any, module: Any, members: Mapping[str, type]) -> ConfigError:
    """The error for a family that is not registered; the message says how to register it."""
    if module is None:
        return ConfigError(
            f"family {name!r} is unknown; choose one of {', '.join(sorted(members))}"
        )
    if module == "__main__":
        return NotImportedError(
            f"family {name!r} is defined in a script or a notebook; run its definition here, "
            "then load again"
        )
    return NotImportedError(
        f"family {name!r} is defined in {module}, which is not imported; import it, then load again"
        f" (on the command line: unwarp --plugin {module} ...)"
    )


def _build_dataclass(choice: Any, values: dict[str, Any]) -> Any:
    """An instance of the dataclass `choice` from the JSON values of its fields."""
    hints, names = get_type_hints(choice), [f.name for f in fields(choice)]
    for name, value in values.items():
        if name not in names:
            raise ConfigError(
                f"{choice.__name__} has no field {name!r}; its fields are {', '.join(names)}"
            )
        hint = hints[name]
        if isinstance(hint, type) and issubclass(hint, Warp):
            is_name = isinstance(value, str)
            values[name] = (
                warps.warp_named(value) if is_name else _restore_member(value, Warp.registry)
            )
        elif is_dataclass(hint) and isinstance(value, Mapping):
            values[name] = _build_dataclass(hint, dict(value))
        else:
            values[name] = _convert(choice, name, hint, value)
    return choice(**values)


def _convert(choice: type, name: str, hint: Any, value: Any) -> Any:
    """A JSON value converted to `hint`, the declared type of the field `name` of a class."""
    is_record = is_dataclass(hint)
    config = None if is_record else ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False)
    mistake = ConfigError(
        f"{choice.__name__}.{name}={brief(value)} is not allowed; {name} must be {words_for(hint)}"
    )
    if _has_flags(value) and not has_type(value, hint):  # pydantic takes True for 1
        raise mistake
    try:
        converted = TypeAdapter(hint, config=config).validate_python(value)
    except (ValidationError, RecursionError):
        raise mistake from None
    _check_counts(f"{choice.__name__}.{name}", converted)
    return converted


def _has_flags(value: Any) -> bool:
    """Whether a value is True or False, or a list with one of them."""
    items = value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(item, bool) for item in items)


def _check_counts(name: str, value: Any) -> None:
    """Refuse a whole number, alone or in a tuple, that would ask for endless work."""
    numbers = value if isinstance(value, tuple | list) else (value,)
    if len(numbers) > MAX_COUNT or any(
        isinstance(number, int) and abs(number) > MAX_COUNT for number in numbers
    ):
        raise ConfigError(
            f"{name}={brief(value)} is not allowed; give whole numbers of at most {MAX_COUNT:,}"
        )
