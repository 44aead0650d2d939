"""Kinds of ranges, each a type with the values that it allows.

    Whole       a whole number between two bounds
    Real        a finite number between two bounds
    Choice      one of several words
    Flag        True or False
    Sizes       several whole numbers
    Instance    an object of a class
    Seed        a seed of random numbers, as scikit-learn takes it
    SizeRule    a rule for pictures of several sizes
    Size        a size of images
    Names       names of columns of a table

Every kind has `allows`, which checks a value, and `str` says type and range in words. Importing
this file imports neither torch nor NumPy.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any

MAX_SEED = 2**32 - 1
"""Greatest seed that NumPy and scikit-learn take."""

MIN_WORKING_SIDE, MAX_WORKING_SIDE = 8, 4096
"""Bounds of a working size of images in pixels."""

MAX_SIDE = 100_000
"""Greatest height or width of a picture in pixels."""


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
        low: Lower bound.
        high: Greatest value; None for no bound.
        is_optional: Whether None is allowed, too.
        unit: Unit in words, for the message; empty for none.
        has_low: Whether the lower bound is allowed itself.

    >>> print(Real(0, unit="seconds"))
    a finite number of seconds above 0
    >>> Real(0).allows(2.5), Real(0).allows(0), Real(0).allows(math.nan)
    (True, False, False)
    """

    low: float
    high: float | None = None
    is_optional: bool = False
    unit: str = ""
    has_low: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is in the range."""
        if value is None:
            return self.is_optional
        if not isinstance(value, RealNumber) or isinstance(value, bool):
            return False
        try:
            number = float(value)
        except OverflowError:  # a whole number beyond those of floating point
            return False
        is_small = self.high is None or number <= self.high
        is_large = number > self.low or (self.has_low and number == self.low)
        return math.isfinite(number) and is_large and is_small

    def __str__(self) -> str:
        unit = f" of {self.unit}" if self.unit else ""
        low = f"of at least {self.low:g}" if self.has_low else f"above {self.low:g}"
        bound = "" if self.high is None else f" and at most {self.high:g}"
        none = ", or None" if self.is_optional else ""
        return f"a finite number{unit} {low}{bound}{none}"


@dataclass(frozen=True)
class Choice:
    """One of several words.

    Attributes:
        words: The words.
        is_optional: Whether None is allowed, too.

    >>> print(Choice(("no", "fp16", "bf16")))
    one of no, fp16, bf16
    """

    words: tuple[str, ...]
    is_optional: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is one of the words."""
        if value is None:
            return self.is_optional
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}" + (", or None" if self.is_optional else "")


@dataclass(frozen=True)
class Flag:
    """True or False, also as a number or a value of NumPy.

    Attributes:
        has_levels: Whether greater whole numbers are allowed, too, as for `verbose`.

    >>> Flag().allows(True), Flag().allows(0), Flag().allows(2), Flag().allows("no")
    (True, True, False, False)
    """

    has_levels: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is True or False."""
        numpy = sys.modules.get("numpy")
        is_flag = isinstance(value, bool) or (numpy and isinstance(value, numpy.bool_))
        return bool(is_flag) or Whole(0, None if self.has_levels else 1).allows(value)

    def __str__(self) -> str:
        return "True or False" + (", or a level from 0" if self.has_levels else "")


@dataclass(frozen=True)
class Sizes:
    """A tuple or a list of positive whole numbers: a shape.

    Attributes:
        counts: Possible numbers of entries.
        words: The entries in words, for the message.
        is_optional: Whether None is allowed, too.

    >>> Sizes((2, 3)).allows((28, 28)), Sizes((2, 3)).allows(28), Sizes((2,)).allows([8, True])
    (True, False, False)
    """

    counts: tuple[int, ...]
    words: str = ""
    is_optional: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is such a tuple or list."""
        if value is None:
            return self.is_optional
        is_tuple = isinstance(value, tuple | list) and len(value) in self.counts
        return is_tuple and all(map(Whole(1).allows, value))

    def __str__(self) -> str:
        counts = " or ".join(map(str, self.counts))
        words = f", {self.words}" if self.words else ""
        none = ", or None" if self.is_optional else ""
        return f"a tuple of {counts} whole numbers of at least 1{words}{none}"


@dataclass(frozen=True)
class Instance:
    """An object of a class.

    Attributes:
        kind: The class, or several.
        words: The objects in words, for the message.
        is_optional: Whether None is allowed, too.

    >>> print(Instance(dict, "a mapping"))
    a mapping
    >>> Instance(dict, "a mapping").allows([])
    False
    """

    kind: type | tuple[type, ...]
    words: str
    is_optional: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is such an object."""
        return self.is_optional if value is None else isinstance(value, self.kind)

    def __str__(self) -> str:
        return self.words + (", or None" if self.is_optional else "")


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
class SizeRule:
    """A rule for pictures of several sizes, or None.

    >>> SizeRule().allows("64x48"), SizeRule().allows((64, 48)), SizeRule().allows("stretch")
    (True, True, False)
    """

    def allows(self, value: Any) -> bool:
        """Whether a value is such a rule."""
        if value is None or (isinstance(value, str) and value in ("pad", "crop")):
            return True
        if isinstance(value, str):
            sides = value.split("x")
            return len(sides) == 2 and all(_is_side(side.strip()) for side in sides)
        is_pair = isinstance(value, tuple | list) and len(value) == 2
        return is_pair and all(Whole(1, MAX_SIDE).allows(side) for side in value)

    def __str__(self) -> str:
        return "'pad', 'crop', height and width as '64x64', or None"


@dataclass(frozen=True)
class Names:
    """Names of columns of a table, or None.

    Attributes:
        are_several: Whether it is a list or a tuple of names.

    >>> Names().allows("id"), Names().allows(""), Names(True).allows(["x", "y"])
    (True, True, True)
    """

    are_several: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is a name, or several, or None."""
        if value is None or not self.are_several:
            return value is None or isinstance(value, str)
        is_list = isinstance(value, list | tuple) and len(value) > 0
        return is_list and all(isinstance(name, str) for name in value)

    def __str__(self) -> str:
        noun = "a list of names of columns" if self.are_several else "the name of a column"
        return f"{noun}, or None"


def _is_side(text: str) -> bool:
    return text.isascii() and text.isdigit() and Whole(1, MAX_SIDE).allows(int(text))


@dataclass(frozen=True)
class Size:
    """A size of images or series.

    It is `auto`, a longest side in pixels, a number of time steps, a height and a width, or None.

    >>> Size().allows("auto"), Size().allows((48, 32)), Size().allows(0)
    (True, True, False)
    """

    def allows(self, value: Any) -> bool:
        """Whether a value is a size."""
        if value is None or (isinstance(value, str) and value == "auto"):
            return True
        sides = value if isinstance(value, tuple | list) and len(value) == 2 else (value,)
        return all(Whole(MIN_WORKING_SIDE, MAX_WORKING_SIDE).allows(side) for side in sides)

    def __str__(self) -> str:
        sides = f"{MIN_WORKING_SIDE} to {MAX_WORKING_SIDE:,} pixels or time steps"
        return f"'auto', a side of {sides}, (height, width), or None"
