"""Data sets of any module by name: a decorator registers a loader beside the files of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

from unwarp.core import Registry, address
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset
    from unwarp.models.recipe import Recipe

Loader = Callable[[str], "Dataset"]
LoaderType = TypeVar("LoaderType", bound="Callable[[str], Dataset]")


REGISTRY: Registry[Loader] = Registry("data set", ConfigError)
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
    >>> REGISTRY.pop("my-set") is load
    True
    """

    def enter(function: LoaderType) -> LoaderType:
        if name in built_in():
            raise ConfigError(
                f"{address(function)} cannot be the data set {name!r}, which is built in; rename it"
            )
        REGISTRY.add(name, function)
        if preset is not None:
            _register_preset(name, preset)
        return function

    return enter


def _register_preset(name: str, preset: Recipe) -> None:
    """Let `name` start from `preset` wherever no recipe is asked for."""
    from unwarp.models.recipe import RECIPE_OF_DATASET

    RECIPE_OF_DATASET[name] = preset


def built_in() -> tuple[str, ...]:
    """Names of the data sets of this folder, without their import."""
    files = (module.name for module in iter_modules([str(Path(__file__).parent)]))
    return tuple(name.replace("_", "-") for name in files if name not in ("home", "registry"))
