"""Types and ranges of arguments, in one place for all doors.

Python, YAML and the command line check by them alike.

    Whole       a whole number between two bounds
    Real        a finite number between two bounds
    Choice      one of several words
    Seed        a seed of random numbers, as scikit-learn takes it
    Size        a size of images

`ARGUMENTS` lists the ranges of the arguments of `Unwarper`, and `RECIPE_RANGES` those of the fields
of a recipe that decide how much it computes. Importing this file imports neither torch nor NumPy.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, get_args

from unwarp.core import DivergencePolicy, MissingPolicy, Precision
from unwarp.errors import ConfigError

MAX_SEED = 2**32 - 1
"""Greatest seed that NumPy and scikit-learn take."""

MIN_SIDE, MAX_SIDE = 8, 4096
"""Bounds of a working size of images in pixels."""

MAX_STEPS = 2**40 - 1
"""Greatest number of training steps; greater numbers of a step belong to hooks of models."""


@dataclass(frozen=True)
class Whole:
    """A whole number between two bounds.

    Attributes:
        low: Least value.
        high: Greatest value; None for no bound.
        is_optional: Whether None is allowed, too.

    >>> print(Whole(1, 10))
    a whole number from 1 to 10
    >>> Whole(1).allows(3), Whole(1).allows("3"), Whole(1).allows(True)
    (True, False, False)
    """

    low: int
    high: int | None = None
    is_optional: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is in the range."""
        if value is None:
            return self.is_optional
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        return is_whole and self.low <= value and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        bounds = f"of at least {self.low:,}"
        if self.high is not None:
            bounds = f"from {self.low:,} to {self.high:,}"
        return f"a whole number {bounds}" + (", or None" if self.is_optional else "")


@dataclass(frozen=True)
class Real:
    """A finite number between two bounds.

    Attributes:
        low: Lower bound, which is not allowed itself.
        high: Greatest value; None for no bound.
        is_optional: Whether None is allowed, too.
        unit: Unit in words, for the message; empty for none.

    >>> print(Real(0, unit="seconds"))
    a finite number of seconds above 0
    >>> Real(0).allows(2.5), Real(0).allows(0), Real(0).allows(math.nan)
    (True, False, False)
    """

    low: float
    high: float | None = None
    is_optional: bool = False
    unit: str = ""

    def allows(self, value: Any) -> bool:
        """Whether a value is in the range."""
        if value is None:
            return self.is_optional
        if not isinstance(value, RealNumber) or isinstance(value, bool):
            return False
        number = float(value)
        is_small = self.high is None or number <= self.high
        return math.isfinite(number) and self.low < number and is_small

    def __str__(self) -> str:
        unit = f" of {self.unit}" if self.unit else ""
        bound = "" if self.high is None else f" and at most {self.high:g}"
        none = ", or None" if self.is_optional else ""
        return f"a finite number{unit} above {self.low:g}{bound}{none}"


@dataclass(frozen=True)
class Choice:
    """One of several words.

    Attributes:
        words: The words.

    >>> print(Choice(("no", "fp16", "bf16")))
    one of no, fp16, bf16
    """

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Whether a value is one of the words."""
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Seed:
    """A seed of random numbers, a `RandomState`, or None.

    A seed is a whole number below 2**32. These are the values that scikit-learn's
    `check_random_state` takes, but for the module `numpy.random`. A `Generator` is none of them.

    Attributes:
        can_be_state: Whether a `RandomState` or None is allowed, too.

    >>> Seed().allows(0), Seed().allows(-1), Seed().allows(None), Seed(False).allows(None)
    (True, False, True, False)
    """

    can_be_state: bool = True

    def allows(self, value: Any) -> bool:
        """Whether a value is a seed."""
        is_state = value is None or _is_random_state(value)
        return Whole(0, MAX_SEED).allows(value) or (self.can_be_state and is_state)

    def __str__(self) -> str:
        states = ", a numpy.random.RandomState, or None" if self.can_be_state else ""
        return f"{Whole(0, MAX_SEED)}{states}"


def _is_random_state(value: Any) -> bool:
    """Whether a value is a `RandomState`; without NumPy there is none."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.random.RandomState)


@dataclass(frozen=True)
class Size:
    """A size of images.

    It is `auto`, a longest side in pixels, a height and a width, or None.

    >>> Size().allows("auto"), Size().allows((48, 32)), Size().allows(0)
    (True, True, False)
    """

    def allows(self, value: Any) -> bool:
        """Whether a value is a size."""
        if value is None or (isinstance(value, str) and value == "auto"):
            return True
        sides = value if isinstance(value, tuple | list) and len(value) == 2 else (value,)
        return all(Whole(MIN_SIDE, MAX_SIDE).allows(side) for side in sides)

    def __str__(self) -> str:
        return f"'auto', a side of {MIN_SIDE} to {MAX_SIDE:,} pixels, (height, width), or None"


Range = Whole | Real | Choice | Seed | Size
"""A type with a range of values; `allows` checks a value, and `str` says both in words."""

ARGUMENTS: Mapping[str, Range] = {
    "n_content": Whole(1, 65_536, is_optional=True),
    "n_clusters": Whole(1, MAX_SEED, is_optional=True),
    "max_steps": Whole(1, MAX_STEPS, is_optional=True),
    "max_seconds": Real(0, is_optional=True, unit="seconds"),
    "batch_size": Whole(2, 1_048_576, is_optional=True),
    "sampling_rate": Real(0, is_optional=True, unit="samples per second"),
    "working_size": Size(),
    "missing": Choice(get_args(MissingPolicy)),
    "precision": Choice(get_args(Precision)),
    "on_divergence": Choice(get_args(DivergencePolicy)),
    "random_state": Seed(),
}
"""Ranges of the arguments of `Unwarper` that do not depend on the samples, by name."""

RECIPE_RANGES: Mapping[str, Range] = {
    "n_content": Whole(1, 65_536),
    "refinements": Whole(0, 64),
    "pose_clusters": Whole(0, 10_000),
    "pose_updates": Whole(0, 100_000),
    "starts": Whole(1, 1_024),
}
"""Ranges of the fields of a recipe that bound its work, by name."""

PASSES = Whole(1, 1_000)
"""Range of the two numbers of runs in `passes` of a recipe."""

SAMPLE_COUNT = Whole(1, 2**31 - 1)
"""Range of a number of samples to generate."""


def check_value(name: str, value: Any, range: Range) -> None:
    """Refuse a value of an argument that is outside of its range.

    Args:
        name: Name of the argument, for the message.
        value: The value.
        range: Type and range of the argument.

    Raises:
        ConfigError: The value has another type or is out of range.

    >>> check_value("max_steps", 0, ARGUMENTS["max_steps"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unwarp.errors.ConfigError: max_steps=0 is not allowed; give a whole number from 1 to ...
    """
    if not range.allows(value):
        raise ConfigError(f"{name}={_brief(value)} is not allowed; give {range}")


def check_arguments(values: Mapping[str, Any]) -> None:
    """Refuse arguments of `Unwarper` that are outside of their ranges.

    Args:
        values: Values by the name of the argument; names without a range are ignored.

    Raises:
        ConfigError: A value has another type or is out of range; the message names the argument.

    >>> check_arguments({"random_state": 2**32, "warp": "affine"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    unwarp.errors.ConfigError: random_state=4294967296 is not allowed; give a whole number from ...
    """
    for name, range in ARGUMENTS.items():
        if name in values:
            check_value(name, values[name], range)


def _brief(value: Any) -> str:
    """A value as it is written in code, shortened to one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
