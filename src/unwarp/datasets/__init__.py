"""Data sets by name: built-in ones and registered ones.

A built-in data set is a file of this folder with a function `load(part) -> Dataset`; its name is
the name of the file with hyphens. Other modules add data sets with the decorator `register`.

>>> load("bumps", "test").shape
(1, 128)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unwarp.datasets.registry import REGISTRY, built_in, register
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset

__all__ = ["load", "names", "register"]


def names() -> tuple[str, ...]:
    """Names of all data sets, sorted.

    Included are the built-in ones, whether or not their files are installed, and those that
    imported modules registered.
    """
    return tuple(sorted({*built_in(), *REGISTRY}))


def load(name: str, part: str = "train") -> Dataset:
    """Load a part of a data set.

    Args:
        name: One of `names()`, such as `affine-mnist`.
        part: `train` or `test`.

    Returns:
        The samples, with the labels, true maps and factors that the data set has. Its
        `registered_name` is `name`, which selects the recipe measured on it.

    Raises:
        ConfigError: The name is unknown; the message lists all names.
        DataError: The part is unknown, or files of the data set are missing or damaged.
    """
    from importlib import import_module

    if name not in names():
        raise ConfigError(f"data set {name!r} is unknown; choose one of {', '.join(names())}")
    if name in REGISTRY:
        return replace(REGISTRY[name](part), registered_name=name)
    samples: Dataset = import_module(f"{__name__}.{name.replace('-', '_')}").load(part)
    return replace(samples, registered_name=name)
