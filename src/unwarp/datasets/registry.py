"""Registry of data sets by name; a user's modules can add some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

from unwarp.errors import ConfigError
from unwarp.registry import Registry, address

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset
    from unwarp.models.recipe import Recipe

Loader = Callable[[str], "Dataset"]
"""Function from `train` or `test` to that part of a data set."""

LoaderType = TypeVar("LoaderType", bound="Callable[[str], Dataset]")

REGISTRY: Registry[Loader] = Registry("data set", ConfigError)
"""Loaders that imported modules registered, by name; the built-in data sets are not among them."""

SUPPORTING_FILES = ("folders", "registry")
"""Modules of this folder that are not data sets."""


def register(name: str, *, preset: Recipe | None = None) -> Callable[[LoaderType], LoaderType]:
    """Make a decorator that registers a loader as a data set.

    A loader takes `train` or `test` and returns that part as a `Dataset`.

    Args:
        name: Name of the data set, for `load` and for the command line.
        preset: Recipe (model and training options) for this data set, used if the user sets neither
            a recipe nor a warp; None if the library shall choose a recipe.

    Returns:
        The decorator, which returns the loader unchanged.

    Raises:
        ConfigError: Another data set has this name.

    >>> @register("my-set")
    ... def load(part: str) -> Dataset: ...
    >>> REGISTRY.pop("my-set") is load
    True
    """

    def add(function: LoaderType) -> LoaderType:
        if name in built_in():
            raise ConfigError(
                f"{address(function)} has the name {name!r} of a built-in data set; choose another "
                "name"
            )
        REGISTRY.add(name, function)
        if preset is not None:
            _register_preset(name, preset)
        return function

    return add


def _register_preset(name: str, preset: Recipe) -> None:
    """Make `preset` the default recipe of a data set."""
    # imported here, so that listing the data sets does not import the models
    from unwarp.models.recipe import RECIPE_OF_DATASET

    RECIPE_OF_DATASET[name] = preset


def built_in() -> tuple[str, ...]:
    """Names of the built-in data sets, without importing them.

    Each module of this folder is a data set, except those in `SUPPORTING_FILES`; subfolders are
    not. The name has hyphens in place of underscores.

    >>> "affine-mnist" in built_in()
    True
    """
    modules = iter_modules([str(Path(__file__).parent)])
    files = (module.name for module in modules if not module.ispkg)
    return tuple(name.replace("_", "-") for name in files if name not in SUPPORTING_FILES)
