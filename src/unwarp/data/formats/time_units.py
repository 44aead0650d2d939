"""Units of time in the names of columns."""

from __future__ import annotations

import re

from unwarp.core import Array
from unwarp.data.formats.column_names import UNIT, WORD

NAMES_OF_UNITS = {
    "ns": "ns nsec nanosecond nanoseconds",
    "us": "us µs μs usec microsecond microseconds mikrosekunden",
    "ms": "ms msec msecs millis millisecond milliseconds millisekunden",
    "s": "s sec secs second seconds sekunde sekunden",
    "min": "min mins minute minutes minuten",
    "h": "h hr hrs hour hours stunde stunden",
    "days": "d day days tage",
}
UNIT_OF_WORD = {word: unit for unit, words in NAMES_OF_UNITS.items() for word in words.split()}
"""Unit of time by a word for it, in lower case."""

UNITS_PER_SECOND = {"ns": 1e9, "us": 1e6, "ms": 1e3}
SECONDS_PER_UNIT = {"s": 1.0, "min": 60.0, "h": 3600.0, "days": 86400.0}


def unit_of(name: str) -> str | None:
    """The unit of time that the name of a column ends with.

    Args:
        name: Name of a column, or a cell in a row of units.

    Returns:
        `ns`, `us`, `ms`, `s`, `min`, `h` or `days`; None if the name has none.

    >>> unit_of("Time (ms)"), unit_of("t_us"), unit_of("elapsed/h"), unit_of("time"), unit_of("day")
    ('ms', 'us', 'h', None, 'days')
    """
    in_brackets = UNIT.search(name)
    text = in_brackets[0].strip(" ()[]{}/") if in_brackets else (WORD.findall(name) or [""])[-1]
    return UNIT_OF_WORD.get(re.sub(r"\s", "", text).lower())


def in_seconds(times: Array, unit: str | None) -> Array:
    """Times in seconds.

    Args:
        times: Times (N,).
        unit: Their unit, as `unit_of` names it; None leaves them as they are.

    >>> import numpy as np
    >>> in_seconds(np.array([0.0, 20.0]), "ms"), in_seconds(np.array([1.5]), "min")
    (array([0.  , 0.02]), array([90.]))
    """
    if unit in UNITS_PER_SECOND:
        return times / UNITS_PER_SECOND[unit]
    return times * SECONDS_PER_UNIT.get(unit or "s", 1.0)
