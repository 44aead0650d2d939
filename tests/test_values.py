"""Types of fields: every record is refused by name if a value has another type."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from unwarp.values import brief, field_mistake


@dataclass
class Record:
    """A field of each kind."""

    real: float = 1.0
    whole: int = 1
    flag: bool = True
    text: str = ""
    word: Literal["a", "b"] = "a"
    deviation: float | Literal["learned"] = 1.0
    sizes: tuple[int, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    choice: Callable[[], int] | None = None
    free: Any = None


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("real", (None, "1", 1j, True, math.nan, math.inf, 1e300, 10**400, []), "a finite number"),
        ("whole", (None, 1.0, True, "1", 10**12, np.array([1, 2])), "a whole number"),
        ("flag", (None, 1, "no", [], np.array([True, True])), "True or False"),
        ("text", (None, 1, b"x"), "a text"),
        ("word", (None, "c", 1, ["a"], np.array(["a", "a"])), "one of a, b"),
        ("deviation", (None, "learnt", math.nan), "a finite number or learned"),
        ("sizes", (None, 3, "12", (1.5,), (True,), {1}), "a tuple of whole numbers"),
        ("pair", ((0.0,), (0.0, 1.0, 2.0), 0.5, (math.nan, 1.0)), "a tuple of 2 finite numbers"),
        ("choice", (3, "print"), "a function or None"),
    ],
)
def test_wrong_types_are_named(name: str, values: tuple[Any, ...], words: str) -> None:
    """The message has the class, the field, the value and what is allowed."""
    for value in values:
        expected = f"Record: {name}={brief(value)} is not allowed; {name} must be {words}"
        assert field_mistake(Record(**{name: value})) == expected


def test_right_types_pass() -> None:
    """Numbers of NumPy, whole numbers for real ones, lists for tuples, anything for Any."""
    numbers: dict[str, Any] = {"real": 3, "whole": np.int64(2), "flag": np.True_}
    others: dict[str, Any] = {"sizes": [1, 2], "choice": int, "free": object()}
    for values in (numbers, others, {"real": np.float32(0.5), "deviation": "learned"}):
        assert field_mistake(Record(**values)) == ""


def test_unknown_types_are_not_checked() -> None:
    """A class of a user whose types cannot be resolved keeps its values."""

    class Hidden: ...

    @dataclass
    class Local:
        hidden: Hidden

    assert field_mistake(Local(3)) == ""  # type: ignore[arg-type]


def test_values_are_one_short_line() -> None:
    """Any value has a text of one line and at most 80 characters."""
    for value in (10**5000, "a" * 10**6, "two\nlines", [[1] * 999], b"x"):
        assert len(brief(value)) <= 80 and brief(value).isprintable()
