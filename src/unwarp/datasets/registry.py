"""Data sets of any module by name: a decorator registers a loader beside the files of this folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

from unwarp.errors import ConfigError
from unwarp.registry import Registry, address

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset
    from unwarp.models.recipe import Recipe

LoaderType = TypeVar("LoaderType", bound="Callable[[str], Dataset]")


@dataclass(frozen=True)
class Entry:
    """A registered data set.

    Attributes:
        load: Function from a part, `train` or `test`, to its samples.
        preset: Recipe that was measured on it; None where there is none.
    """

    load: Callable[[str], Dataset]
    preset: Recipe | None = None


REGISTRY: Registry[Entry] = Registry("data set", ConfigError)
"""Data sets of imported modules by name; built-in ones are the files of this folder."""


def register(name: str, *, preset: Recipe | None = None) -> Callable[[LoaderType], LoaderType]:
    """A decorator that registers a loader of a part as a data set.

    Args:
        name: Name of the data set, for `load` and for the command line.
        preset: Recipe that was measured on it and suits it, if any.

    Raises:
        ConfigError: Another data set has this name.

    >>> @register("my-set")
    ... def load(part: str) -> Dataset: ...
    >>> REGISTRY.pop("my-set").load is load
    True
    """

    def enter(function: LoaderType) -> LoaderType:
        if name in built_in():
            raise ConfigError(f"{address(function)} cannot be the data set {name!r}, which is built in; rename it")
        REGISTRY.add(name, Entry(function, preset), function)
        return function

    return enter


def preset(name: str) -> Recipe | None:
    """The recipe that a data set was registered with, if any."""
    return REGISTRY[name].preset if name in REGISTRY else None


def built_in() -> tuple[str, ...]:
    """Names of the data sets of this folder, without their import."""
    files = (module.name for module in iter_modules([str(Path(__file__).parent)]))
    return tuple(name.replace("_", "-") for name in files if name not in ("home", "registry"))
