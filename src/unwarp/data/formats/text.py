"""Lines and cells of a text file as numbers, labels and time stamps; every refusal names the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

MISSING = frozenset(("", "?", "na", "n/a", "#n/a", "nan", "-nan", "null", "none"))
"""Cells, in lower case, that stand for a missing value."""


LARGEST = float(np.finfo(np.float32).max)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_text(path: Path) -> str:
    """The text of a file: UTF-8, or Latin-1 where it is not, as older archives are.

    Raises:
        DataError: Nothing in it, or it cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text.strip():
        raise DataError(f"{path} is empty; a series file holds at least one series")
    return text


def placed_lines(path: Path) -> list[tuple[str, str]]:
    """The lines of a file that are not blank, stripped, each with its place in words; the first line is 1."""
    # tabs stay, for an empty cell at the end of a line is a missing value
    lines = (
        (number, line.strip(" "))
        for number, line in enumerate(re.split("\r\n|\r|\n", read_text(path)), 1)
    )
    return [(f"{path}, line {number}", line) for number, line in lines if line.strip()]


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value."""
    return cell.strip().lower() in MISSING


def number(cell: str) -> float:
    """A cell as a finite number that float32 can hold, or NaN where the value is missing.

    Raises:
        ValueError: Anything else.

    >>> number("-1.5e2"), number("?")
    (-150.0, nan)
    """
    if is_missing(cell):
        return float("nan")
    value = float(cell)
    if "_" in cell or not abs(value) <= LARGEST:
        raise ValueError(f"{cell!r} is not a number of this kind")
    return value


def is_number(cell: str) -> bool:
    """Whether a cell holds a number; a missing value is none."""
    try:
        return not np.isnan(number(cell))
    except ValueError:
        return False


def numbers(cells: Sequence[str], where: Callable[[int], str]) -> NDArray[np.float32]:
    """Cells as float32, NaN where missing.

    Args:
        cells: The cells.
        where: Place of cell k in words, for the error.

    Raises:
        DataError: A cell that is neither a finite number nor missing.
    """
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return _one_by_one(cells, where)
    # Python takes 1_000 for a number, no other reader does
    if (np.abs(values) > LARGEST).any() or "_" in "".join(cells):
        return _one_by_one(cells, where)
    return values.astype(np.float32)


def _one_by_one(cells: Sequence[str], where: Callable[[int], str]) -> NDArray[np.float32]:
    values = np.empty(len(cells), np.float32)
    for k, cell in enumerate(cells):
        try:
            values[k] = number(cell)
        except ValueError:
            raise DataError(
                f"{where(k)}: {shown(cell)} is not a number that float32 can hold; correct it, or write NaN or nothing "
                "where a value is missing"
            ) from None
    return values


def stamp(cell: str) -> float:
    """A time stamp: a number as it stands, or an ISO date in seconds since 1970 (UTC).

    Raises:
        ValueError: Neither of the two.

    >>> stamp("2.5"), stamp("1970-01-02 00:00:01")
    (2.5, 86401.0)
    """
    try:
        value = float(cell)
    except ValueError:
        moment = datetime.fromisoformat(cell.strip())
        # a date without a zone must not depend on where it is read
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH).total_seconds()
    if not np.isfinite(value) or "_" in cell:
        raise ValueError(f"{cell!r} is no time")
    return value


def stamps(cells: Sequence[str], where: Callable[[int], str]) -> NDArray[np.float64]:
    """Time stamps (T,); a cell that is none raises `DataError` with its place."""
    times = np.empty(len(cells))
    for k, cell in enumerate(cells):
        try:
            times[k] = stamp(cell)
        except (ValueError, OverflowError):
            raise DataError(
                f"{where(k)}: {shown(cell)} is neither a number nor an ISO date"
            ) from None
    return times


def classes(cells: Sequence[str], where: Callable[[int], str]) -> Array:
    """Labels (N,): whole numbers as int64, other numbers as float64, words as they stand.

    Raises:
        DataError: A missing label.

    >>> classes(["1.0", "2"], str), classes(["1", "b"], str)
    (array([1, 2]), array(['1', 'b'], dtype='<U1'))
    """
    lacking = next((k for k, cell in enumerate(cells) if is_missing(cell)), None)
    if lacking is not None:
        raise DataError(f"{where(lacking)} has no label; label every series or none")
    if not all(is_number(cell) for cell in cells):
        return np.array([cell.strip() for cell in cells])
    values = np.array([float(cell) for cell in cells])
    whole = (values == np.round(values)).all() and (np.abs(values) < 2.0**53).all()
    return values.astype(np.int64) if whole else values


def without_tail(row: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    """A series (C, T) without the steps at its end that are missing in every channel: what pads a shorter series.

    Raises:
        DataError: Nothing is left.
    """
    there = np.flatnonzero(~np.isnan(row).all(0))
    if there.size == 0:
        raise DataError(f"{where} holds no value; remove it")
    return row[:, : there[-1] + 1]


def shown(cell: str) -> str:
    """A cell for a message, cut where it is long."""
    return repr(cell if len(cell) <= 40 else cell[:40] + "...")


def gathered(
    rows: list[Array],
    labels: Array | None,
    how: str,
    names: list[str] | None = None,
    times: list[Array] | None = None,
) -> Source:
    """Series (C, T_i) as a `Source`: one array where they are equally long, else a list.

    Args:
        rows: N series of one number of channels.
        labels: Class of each (N,).
        how: What the format is and what was chosen, in words.
        names: Name of each.
        times: Time stamps of each (T_i,).
    """
    if len({row.shape for row in rows}) > 1:
        return Source(rows, names, labels, f"{describe(rows)}; {how}", "series", times)
    x = np.stack(rows)
    x = x[:, 0] if x.shape[1] == 1 else x
    stacked = None if times is None else np.stack(times)
    return Source(x, names, labels, f"{describe(x, domain='series')}; {how}", "series", stacked)
