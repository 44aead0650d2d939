"""Search spaces of sweeps: the values to try, by field.

The values of a field are `Between` two bounds, or `OneOf` several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from unwarp.core import Domain
from unwarp.errors import ConfigError
from unwarp.models.recipe import Recipe
from unwarp.planning.overrides import apply_overrides, parse_overrides
from unwarp.range_kinds import Flag, Real
from unwarp.ranges import RECIPE_RANGES, check_value
from unwarp.values import brief

NOT_SWEPT = {
    "family": "losses of two families have no common measure; make a sweep of each, and name the "
    "family with recipe=, or --set family=NAME",
    "content": "a sweep trains the joint code alone",
    "fast": "a sweep trains the joint code alone",
}
"""Fields of a recipe that no sweep varies, and why."""

BOUNDS = frozenset({"low", "high", "log"})
"""Entries of a range of numbers."""

MAX_WIDE_PRIOR = 10.0
"""Standard deviation of the prior from which on it has no effect, so that it is not varied."""


class _Trial(Protocol):
    """The methods of a trial of Optuna that choose values."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


@dataclass(frozen=True)
class Between:
    """All numbers between two bounds, the bounds included.

    Attributes:
        low: Least value.
        high: Greatest value.
        log: Whether equal factors, instead of equal differences, are equally probable.
        is_whole: Whether only whole numbers are tried.

    >>> Between(1e-4, 1e-2, log=True).ends
    (0.0001, 0.01)
    """

    low: float
    high: float
    log: bool = False
    is_whole: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that are all allowed if every value is."""
        return (int(self.low), int(self.high)) if self.is_whole else (self.low, self.high)

    def choose(self, name: str, trial: _Trial) -> Any:
        """The value of a trial.

        Args:
            name: Name of the field.
            trial: The trial.
        """
        if self.is_whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class OneOf:
    """One of several values.

    Attributes:
        values: The values.

    >>> OneOf(((16,), (32, 16))).ends
    ((16,), (32, 16))
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def choose(self, name: str, trial: _Trial) -> Any:
        """The value of a trial.

        Args:
            name: Name of the field.
            trial: The trial, which sees texts instead of lists and mappings.
        """
        labels = {_label(value): value for value in self.values}
        return labels[trial.suggest_categorical(name, list(labels))]


def _label(value: Any) -> Any:
    """A value that Optuna can store."""
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)


SearchSpace = Mapping[str, Between | OneOf]
"""The values to try, by dotted field of a recipe."""


def read_space(path: Path) -> dict[str, Any]:
    """The search space of a YAML or JSON file, not yet checked.

    Args:
        path: The file. An entry is a list of values, or a mapping with `low`, `high` and possibly
            `log`; fields are nested or have dotted names.

    Returns:
        Lists and mappings by dotted field.

    Raises:
        ConfigError: The file is no valid YAML, too large, or no mapping.
    """
    space: dict[str, Any] = {}
    for key, value in parse_overrides(path).items():
        field, _, bound = key.rpartition(".")
        if field and bound in BOUNDS:
            space.setdefault(field, {})[bound] = value
        else:
            space[key] = value
    return space


def parse_space(record: Mapping[str, Any], recipe: Recipe) -> dict[str, Between | OneOf]:
    """A search space, checked against a recipe.

    Args:
        record: For each dotted field of the recipe a list of values, or a mapping with `low`,
            `high` and possibly `log`; entries of type `Between` and `OneOf` are taken as they are.
        recipe: The recipe that the values are set in.

    Raises:
        ConfigError: A field is unknown or has no effect in a sweep, or a value is out of range.

    >>> from unwarp.models import AE
    >>> parse_space({"n_content": {"low": 2, "high": 8}}, AE())
    {'n_content': Between(low=2, high=8, log=False, is_whole=True)}
    """
    if not isinstance(record, Mapping) or not record:
        raise ConfigError(
            f"space={brief(record)} is no search space; give a mapping of recipe fields, such as "
            "{'n_content': {'low': 2, 'high': 16}}"
        )
    space = {str(name): _parse_entry(str(name), entry, recipe) for name, entry in record.items()}
    for name, values in space.items():
        _check_effect(name, recipe)
        for value in values.ends:
            if name in RECIPE_RANGES and not (name == "starts" and value == "auto"):
                check_value(f"space: {name}", value, RECIPE_RANGES[name])
            try:
                apply_overrides(recipe, {name: value}).joint()
            except ConfigError as error:
                raise ConfigError(f"space: {error}") from None
    return space


