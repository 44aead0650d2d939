"""Entries of a mapping whose names have a common beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def strip_prefix(entries: Mapping[str, T], prefix: str) -> dict[str, T]:
    """The entries whose names have a prefix, without it.

    Args:
        entries: Values by name, such as scores or tensors.
        prefix: Beginning of the names, such as `raw_`.

    Returns:
        Values by the rest of their names.

    >>> strip_prefix({"raw_acc": 0.5, "acc": 0.9}, "raw_")
    {'acc': 0.5}
    """
    return {k.removeprefix(prefix): v for k, v in entries.items() if k.startswith(prefix)}
