"""Data sets by name: files of this folder with `load(part) -> Dataset`, and registered ones."""

from __future__ import annotations

from unwarp.data.dataset import Dataset, Draw
from unwarp.datasets.registry import REGISTRY, built_in, preset, register
from unwarp.errors import ConfigError

__all__ = ["Dataset", "Draw", "load", "names", "preset", "register"]


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
        return REGISTRY[name].load(part)
    found: Dataset = import_module(f"{__name__}.{name.replace('-', '_')}").load(part)
    return found
