"""Conversion of the cells of text files to numbers, times and labels.

Functions for several cells take a function `locate(k)` that returns the location of cell k in
words, for error messages. Numbers are converted all at once, with the speed of NumPy; only if that
fails, they are converted cell by cell, so that the message names the cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.formats.dates import order_of, parse_date
from unwarp.data.formats.text import quote
from unwarp.errors import DataError

MISSING_WORDS = """
? na n/a n.a. #n/a #n/v #na <na> nan -nan +nan 1.#qnan -1.#ind null nil none nat missing - -- .
#value! #div/0! #ref! #num!
"""
MISSING_CELLS = frozenset(MISSING_WORDS.split()) | {""}
"""Cells, in lower case, that mean a missing value."""

MAX_FLOAT32 = float(np.finfo(np.float32).max)
MAX_EXACT_INTEGER = 2.0**53
"""Bound below which float64 represents every integer exactly."""

MINUS = "\u2212"
"""The minus sign of Unicode, which means the same as a hyphen in a number."""

NUMBER_START = re.compile(r"\s*[+\-\u2212]?[.,]?\d|\s*[+\-\u2212]?inf", re.IGNORECASE)
"""Start of a cell that is a number, or a damaged one."""

Locate = Callable[[int], str]
"""Function from the index of a cell to its location in words, for messages."""


def value_locator(location: str) -> Locate:
    """Make the function that locates value k of a line.

    >>> value_locator("a.ts, line 3")(0)
    'a.ts, line 3, value 1'
    """
    return lambda k: f"{location}, value {k + 1}"


def is_missing(cell: str) -> bool:
    """Whether a cell means a missing value.

    It is compared with `MISSING_CELLS`, without regard to case and to blanks at its ends.

    >>> is_missing(" NaN "), is_missing("0")
    (True, False)
    """
    return with_hyphen(cell).strip().lower() in MISSING_CELLS


def with_hyphen(cell: str) -> str:
    """A cell with hyphens for the minus signs of Unicode.

    Args:
        cell: The cell.
    """
    return cell.replace(MINUS, "-") if MINUS in cell else cell


def parse_number(cell: str) -> float:
    """Convert a cell to a number, a missing value to NaN.

    Args:
        cell: Text such as `-1.5e2`, also with the minus sign of Unicode. Digit groups (`1_000`),
            which Python reads but other readers do not, are refused.

    Returns:
        A finite number within the range of float32, or NaN.

    Raises:
        ValueError: The cell is neither missing nor a finite number within the range of float32.

    >>> parse_number("-1.5e2"), parse_number("?")
    (-150.0, nan)
    """
    if is_missing(cell):
        return float("nan")
    value = float(with_hyphen(cell))
    if "_" in cell or not abs(value) <= MAX_FLOAT32:
        raise ValueError(f"{cell!r} is not a finite number within the range of float32")
    return value


def numbers_of(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Convert cells to float64 at once, with NaN for missing values.

    Args:
        cells: T cells.

    Returns:
        Values (T,); None if a cell is neither missing nor a number that float32 can represent.

    >>> numbers_of(["1", "n/a"]), numbers_of(["1", "walk"])
    (array([ 1., nan]), None)
    """
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        try:
            plain = ("nan" if is_missing(cell) else with_hyphen(cell) for cell in cells)
            values = np.fromiter(map(float, plain), np.float64, len(cells))
        except ValueError:
            return None
    # Python reads 1_000 as a number, but other programs do not: refuse it
    return None if (np.abs(values) > MAX_FLOAT32).any() or "_" in "".join(cells) else values


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number; a missing value is not.

    >>> is_number("1e3"), is_number("NaN"), is_number("walk")
    (True, False, False)
    """
    try:
        return not np.isnan(parse_number(cell))
    except ValueError:
        return False


def parse_numbers(cells: Sequence[str], locate: Locate) -> NDArray[np.float64]:
    """Convert cells to float64, with NaN for missing values.

    Args:
        cells: T cells.
        locate: Location of cell k in words, for the error.

    Returns:
        Values (T,).

    Raises:
        DataError: A cell is neither a finite number within the range of float32 nor missing.

    >>> parse_numbers(["1", "?"], str)
    array([ 1., nan])
    """
    values = numbers_of(cells)
    return _parse_one_by_one(cells, locate) if values is None else values


def _parse_one_by_one(cells: Sequence[str], locate: Locate) -> NDArray[np.float64]:
    """Do the same as `parse_numbers`, cell by cell, with an error that names the cell."""
    values = np.empty(len(cells))
    for k, cell in enumerate(cells):
        try:
            values[k] = parse_number(cell)
        except ValueError:
            raise DataError(
                f"{locate(k)}: {quote(cell)} is not a number that float32 can represent; "
                "correct it, or write NaN if the value is missing"
            ) from None
    return values


def parse_time(cell: str, order: str = "dmy") -> float:
    """A time stamp from a number, a date or a clock time.

    Args:
        cell: A finite number, in any unit, or a date as `parse_date` reads it.
        order: Order of day, month and year in a date that ends with its year.

    Returns:
        The number, or the seconds since 1970-01-01 00:00 UTC.

    Raises:
        ValueError: The cell is neither a finite number nor a date.

    >>> parse_time("2.5"), parse_time("1970-01-02 00:00:01")
    (2.5, 86401.0)
    """
    try:
        value = float(with_hyphen(cell))
    except ValueError:
        return parse_date(cell, order)
    if not np.isfinite(value) or "_" in cell:
        raise ValueError(f"{cell!r} is not a time stamp")
    return value


def parse_times(cells: Sequence[str], locate: Locate) -> NDArray[np.float64]:
    """Convert time stamps to numbers, as `parse_time` does.

    Args:
        cells: T cells.
        locate: Location of cell k in words, for the error.

    Returns:
        Times (T,), in the order of the cells.

    Raises:
        DataError: A cell is neither a finite number nor a date, a missing one is an error too; or
            dates read two ways.

    >>> parse_times(["0", "0.5"], str)
    array([0. , 0.5])
    """
    numbers = numbers_of(cells)
    if numbers is not None and np.isfinite(numbers).all():
        return numbers
    try:
        order = order_of(cells)
    except DataError as error:
        raise DataError(f"{locate(0)}: {error}") from error
    times = np.empty(len(cells))
    for k, cell in enumerate(cells):
        try:
            times[k] = parse_time(cell, order)
        except (ValueError, OverflowError):
            raise DataError(
                f"{locate(k)}: {quote(cell)} is neither a number nor an ISO date; correct the time"
            ) from None
    return times


def parse_labels(cells: Sequence[str], locate: Locate) -> Array:
    """Convert labels to one type: integers, floats or text.

    Args:
        cells: Labels of N series, as text.
        locate: Location of label k in words, for the error.

    Returns:
        Labels (N,): int64 if all are integers (`1.0` counts as one), float64 if all are numbers,
        else str.

    Raises:
        DataError: A label is missing.

    >>> parse_labels(["1.0", "2"], str), parse_labels(["1", "b"], str)
    (array([1, 2]), array(['1', 'b'], dtype='<U1'))
    """
    unlabelled = next((k for k, cell in enumerate(cells) if is_missing(cell)), None)
    if unlabelled is not None:
        raise DataError(f"{locate(unlabelled)} has no label; label every series or none")
    if not all(is_number(cell) for cell in cells):
        return np.array([cell.strip() for cell in cells])
    values = np.array([parse_number(cell) for cell in cells])
    is_integer = (values == np.round(values)).all() and (np.abs(values) < MAX_EXACT_INTEGER).all()
    return values.astype(np.int64) if is_integer else values
