"""The registry of scores: the decorator `score_function` adds a function to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar, cast, overload

from unwarp.errors import ConfigError
from unwarp.metrics.checks import check_call
from unwarp.metrics.inputs import input_names
from unwarp.registry import Registry

Score = Callable[..., "float | Mapping[str, float]"]
"""A function of fields of `ScoreInputs` that returns a number, or several by name."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Metric:
    """A registered score and its declared properties.

    The laws in `tests/laws/test_metrics.py` check each declared value. `score_function` creates
    these records; `catalogue` lists them.

    Attributes:
        function: The score.
        best: Value of each of the score's numbers for a perfect model; None if not declared.
        chance: Value for latents without information, one for all of the score's numbers or one
            for each name. It is declared for data with two equally frequent classes and two factors
            of two equally frequent values. None if not declared.
        baseline: Whether the score depends only on the samples, not on a model.

    >>> def mean_code(codes):
    ...     return float(codes.mean())
    >>> Metric(mean_code, best=0.0).name
    'mean_code'
    """

    function: Score
    best: float | None = None
    chance: float | Mapping[str, float] | None = None
    baseline: bool = False

    @property
    def name(self) -> str:
        """Name of the function and of the score."""
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

    Arguments without a default are named after fields of `ScoreInputs`, with the prefix `train_`
    for fields of the reference data. Arguments with a default are settings. The function returns a
    number, or several by name. If the same definition runs again, as in a notebook, the new
    function replaces the earlier one.

    Args:
        function: The score, if the decorator is used without parentheses (`@score_function`).
        properties: Declared properties: `best`, `chance`, `baseline` (see `Metric`).

    Returns:
        The function, with checks of its arguments (`checks.check_call`); with parentheses, a
        decorator that returns it.

    Raises:
        ConfigError: An argument without a default is not a field of `ScoreInputs`, or a function
            that is defined in another place has the same name.

    >>> @score_function(best=0.0)
    ... def largest_error(x, x_hat):
    ...     return abs(x - x_hat).max()
    >>> unregister("largest_error")
    """

    def register(function: F) -> F:
        checked = _with_checks(function)
        metric = Metric(checked, **properties)
        _check(metric)
        _METRICS.add(metric.name, metric, function)
        return checked

    return register if function is None else register(function)


def _with_checks(function: F) -> F:
    """The function, which checks its arguments before each call."""
    form = signature(function)

    @wraps(function)
    def checked(*values: Any, **values_by_name: Any) -> Any:
        bound = form.bind(*values, **values_by_name)
        check_call(bound.arguments, form.parameters)
        return function(*values, **values_by_name)

    return cast(F, checked)


def unregister(name: str) -> None:
    """Remove a score from the registry.

    Tests that register a score use it to clean up.

    Args:
        name: Name of the score.

    Raises:
        KeyError: No score has this name.
    """
    _METRICS.pop(name)


def definitions() -> dict[str, Metric]:
    """Scores that are defined so far, by name.

    Returns:
        The scores of this folder in the order of its files, then those of other modules.
    """

    # scores of this folder come first, so that new scores do not change the order of reports
    def order(metric: Metric) -> tuple[bool, str]:
        module = metric.function.__module__
        return not module.startswith(f"{__package__}."), module

    return {metric.name: metric for metric in sorted(_METRICS.values(), key=order)}


def needs(score: Score) -> tuple[str, ...]:
    """Names of the inputs that a score requires.

    Args:
        score: A function with fields of `ScoreInputs` as arguments.

    Returns:
        The arguments without a default, in order.

    >>> needs(lambda codes, labels, k=5: 0.0)
    ('codes', 'labels')
    """
    parameters = signature(score).parameters.items()
    return tuple(name for name, item in parameters if item.default is Parameter.empty)


def _check(metric: Metric) -> None:
    """Refuse a score that requires an unknown input."""
    unknown = [name for name in needs(metric.function) if name not in input_names()]
    if unknown:
        names = [name for name in input_names() if not name.startswith("train_")]
        raise ConfigError(
            f"score {metric.name!r} needs {', '.join(unknown)}, no field of ScoreInputs; name its "
            f"arguments after the fields {', '.join(names)}, with the prefix 'train_' for "
            "reference data, or give other arguments a default"
        )