def _parse_entry(name: str, entry: Any, recipe: Recipe) -> Between | OneOf:
    """The values to try of one field."""
    if isinstance(entry, Between | OneOf):
        return entry
    if isinstance(entry, list | tuple) and entry:
        return OneOf(tuple(entry))
    if not isinstance(entry, Mapping) or not {"low", "high"} <= entry.keys() <= BOUNDS:
        raise ConfigError(
            f"space: {name}={brief(entry)} is not allowed; give a list of values, or low and high, "
            "and log: true for steps of equal factors"
        )
    low, high = (_number(f"space: {name}.{bound}", entry[bound]) for bound in ("low", "high"))
    log = entry.get("log", False)
    check_value(f"space: {name}.log", log, Flag())
    if low >= high or (log and low <= 0):
        bound = "above low" + (" and low above 0" if log else "")
        raise ConfigError(f"space: {name}.high={high} is not allowed; give one {bound}")
    present = _present(name, recipe)
    is_whole = isinstance(low, int) and isinstance(high, int) and not isinstance(present, float)
    return Between(low, high, bool(log), is_whole)


def _number(name: str, value: Any) -> int | float:
    """A number; YAML reads one such as 1e-4, without a point, as a text."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    check_value(name, value, Real(-1e12, 1e12))
    return value if isinstance(value, int) else float(value)


def _present(name: str, recipe: Recipe) -> Any:
    """The value of a dotted field in a recipe; None for a part of a chain."""
    value: Any = recipe
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def _check_effect(name: str, recipe: Recipe) -> None:
    """Refuse a field that changes nothing in the trials of a sweep, or that they cannot compare."""
    size, other = content_field(recipe), {"n_content": "n_joint", "n_joint": "n_content"}
    if name in NOT_SWEPT:
        raise ConfigError(f"space: {name} cannot be swept: {NOT_SWEPT[name]}")
    if name in other and name != size:
        raise ConfigError(
            f"space: {name} has no effect in a sweep with content={recipe.content!r}; vary {size}"
        )


def content_field(recipe: Recipe) -> str:
    """The field with the size of the learned code.

    Args:
        recipe: The recipe of a training.

    >>> from unwarp.models import AE
    >>> content_field(AE()), content_field(AE(content="gradients"))
    ('n_content', 'n_joint')
    """
    return "n_content" if recipe.content == "joint" else "n_joint"


def default_space(
    recipe: Recipe, domain: Domain, shape: tuple[int, ...]
) -> dict[str, Between | OneOf]:
    """The search space of a sweep for which the user names none.

    Args:
        recipe: The recipe of a training.
        domain: Domain of the samples.
        shape: Shape of a sample (C, ...).

    Returns:
        Size of the learned code, learning rate, widths of the networks; with a warp also the prior
        over deformations, and the crop of pictures whose code is learned.
    """
    n, lr, net = recipe.joint().n_content, recipe.optimiser.lr, recipe.net
    space: dict[str, Between | OneOf] = {
        content_field(recipe): Between(max(1, n // 3), 3 * n, log=True, is_whole=True),
        "optimiser.lr": Between(lr / 5, lr * 5, log=True),
    }
    if net.resolve_kind(shape) == "mlp":
        space["net.encoder"] = OneOf(tuple(_scaled(net.encoder, f) for f in (0.5, 1, 2)))
        space["net.decoder"] = OneOf(tuple(_scaled(net.decoder, f) for f in (0.5, 1, 2)))
    else:
        widths = dict.fromkeys(max(8, 8 * round(net.channels * f / 8)) for f in (0.5, 1, 2))
        space["net.channels"] = OneOf(tuple(widths))
    if recipe.warp.factors and recipe.prior != "learned" and recipe.prior < MAX_WIDE_PRIOR:
        space["prior"] = Between(recipe.prior / 3, recipe.prior * 3, log=True)
    if recipe.warp.factors and not domain.has_times and recipe.content == "joint":
        space["crop"] = Between(0.5, 1.0)
    return space


def _scaled(widths: tuple[int, ...], factor: float) -> list[int]:
    """Widths of layers times a factor."""
    return [max(1, round(factor * width)) for width in widths]
