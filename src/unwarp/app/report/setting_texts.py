"""Settings of a run in words: recipe and warp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from unwarp.warps import Warp


def flatten(fields: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Values of nested fields in words, by names for `--set`.

    Args:
        fields: Values by name; a mapping holds the fields of a part.
        prefix: Beginning of all names.

    >>> flatten({"views": 0.5, "swap": True, "warp": {"shift": 1.0}})
    {'views': '0.5', 'swap': 'yes', 'warp.shift': '1'}
    """
    return {name: value_text(value) for name, value in leaves(fields, prefix).items()}


def leaves(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values of nested fields, by names for `--set`.

    Args:
        fields: Values by name; a mapping, or each mapping of a list, holds the fields of a part.
        prefix: Beginning of all names.

    >>> leaves({"warp": {"links": [{"family": "affine", "shear": 0.5}]}})
    {'warp.affine.family': 'affine', 'warp.affine.shear': 0.5}
    """
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            values |= leaves(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
            for part in value:  # the links of a chain, which --set names by their families
                values |= leaves(part, f"{prefix}{part['family']}.")
        else:
            values[f"{prefix}{name}"] = value
    return values


def value_text(value: Any) -> str:
    """A value of a recipe in words.

    Args:
        value: A number, a text, None, or a list of them.

    >>> value_text([1, None, 0.25])
    '1, none, 0.25'
    """
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "none"
    words = {None: "none", True: "yes", False: "no"}
    is_word = value is None or isinstance(value, bool)
    return words[value] if is_word else f"{value:.4g}" if isinstance(value, float) else str(value)


def warp_text(warp: Warp) -> str:
    """The parts of a warp with their numbers.

    Args:
        warp: A warp.

    >>> from unwarp.warps import Translation2d
    >>> warp_text(Translation2d(shift=0.5))
    'translation (shift 0.5)'
    """
    parts = []
    for part in warp.parts:
        numbers = [
            f"{field.name.replace('_', ' ')} {getattr(part, field.name):.4g}"
            for field in fields(part)
            if type(getattr(part, field.name)) in (int, float)
        ]
        parts.append(f"{part.name} ({', '.join(numbers)})" if numbers else str(part.name))
    return " and ".join(parts)
