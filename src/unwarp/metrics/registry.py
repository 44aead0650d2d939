"""The registry of scores: a function joins it by its name when it is defined, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeVar, overload

from unwarp.core import Registry
from unwarp.errors import ConfigError
from unwarp.metrics.inputs import input_names

Score = Callable[..., "float | Mapping[str, float]"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Metric:
    """A registered score, and what it promises.

    Attributes:
        function: Inputs to a number, or to several by name.
        best: Value of each of its numbers on a perfect model of perfect codes; None: not declared.
        chance: Value on noise, of each number or by its name, where two classes, and the two
            values of each of two factors, are equally frequent; None: not declared.
        baseline: Whether it measures the samples alone, so that models do not change it.
    """

    function: Score
    best: float | None = None
    chance: float | Mapping[str, float] | None = None
    baseline: bool = False

    @property
    def name(self) -> str:
        """Name of the function, by which the score is registered."""
        return str(getattr(self.function, "__name__", self.function))


_METRICS: Registry[Metric] = Registry("score", ConfigError)


@overload
def score_function(function: F, /) -> F: ...
@overload
def score_function(
    *,
    best: float | None = None,
    chance: float | Mapping[str, float] | None = None,
    baseline: bool = False,
) -> Callable[[F], F]: ...
def score_function(function: Any = None, /, **properties: Any) -> Any:
    """Register a function of arrays as a score, under its own name.

    The names of its arguments say what it needs: they are fields of `ScoreInputs`. Arguments with
    a default are settings. It gives a number, or several by name. Defining a function of the same
    name in the same place again replaces it.

    Args:
        function: The score, where the decorator stands without brackets.
        properties: What the score promises: `best`, `chance`, `baseline` (see `Metric`).

    Returns:
        The function as it was, or the decorator of one.

    Raises:
        ConfigError: A needed argument is no input, or another function has that name.

    >>> @score_function(best=0.0)
    ... def largest_error(x, x_hat):
    ...     return abs(x - x_hat).max()
    >>> unregister("largest_error")
    """

    def register(function: F) -> F:
        metric = Metric(function, **properties)
        _check(metric)
        _METRICS.add(metric.name, metric, function)
        return function

    return register if function is None else register(function)


def unregister(name: str) -> None:
    """Take a score out of the registry, as tests of their own scores do."""
    _METRICS.pop(name)


def definitions() -> dict[str, Metric]:
    """Scores defined so far by name: this folder's file by file, then those of other modules."""

    def order(metric: Metric) -> tuple[bool, str]:
        module = metric.function.__module__
        return not module.startswith(f"{__package__}."), module

    return {metric.name: metric for metric in sorted(_METRICS.values(), key=order)}


def needs(score: Score) -> tuple[str, ...]:
    """Names of the inputs that a score cannot do without."""
    parameters = signature(score).parameters.items()
    return tuple(name for name, p in parameters if p.default is Parameter.empty)


def _check(metric: Metric) -> None:
    unknown = [name for name in needs(metric.function) if name not in input_names()]
    if unknown:
        names = [name for name in input_names() if not name.startswith("train_")]
        raise ConfigError(
            f"score {metric.name!r} needs {', '.join(unknown)}, no field of ScoreInputs; name its "
            f"arguments by {', '.join(names)}, with 'train_' before those of reference data, "
            "or give them a default"
        )
