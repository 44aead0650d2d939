"""Checks of the inputs and settings of all scores.

`score_function` calls `check_call` before each call of a score. The names of the arguments say what
they must be: fields of `ScoreInputs` are arrays of numbers, labels or maps, with one row for each
sample; arguments with a default are settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from numbers import Number
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.range_kinds import Flag, Real, Whole
from unwarp.ranges import Range, check_value
from unwarp.values import brief

NUMBERS = (
    *("x", "x_hat", "series", "aligned", "codes", "templates", "theta", "latents"),
    *("factor_values", "content_mean", "content_log_sd", "cluster_centers", "log_weights"),
    *("features", "sample_features", "gaussian_features"),
)
"""Inputs that are arrays of real numbers with an axis of samples and another one or more."""

LABELS = ("labels", "sample_labels", "ids")
"""Inputs with one value of any type for each sample."""

ALONE = ("cluster_centers", "log_weights", "sample_features", "gaussian_features", "sample_labels")
"""Inputs whose first axis does not count the held-out samples."""

INFINITE = ("log_weights",)
"""Inputs that may be infinite, as the logarithm of a weight of 0; their scores check them."""


def check_call(arguments: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> None:
    """Refuse arguments of a score that do not fit.

    Args:
        arguments: Values by the name of the argument.
        parameters: The parameters of the score by name.

    Raises:
        DataError: An input is no array of its kind, is empty or not finite, or has another number
            of rows than the others of the same samples.
        ConfigError: A setting has another type than its default, or is out of range.
    """
    rows: dict[str, tuple[str, int]] = {}
    for name, value in arguments.items():
        default = parameters[name].default
        if default is not Parameter.empty:
            _check_setting(name, value, default)
            continue
        field = name.removeprefix("train_")
        if field in (*NUMBERS, *LABELS):
            n = len(_as_input(name, field, value))
            if field not in ALONE:
                first, count = rows.setdefault(name.removesuffix(field), (name, n))
                _check_rows(name, n, first, count)


def _as_input(name: str, field: str, value: Any) -> Array:
    """An input as an array; anything else than its kind is refused."""
    try:
        array = np.asarray(value)
    except Exception as error:  # an object of a user may raise anything
        raise DataError(f"{name}={brief(value)} is no array ({error}); give an array") from error
    kinds, least = ("biuf", 2) if field in NUMBERS else ("biufOSUM", 1)
    if array.ndim < least or array.size == 0 or array.dtype.kind not in kinds:
        form = "numbers (N, ...)" if field in NUMBERS else "one value for each sample (N,)"
        raise DataError(
            f"{name} is an array of shape {array.shape}, {array.dtype}; give {form}, N of 1 or more"
        )
    if array.dtype.kind == "O" and not _are_labels(array):
        raise DataError(f"{name} holds values of several types; give numbers or texts")
    if field in NUMBERS and field not in INFINITE and not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name} has {array[index]} at index {index}; give finite numbers")
    return array


def _are_labels(array: Array) -> bool:
    """Whether objects are texts, or numbers, and thus have an order."""
    return any(all(isinstance(value, kind) for value in array.flat) for kind in (str, Number))


def _check_rows(name: str, n: int, first: str, count: int) -> None:
    """Refuse inputs of the same samples with different numbers of rows."""
    if n != count:
        raise DataError(f"{first} has {count} rows, {name} {n}; give one row for each sample")


def _check_setting(name: str, value: Any, default: Any) -> None:
    """Refuse a setting of another type than its default; words are checked by the score."""
    allowed: Range | None = None
    if isinstance(default, bool):
        allowed = Flag()
    elif isinstance(default, int):
        allowed = Whole(0 if name == "seed" else 1, 2**32 - 1)
    elif isinstance(default, float):
        allowed = Real(0, 1, has_low=True)
    if allowed is not None:
        check_value(name, value, allowed)
    elif isinstance(default, str) and not isinstance(value, str):
        raise ConfigError(f"{name}={brief(value)} is unknown; give a text such as {default!r}")
