"""Data sets by name. The folder is the registry: a new file with `load(part) -> Dataset` is a new data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from unwarp.data.dataset import Dataset

__all__ = ["load", "names"]


def names() -> tuple[str, ...]:
    """Names of the built-in data sets."""
    import pkgutil

    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if name != "home"))


def load(name: str, part: str = "train") -> Dataset:
    """The built-in data set `name`.

    Raises:
        ConfigError: An unknown name; the message lists the known ones.
    """
    from importlib import import_module

    if name not in names():
        raise ConfigError(f"data set {name!r} is unknown; choose one of {', '.join(names())}")
    samples: Dataset = import_module(f"{__name__}.{name.replace('-', '_')}").load(part)
    return samples
