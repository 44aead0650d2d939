"""Tables of series, as in `.csv` files: wide (a row a series), or long (a row a series and time)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import (
    classes,
    gathered,
    is_missing,
    is_number,
    numbers,
    read_text,
    shown,
    stamps,
    without_tail,
)
from unwarp.data.source import Source
from unwarp.errors import DataError

ID = ("id", "series_id", "sample_id", "case_id", "unique_id", "series", "sample", "case", "trial")


TIME = ("time", "t", "timestamp", "time_stamp", "datetime", "date", "ds", "reading_id", "seconds")


CHANNEL = ("channel", "channel_id", "dim_id", "dimension", "dim", "variable")


LABEL = ("label", "class", "class_val", "target")
"""Names, in lower case, that say what a column is. In a wide table `y` is a label too, in a long one a value."""


UNNAMED = ("",)
"""What pandas calls the column of its row names."""


PASSED_OVER = ", the column without a name passed over"


@dataclass(frozen=True)
class Table:
    """Named columns of cells.

    Attributes:
        path: The file.
        names: Name of each column.
        columns: Cells of each column, as text.
        lines: Where each row stands, for messages: `line 7` or `row 7`.
        headed: Whether the file names its columns.
    """

    path: Path
    names: list[str]
    columns: Sequence[Sequence[str]]
    lines: list[str]
    headed: bool = True

    def find(self, known: tuple[str, ...]) -> int | None:
        """The column that has one of the `known` names, if any; two of them raise `DataError`."""
        found = [
            k for k, name in enumerate(self.names) if self.headed and name.strip().lower() in known
        ]
        if len(found) > 1:
            both = " and ".join(repr(self.names[k]) for k in found)
            raise DataError(
                f"{self.path}: the columns {both} could both be the {known[0]}; rename or drop one"
            )
        return found[0] if found else None

    def where(self, row: int, column: int) -> str:
        """Place of a cell in words."""
        return f"{self.path}, {self.lines[row]}, column {self.names[column]!r}"

    def numbers(self, column: int) -> NDArray[np.float32]:
        """A column of values, NaN where missing."""
        return numbers(self.columns[column], lambda row: self.where(row, column))

    def words(self, column: int) -> list[str]:
        """A column of names, none of them missing."""
        cells = [cell.strip() for cell in self.columns[column]]
        lacking = next((row for row, cell in enumerate(cells) if is_missing(cell)), None)
        if lacking is not None:
            raise DataError(f"{self.where(lacking, column)} is missing; every row needs one")
        return cells


def write_csv(path: Path, x: Array) -> None:
    """Write series (N, T) as a wide table with a line of names."""
    np.savetxt(
        path, x, "%.9g", ",", header=",".join(f"step {k}" for k in range(x.shape[1])), comments=""
    )


@reader(".csv", description="a table, wide (a row a series) or long", writer=write_csv)
def read_csv(path: Path) -> Source:
    """A table of text, its cells parted by commas, semicolons or tabs, with or without a line of names.

    Raises:
        DataError: Ragged, not numbers, or a layout that cannot be told; the message shows the readings.
    """
    rows = _rows(path)
    headed = _is_header(path, rows[0][1])
    names = rows[0][1] if headed else [f"{k}" for k in range(1, len(rows[0][1]) + 1)]
    body = rows[1:] if headed else rows
    if not body:
        raise DataError(f"{path} holds names of columns and no row")
    columns = list(zip(*(row for _, row in body), strict=True))
    return read_table(Table(path, names, columns, [line for line, _ in body], headed))


def _rows(path: Path) -> list[tuple[str, list[str]]]:
    """The rows of a table of text that are not blank, all of one length, each with its line in words."""
    text = read_text(path)
    first = next(line for line in text.splitlines() if line.strip())
    mark = next((mark for mark in ";\t," if mark in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        rows = [(f"line {reader.line_num}", row) for row in reader if row]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; the file is damaged or cut short"
        ) from error
    for line, row in rows:
        if len(row) != len(rows[0][1]):
            raise DataError(
                f"{path}, {line} has {len(row)} cells, {rows[0][0]} has {len(rows[0][1])}; it is cut short, or "
                "shorter series lack the empty cells that pad them in a table"
            )
    return rows


def read_table(table: Table) -> Source:
    """The series of a table: long where columns for a series' name and for time are there, else wide.

    Raises:
        DataError: A time but no series, cells that are not numbers, repeated times, labels that change within a series.
    """
    time = table.find(TIME)
    if time is None:
        return _wide(table)
    if table.find(ID) is None:
        raise DataError(
            f"{table.path} has a column {table.names[time]!r}, which reads two ways: a row per series and time (add a "
            f"column {ID[0]!r} that names the series), or a row per series (rename {table.names[time]!r} to {ID[0]!r})"
        )
    return _long(table)


def _is_header(path: Path, first: list[str]) -> bool:
    """Whether the first line names the columns."""
    cells = [cell.strip() for cell in first]
    if {cell.lower() for cell in cells if cell} & {*ID, *TIME, *CHANNEL, *LABEL, "y"}:
        return True
    # pandas writes an empty name above its row names
    rest = cells if cells[0] else cells[1:]
    counts = [cell for cell in rest if is_number(cell)]
    counted = bool(counts) and counts in (
        [str(k + start) for k in range(len(counts))] for start in (0, 1)
    )
    if counted and len(rest) < len(cells):
        return True
    if counted and len(counts) > 1:
        raise DataError(
            f"{path}: the first line counts {counts[0]}, {counts[1]}, ... and could be names of columns or a series; "
            "write names that are words, or the values with a decimal point"
        )
    return bool(rest) and not any(is_number(cell) or is_missing(cell) for cell in rest)


def _wide(table: Table) -> Source:
    """A row per series, with columns for a label and a name where there are any."""
    label, name, index = _wide_label(table), table.find(ID), table.find(UNNAMED)
    steps = [k for k in range(len(table.names)) if k not in (label, name, index)]
    if not steps:
        raise DataError(
            f"{table.path} has no column of values, only {', '.join(map(repr, table.names))}"
        )
    name = index if name is None else name
    values = np.stack([table.numbers(k) for k in steps], 1)
    rows = [
        without_tail(row[None], f"{table.path}, {line}")
        for row, line in zip(values, table.lines, strict=True)
    ]
    at = _columns_as_times([table.names[k] for k in steps]) if table.headed else None
    how = "wide table, a row per series" + _chosen(table, name=name, label=label)
    how += "" if table.headed else ", columns not named"
    how += "" if index in (None, name) else PASSED_OVER
    return gathered(
        rows,
        None if label is None else _labels(table, label),
        how if at is None else f"{how}, times are the names of columns",
        None if name is None else table.words(name),
        None if at is None else [at[: row.shape[1]] for row in rows],
    )


def _wide_label(table: Table) -> int | None:
    """The column of classes: by its name, or, without names, the first or last where it holds words alone."""
    if table.headed:
        return table.find((*LABEL, "y"))
    ends = [k for k in dict.fromkeys((0, len(table.names) - 1)) if len(table.names) > 1]
    return next(
        (k for k in ends if not any(is_missing(c) or is_number(c) for c in table.columns[k])), None
    )


def _labels(table: Table, column: int) -> Array:
    return classes(table.columns[column], lambda row: table.where(row, column))


def _columns_as_times(names: list[str]) -> Array | None:
    """Time stamps from the names of columns, where they increase and do more than count."""
    if not all(is_number(name) for name in names):
        return None
    at = np.array([float(name) for name in names])
    counts = (np.diff(at) == 1).all() and at[0] in (0, 1)
    return at if (np.diff(at) > 0).all() and not counts else None


def _chosen(table: Table, **roles: int | None) -> str:
    """What the columns were taken for, in words."""
    return "".join(f", {role} {table.names[k]!r}" for role, k in roles.items() if k is not None)


def _long(table: Table) -> Source:
    """A row per series and time, with a column for each channel, or one that names the channel."""
    name, time, channel, label = (table.find(known) for known in (ID, TIME, CHANNEL, LABEL))
    assert name is not None and time is not None
    index = table.find(UNNAMED)
    given = [k for k in range(len(table.names)) if k not in (name, time, channel, label, index)]
    if not given or (channel is not None and len(given) > 1):
        wanted = (
            "a column of values"
            if channel is None
            else f"one column of values beside {table.names[channel]!r}"
        )
        there = ", ".join(repr(table.names[k]) for k in given)
        raise DataError(f"{table.path} needs {wanted}; it has {there or 'none'}")
    names, series = _grouped(table.words(name))
    found, channels = _parts(table, time, channel, given, series)
    known = None if label is None else _labels_of(table, label, series)
    how = (
        "long table"
        + _chosen(table, name=name, time=time, label=label)
        + f", channels {', '.join(channels)}"
    )
    how += "" if index is None else PASSED_OVER
    return gathered([row for row, _ in found], known, how, names, [grid for _, grid in found])


def _parts(
    table: Table, time: int, channel: int | None, given: list[int], series: Array
) -> tuple[list[tuple[Array, Array]], list[str]]:
    """Values (C, T_i) and times (T_i,) of every series, and the names of the channels."""
    at = stamps(table.columns[time], lambda row: table.where(row, time))
    values = np.stack([table.numbers(k) for k in given])
    if channel is None:
        channels, which = [table.names[k] for k in given], None
    else:
        channels, which = _grouped(table.words(channel))
    parts = np.split(np.argsort(series, kind="stable"), np.cumsum(np.bincount(series))[:-1])
    return [
        _pivot(
            table,
            time,
            part,
            at[part],
            values[:, part],
            None if which is None else which[part],
            len(channels),
        )
        for part in parts
    ], channels


def _grouped(cells: list[str]) -> tuple[list[str], Array]:
    """The different cells in the order of their first appearance, and which of them each cell is."""
    code = {cell: k for k, cell in enumerate(dict.fromkeys(cells))}
    return list(code), np.array([code[cell] for cell in cells])


def _labels_of(table: Table, label: int, series: Array) -> Array:
    """The label of each series, which must not change within it."""
    seen: dict[int, str] = {}
    for row, (key, word) in enumerate(zip(series.tolist(), table.words(label), strict=True)):
        if seen.setdefault(key, word) != word:
            raise DataError(
                f"{table.where(row, label)} is {shown(word)}, before it was {shown(seen[key])}; "
                "the label must be one for a whole series"
            )
    return classes([seen[key] for key in range(len(seen))], str)


def _pivot(
    table: Table,
    time: int,
    rows: Array,
    at: Array,
    values: Array,
    which: Array | None,
    channels: int,
) -> tuple[Array, Array]:
    """One series (C, T) in the order of its times (T,), NaN where a channel has no row at a time.

    Args:
        table: The table.
        time: The column of times.
        rows: Rows of the series (R,).
        at: Their times (R,).
        values: Their values, (C, R), or (1, R) where `which` (R,) says whose they are.
        which: Channel of each row, if there is a column that names it.
        channels: How many channels there are.
    """
    grid, place = np.unique(at, return_inverse=True)
    slot = place if which is None else which * len(grid) + place
    _, first = np.unique(slot, return_index=True)
    if len(first) < len(slot):
        again = np.setdiff1d(np.arange(len(slot)), first)[0]
        raise DataError(
            f"{table.where(rows[again], time)} repeats {at[again]:g} in one series; keep one value a time"
        )
    row = np.full((channels, len(grid)), np.nan, np.float32)
    row[(slice(None) if which is None else which), place] = values if which is None else values[0]
    if np.isnan(row).all():
        raise DataError(f"{table.where(rows[0], time)}: this series has no value at all; remove it")
    return row, grid
