"""Data sets by name: files of this folder with `load(part) -> Dataset`, and registered ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unwarp.datasets.registry import REGISTRY, built_in, register
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset

__all__ = ["load", "names", "register"]


def names() -> tuple[str, ...]:
    """Names of the data sets, built in or registered by imported modules."""
    return tuple(sorted({*built_in(), *REGISTRY}))


def load(name: str, part: str = "train") -> Dataset:
    """A part of the data set `name`.

    Args:
        name: A built-in data set, or one that an imported module registered.
        part: `train` or `test`.

    Raises:
        ConfigError: An unknown name; the message lists those that there are.
    """
    from importlib import import_module

    if name not in names():
        raise ConfigError(f"data set {name!r} is unknown; choose one of {', '.join(names())}")
    if name in REGISTRY:
        return replace(REGISTRY[name](part), registered_name=name)
    samples: Dataset = import_module(f"{__name__}.{name.replace('-', '_')}").load(part)
    return replace(samples, registered_name=name)
