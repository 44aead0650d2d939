"""Built-in and registered data sets, by name.

Each module of this folder with a function `load(part) -> Dataset` is a built-in data set. Its name
is that of the module, with hyphens for underscores. The decorator `register` adds the data sets of
other modules.

>>> load("bumps", "test").shape
(1, 128)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unwarp.datasets.registry import REGISTRY, built_in, register
from unwarp.errors import ConfigError
from unwarp.range_kinds import Choice
from unwarp.values import brief

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset

__all__ = ["load", "names", "register"]


def names() -> tuple[str, ...]:
    """Names of all data sets, sorted.

    These are the built-in data sets, even if their files are not on this computer, and the data
    sets that imported modules registered.
    """
    return tuple(sorted({*built_in(), *REGISTRY}))


def load(name: str, part: str = "train") -> Dataset:
    """Load a part of a data set.

    Args:
        name: One of `names()`, such as `affine-mnist`.
        part: `train` or `test`.

    Returns:
        The samples, with the labels, true maps and factors that the data set has. The field
        `registered_name` is `name`; `Unwarper` takes the recipe for this data set by it.

    Raises:
        ConfigError: The name is unknown; the message lists all names.
        DataError: The part is unknown, or files of the data set are missing or damaged.
    """
    from importlib import import_module

    if not Choice(names()).allows(name):
        raise ConfigError(
            f"data set name={brief(name)} is unknown; choose one of {', '.join(names())}"
        )
    if name in REGISTRY:
        return replace(REGISTRY[name](part), registered_name=name)
    samples: Dataset = import_module(f"{__name__}.{name.replace('-', '_')}").load(part)
    return replace(samples, registered_name=name)
