"""Types of the fields of records, and values in messages.

Warps, recipes, networks and optimisers are frozen dataclasses. Each of their fields has a type.
`field_mistake` compares the values with it, so that a record made in Python, from YAML or from the
command line is refused alike. This file imports no other of the library.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

MAX_WHOLE = 2**31 - 1
"""Greatest whole number of a field; greater ones ask for endless work."""

MAX_REAL = 3.4e38
"""Greatest real number of a field; models compute with float32, which has no greater ones."""


def brief(value: object) -> str:
    """A value for a message, as one short line of code.

    Args:
        value: Any object, also one without a text: a number of more digits than Python prints.

    >>> brief([1, 2]), len(brief("a" * 1000))
    ('[1, 2]', 80)
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}..."


def field_mistake(record: object) -> str:
    """The message for the first field of another type, or nothing.

    Types that are none of numbers, texts, flags, choices, tuples of them, and classes are not
    checked. Neither are those that cannot be resolved, as in a function of a user.

    Args:
        record: An instance of a dataclass.

    Returns:
        Class, name, value and the allowed values, for the error that the record raises; empty if
        all values have their types.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Wave:
    ...     height: float
    ...     phases: tuple[int, ...] = ()
    >>> field_mistake(Wave(float("nan")))
    'Wave: height=nan is not allowed; height must be a finite number'
    >>> field_mistake(Wave(1, (2, True)))
    'Wave: phases=(2, True) is not allowed; phases must be a tuple of whole numbers'
    """
    choice: Any = type(record)
    hints = _hints(choice)
    for item in fields(record):  # type: ignore[arg-type]
        hint, value = hints.get(item.name, Any), getattr(record, item.name)
        if not has_type(value, hint):
            name = f"{type(record).__name__}: {item.name}"
            return f"{name}={brief(value)} is not allowed; {item.name} must be {words_for(hint)}"
    return ""


@cache
def _hints(choice: Any) -> Mapping[str, Any]:
    """Types of the fields of a class; empty if a name in them is unknown."""
    try:
        return get_type_hints(choice)
    except (NameError, AttributeError, TypeError):
        return {}


def has_type(value: Any, hint: Any) -> bool:
    """Whether a value has a declared type and is finite.

    Args:
        value: The value.
        hint: The type.

    >>> has_type(1, float), has_type(True, float), has_type("a", Literal["a", "b"])
    (True, False, True)
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(has_type(value, part) for part in parts)
    if origin is Literal:
        return any(isinstance(value, type(part)) and value == part for part in parts)
    if origin is tuple:
        return _is_tuple(value, parts)
    if hint in (float, int):
        return _is_number(value, hint)
    if hint is bool:
        return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")
    if hint is None or hint is types.NoneType:
        return value is None
    if origin is Callable:
        return callable(value)
    is_class = isinstance(hint, type) and origin is None and hint is not Any
    return isinstance(value, hint) if is_class else True


def _is_number(value: Any, hint: type) -> bool:
    """Whether a value is a finite number, or a whole one, but no flag."""
    if isinstance(value, bool) or not isinstance(value, Integral if hint is int else Real):
        return False
    if isinstance(value, Integral):
        return abs(int(value)) <= (MAX_WHOLE if hint is int else MAX_REAL)
    return math.isfinite(value) and abs(float(value)) <= MAX_REAL


def _is_tuple(value: Any, parts: tuple[Any, ...]) -> bool:
    """Whether a value is a tuple or a list of a declared length, with entries of their types."""
    if not isinstance(value, tuple | list):
        return False
    if parts[-1:] == (...,):
        return all(has_type(item, parts[0]) for item in value)
    pairs = zip(value, parts, strict=False)
    return len(value) == len(parts) and all(has_type(item, part) for item, part in pairs)


def words_for(hint: Any, plural: bool = False) -> str:
    """The values of a declared type, in words that complete "must be".

    Args:
        hint: The type.
        plural: Whether several values are meant.

    >>> words_for(tuple[int, ...] | None)
    'a tuple of whole numbers or None'
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(words_for(part, plural) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}" if len(parts) > 1 else str(parts[0])
    if origin is tuple:
        if parts[-1:] == (...,):
            return f"a tuple of {words_for(parts[0], plural=True)}"
        return f"a tuple of {len(parts)} {words_for(parts[0], plural=True)}"
    if hint is types.NoneType:
        return "None"
    nouns = {float: "finite number", int: "whole number", str: "text"}
    if hint is bool:
        return "True or False"
    noun = nouns.get(hint) or getattr(hint, "__name__", "value")
    noun = "function" if origin is Callable else noun
    return f"{noun}s" if plural else f"a {noun}"
