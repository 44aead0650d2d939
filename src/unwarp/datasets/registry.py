"""Registry of data sets by name, open to modules outside this package."""

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
"""Loaders that imported modules registered, by name; built-in sets are files of this folder."""

SUPPORTING_FILES = ("folders", "registry")
"""Files of this folder that are no data sets."""


def register(name: str, *, preset: Recipe | None = None) -> Callable[[LoaderType], LoaderType]:
    """Make a decorator that registers a loader as a data set.

    A loader takes `train` or `test` and returns that part as a `Dataset`.

    Args:
        name: Name of the data set, for `load` and for the command line.
        preset: Recipe that was measured on this data set, used if the user names neither a recipe
            nor a warp; None for the defaults.

    Returns:
        The decorator, which gives the loader back unchanged.

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
                f"{address(function)} cannot be the data set {name!r}, which is built in; rename it"
            )
        REGISTRY.add(name, function)
        if preset is not None:
            _register_preset(name, preset)
        return function

    return add


def _register_preset(name: str, preset: Recipe) -> None:
    """Make `preset` the default recipe of a data set."""
    # imported here, so that a list of data sets does not import the models
    from unwarp.models.recipe import RECIPE_OF_DATASET

    RECIPE_OF_DATASET[name] = preset


def built_in() -> tuple[str, ...]:
    """Names of the data sets of this folder, without importing them.

    Each file is a data set, except those in `SUPPORTING_FILES`; folders are none. A name has
    hyphens in place of underscores.

    >>> "affine-mnist" in built_in()
    True
    """
    modules = iter_modules([str(Path(__file__).parent)])
    files = (module.name for module in modules if not module.ispkg)
    return tuple(name.replace("_", "-") for name in files if name not in SUPPORTING_FILES)
