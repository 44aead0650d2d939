"""Text files as tables: comments, preambles, column names, units and decimal commas.

Model,DSO-X 2024A        a preamble of the instrument, skipped
time,channel 1           names of columns
s,V                      their units, skipped
0.000,1.25               rows
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unwarp.data.formats.cells import is_missing, is_number, numbers_of, parse_number
from unwarp.data.formats.column_names import (
    CHANNEL_NAMES,
    INDEX_NAMES,
    WIDE_LABEL_NAMES,
    is_plain_id,
    is_time_name,
)
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.decimal_marks import Row, with_points
from unwarp.data.formats.separators import (
    SEPARATORS,
    find_separator,
    most_common,
    split_line,
    split_rows,
)
from unwarp.data.formats.table import Table
from unwarp.data.formats.text import read_text
from unwarp.errors import DataError

UNITS_TEXT = """
s sec second seconds ms us µs ns min h hz khz mhz v volt volts mv uv µv kv a amp ampere ma ua
°c degc c k °f n kn m mm cm nm um µm km g kg mg l ml pa kpa bar mbar psi w kw kwh j ohm % au
a.u. deg rad rpm m/s m/s^2 m/s² g/l db ppm bpm mmhg lux counts cps n/a - _ #
"""
UNITS = frozenset(UNITS_TEXT.split())
"""Words, in lower case, that are units."""

MAX_LINES_OF_PREAMBLE = 400
"""Most lines before the names of columns that are searched."""

MIN_EVEN_NAMES = 5
"""Smallest number of evenly increasing or decreasing numbers that are names of columns."""


@dataclass(frozen=True)
class Parts:
    """The rows of a file by their use.

    Attributes:
        names: Names of the columns; None if the file does not name them.
        body: Location and cells of each row of values.
        notes: Decisions in words, for the description.
        units: Units of the columns, from a row of them; empty without such a row.
    """

    names: list[str] | None
    body: list[Row]
    notes: list[str]
    units: Sequence[str] = ()


def read_text_table(path: Path) -> Table:
    """Read a text file as a table.

    Lines before the names of columns or the first row are skipped, and so are comments and a row of
    units below the names; the notes of the table say so.

    Args:
        path: The file.

    Returns:
        The table, with decimal points.

    Raises:
        DataError: Rows differ in length, the first line can be names or values, or there is no row.
    """
    return parse_text_table(path, read_text(path))


def parse_text_table(path: Path, text: str) -> Table:
    """Read the text of a file as a table, as `read_text_table` does.

    Args:
        path: The file, for errors.
        text: Its text.

    Returns:
        The table, with decimal points.

    Raises:
        DataError: As for `read_text_table`.
    """
    rows, comments = split_rows(path, text)
    if not rows:
        raise DataError(f"{path} has no row, only comments; add a row for each series")
    parts = _as_parts(path, rows, comments)
    if not parts.body:
        raise DataError(f"{path} has column names but no row; add a row for each series")
    columns = [list(cells) for cells in zip(*(cells for _, cells in parts.body), strict=True)]
    names = parts.names or [f"{k}" for k in range(1, len(columns) + 1)]
    places = [place for place, _ in parts.body]
    notes, units = tuple(parts.notes), tuple(parts.units)
    return Table(path, names, columns, places, parts.names is not None, notes, units)


def _as_parts(path: Path, rows: list[Row], comments: list[str]) -> Parts:
    """Rows of equal length, separated in names and values."""
    names, table, notes = _cut_preamble(path, rows)
    table, decision = with_points(path, table)
    notes += [decision] if decision else []
    if names is None:
        k = _row_of_names(path, table)
        if k:
            notes.append(_skipped(k))
        if k is not None:
            names, table = table[k][1], table[k + 1 :]
    if names is None and comments:
        names = _names_from_comment(comments[-1], len(table[0][1]))
        comments = comments[:-1] if names else comments
    if comments:
        notes.append(f"{len(comments)} comment line{'s'[: len(comments) > 1]} skipped")
    units = list[str]()
    if names is not None and table and _is_row_of_units(table[0][1]):
        units = [cell.strip() for cell in table[0][1]]
        notes.append(f"row of units ({', '.join(filter(None, units))[:60]}) skipped")
        table = table[1:]
    names = None if names is None else [name.strip() for name in names]
    return Parts(names, table, notes, units)


def _skipped(n: int) -> str:
    return f"{n} line{'s'[: n > 1]} before the table skipped"


def _cut_preamble(path: Path, rows: list[Row]) -> tuple[list[str] | None, list[Row], list[str]]:
    """Column names of another length than rows, rows of one length, and notes."""
    width = most_common(len(cells) for _, cells in rows)[0]
    start = _start_of_table(rows, width)
    head, table = rows[:start], rows[start:]
    _check_lengths(path, head, table, width)
    names, n = None, start
    if head and not _is_row_of_words(table[0][1]):
        names = _fit_names(head[-1][1], [cells for _, cells in table], width)
        n -= names is not None
    while width > 1 and not any(cells[-1].strip() for _, cells in table):
        table = [(place, cells[:-1]) for place, cells in table]
        names = names if names is None or len(names) < width else names[:-1]
        width -= 1
    return names, table, [_skipped(n)] if n else []


def _start_of_table(rows: list[Row], width: int) -> int:
    """Index of the first row of the longest run of rows with a number of cells."""
    start, best = 0, (0, 0)
    for k, (_, cells) in enumerate([*rows, ("", [])]):
        if len(cells) != width:
            best = max(best, (k - start, -start))
            start = k + 1
    return -best[1]


def _check_lengths(path: Path, head: list[Row], table: list[Row], width: int) -> None:
    """Refuse rows of another length within the table, and rows of values above it."""
    if not head and all(len(cells) == width for _, cells in table):
        return
    first = next(place for place, cells in [*head, *table] if len(cells) == width)
    below = enumerate(zip(*_cells(table, width), strict=True))
    columns = [k for k, cells in below if _are_values(cells)]
    is_value = [
        len(cells) == width and bool(columns) and all(is_number(cells[k]) for k in columns)
        for _, cells in head
    ]
    words = [place for place, cells in head if any(map(_is_word, cells)) or not any(cells)]
    for place, cells in [*head, *table]:
        is_skipped = place in words and not any(is_value)
        if len(cells) != width and not is_skipped:
            raise DataError(
                f"{path}, {place} has {len(cells)} cells, {first} has {width}; the line is cut "
                "short, or a shorter series is not padded with empty cells"
            )


def _cells(rows: list[Row], width: int) -> list[list[str]]:
    """The cells of the rows of one length, the first one left out if it may have names."""
    return [cells for _, cells in rows[1:] or rows if len(cells) == width]


def _fit_names(names: list[str], rows: list[list[str]], width: int) -> list[str] | None:
    """Column names that have one cell more or less than the rows; None if they do not fit."""
    if len(names) == width + 1 and all(map(_is_word, names[:-1])):
        return names[:-1] if names[-1].strip().lower() in ("", "comment", "comments") else None
    if len(names) == width - 1 > 1 and all(map(_is_word, names)):
        is_padded = not any(cells[-1].strip() for cells in rows)
        return names if is_padded else ["", *names]  # R writes row names without a column name
    return None


def _row_of_names(path: Path, table: list[Row]) -> int | None:
    """Index of the row with column names; None if there is none."""
    n_searched = min(MAX_LINES_OF_PREAMBLE, len(table) // 2 + 1)
    candidates = [k for k in range(1, n_searched) if _is_row_of_words(table[k][1])]
    for k in reversed(candidates):
        if _are_names(table, k):
            has_units = _is_row_of_units(table[k][1])
            return k - 1 if has_units else k
    return 0 if _is_header(path, table[0][1], [cells for _, cells in table[1:21]]) else None


def _are_names(table: list[Row], k: int) -> bool:
    """Whether row k has column names, and the rows above it hold no values of the columns."""
    below = [cells for _, cells in table[k + 1 :]]
    columns = [c for c, cells in enumerate(zip(*below, strict=True)) if _are_values(cells)]
    above = [cells for _, cells in table[:k]]
    return bool(columns) and not any(all(is_number(row[c]) for c in columns) for row in above)


def _are_values(cells: Sequence[str]) -> bool:
    """Whether cells are numbers or missing."""
    numbers = numbers_of(cells)
    return numbers is not None and not np.isnan(numbers).all()


def _is_word(cell: str) -> bool:
    """Whether a cell is neither missing nor a number."""
    return not (is_missing(cell) or is_number(cell))


def _is_row_of_words(cells: list[str]) -> bool:
    """Whether cells can be column names, the first one of which may be empty."""
    return all(map(_is_word, cells[1:] or cells)) and (_is_word(cells[0]) or not cells[0].strip())


def _is_row_of_units(cells: list[str]) -> bool:
    """Whether cells are units, in brackets or not."""
    plain = [cell.strip() for cell in cells if cell.strip()]
    is_unit = [
        cell.lower().strip("()[]") in UNITS or (cell[:1] in "([" and cell[-1:] in ")]")
        for cell in plain
    ]
    return bool(plain) and all(is_unit) and any(map(_is_word, plain))


def _is_header(path: Path, first: list[str], below: list[list[str]]) -> bool:
    """Whether the first line holds column names.

    A line such as `0,1,2` is refused, since it can be column names or a series, unless an empty
    first cell shows that pandas wrote the file.
    """
    cells = [cell.strip() for cell in first]
    if any(map(_has_role, filter(None, cells))):
        return True
    # pandas writes an empty name for the column of its index
    is_indexed = cells[0].lower() in INDEX_NAMES
    named = cells[1:] if is_indexed else cells
    numbers = [cell for cell in named if is_number(cell)]
    is_count = bool(numbers) and numbers in (
        [str(k + start) for k in range(len(numbers))] for start in (0, 1)
    )
    if is_count and is_indexed:
        return True
    if _are_even_names(numbers, [[row[k] for k in _places(first)] for row in below]):
        return True
    if is_count and len(numbers) > 1:
        raise DataError(
            f"{path}: the first line counts {numbers[0]}, {numbers[1]}, ... and could be column "
            "names or a series; use words as column names, or write the values with a decimal point"
        )
    return bool(named) and not any(is_number(cell) or is_missing(cell) for cell in named)


def _has_role(cell: str) -> bool:
    """Whether a cell is a name that tells what a column holds."""
    is_listed = cell.lower() in (*CHANNEL_NAMES, *WIDE_LABEL_NAMES)
    return is_listed or is_plain_id(cell) or (is_time_name(cell) and not is_date(cell))


def _places(cells: list[str]) -> list[int]:
    """Indices of the cells that are numbers."""
    return [k for k, cell in enumerate(cells) if is_number(cell)]


def _are_even_names(numbers: list[str], below: list[list[str]]) -> bool:
    """Whether numbers of the first line are even steps, unlike those of the rows below."""
    if len(numbers) < MIN_EVEN_NAMES or not _is_even(numbers):
        return False
    return bool(below) and not any(_is_even(row) for row in below)


def _is_even(cells: list[str]) -> bool:
    """Whether cells are numbers that increase or decrease evenly."""
    if not all(map(is_number, cells)):
        return False
    steps = np.diff([parse_number(cell) for cell in cells])
    is_ordered = len(steps) > 0 and (steps.min() > 0 or steps.max() < 0)
    return bool(is_ordered and np.ptp(steps) <= 1e-3 * abs(steps.mean()))


def _names_from_comment(comment: str, width: int) -> list[str] | None:
    """Column names from the comment above the first row, as NumPy writes them."""
    marks = [mark for mark in SEPARATORS if len(split_line(comment, mark)) == width]
    names = split_line(comment, marks[0]) if marks and width > 1 else []
    is_sentence = find_separator([comment]) == " " and comment.rstrip().endswith(".")
    return names if names and not is_sentence and all(map(_is_word, names)) else None
