"""Text files with one series per line, as in the UCR archive.

Each line starts with the label of its series, and shorter series are padded with NaN:

    1  0.544  0.658  0.611
    2  0.766  0.625  NaN

Files with the suffix `.data` have the same layout without labels.

Reference:
    Dau et al. (2019), The UCR time series archive.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import (
    is_missing,
    is_number,
    parse_labels,
    parse_number,
    parse_numbers,
    value_locator,
)
from unwarp.data.formats.column_facts import Facts
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.registry import hinted_reader, reader
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.formats.text import numbered_lines
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.source import Source
from unwarp.errors import DataError

MAX_BYTES_TO_DETECT = 1 << 12
"""Bytes of the first line that are read to recognise the format."""

MIN_ROWS_OF_A_CLOCK = 5
"""Rows whose first cells increase or decrease, from which these can be times."""

MIN_SHARE_OF_TIMES = 0.9
"""Share of distinct cells among first cells in order, from which these can be times."""

Row = tuple[str, list[str]]
"""Location of a line in words, and its cells."""


def starts_with_numbers(path: Path) -> bool:
    """Whether the first line starts with two numbers.

    Files of the UCR archive of 2015 have no suffix; their first line tells them from other files
    without a suffix.
    """
    with path.open("rb") as file:
        first_line = file.readline(MAX_BYTES_TO_DETECT).decode("latin-1")
    cells = _split_cells(first_line.strip())
    return len(cells) > 1 and all(is_number(cell) for cell in cells[:2])


def write_ucr(path: Path, x: Array) -> None:
    """Write one series per line, with the label 0.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    np.savetxt(path, np.column_stack([np.zeros(len(x)), x]), "%.9g", "\t")


@hinted_reader(
    ".tsv",
    ".txt",
    description="a table as in .csv files, or UCR archive: one series per line, label first",
    writer=write_ucr,
)
def read_text_file(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a table, or one series per line with its label first.

    It is a table if it has column names, comments or another separator than tabs, commas and
    blanks, if its first column is a clock or counts the rows of series, or if the user names the
    layout or a column.

    Args:
        path: The file.
        hints: The user's hints.

    Returns:
        The series, as `read_table` or `read_ucr` returns them.

    Raises:
        DataError: The file is in neither layout.
        ConfigError: The hints do not fit the table.
    """
    is_table = hints.names_table or _looks_like_table(path)
    return read_table(read_text_table(path), hints) if is_table else read_ucr(path)


def _looks_like_table(path: Path) -> bool:
    """Whether a file is a table as in `.csv` files rather than one of the UCR archive."""
    cells = _split_cells(numbered_lines(path)[0][1].strip())
    if len(cells) > 1 and not all(is_number(cell) or is_missing(cell) for cell in cells[1:]):
        return not any(map(is_number, cells)) or ";" in cells[0]
    try:
        table = read_text_table(path)
    except DataError:
        return False
    if table.has_names or table.notes:
        return True
    facts = table.facts[0]
    is_clock = facts.is_monotone and facts.is_regular and not facts.is_whole
    is_clock |= facts.kind == "dates" and facts.n_distinct * 2 > table.n_rows
    if is_clock and table.n_rows >= MIN_ROWS_OF_A_CLOCK:
        return True
    counts = len(table.columns) > 2 and facts.is_whole and facts.is_in_blocks and facts.repeats
    return counts and table.facts[1].is_whole and table.facts[1].increases_within(facts.codes)


@reader("", description="UCR archive of 2015", accepts=starts_with_numbers, writer=write_ucr)
def read_ucr(path: Path) -> Source:
    """Read one series per line, with its label first.

    This is the layout of the UCR archive. The archive of 2018 has `.tsv` files, earlier versions
    have files without a suffix. Cells are separated by tabs, commas or blanks. Missing values at
    the end of a line are padding of a shorter series and are cut off; others stay missing.

    Args:
        path: The file.

    Returns:
        Series of one channel, (N, T) or a list of N arrays (1, T_i), with their labels.

    Raises:
        DataError: The file is empty, its lines differ in length, a cell is not a number, a first
            cell is not a label, labels can be times or ids, or a series has only missing values.
    """
    rows = [(location, _split_cells(line)) for location, line in numbered_lines(path)]
    for location, cells in rows:
        if is_number(cells[0]) and not parse_number(cells[0]).is_integer():
            raise DataError(
                f"{location} starts with {cells[0]}, which is not a class label; in this layout a "
                "line starts with its label, so save series without labels as .csv or .data"
            )
    labels = parse_labels([cells[0] for _, cells in rows], lambda k: rows[k][0])
    _refuse_times(path, labels, len(rows[0][1]) - 1)
    series = _parse_rows([(location, cells[1:]) for location, cells in rows])
    return series_source(series, labels, "UCR layout: one series per line, label first")


def _refuse_times(path: Path, labels: Array, n_values: int) -> None:
    """Refuse labels that increase or decrease from line to line, as times and ids do."""
    facts = Facts(labels if labels.dtype.kind in "if" else labels.tolist())
    is_repeated = facts.is_nearly_monotone and facts.is_regular
    is_repeated &= facts.n_distinct >= MIN_SHARE_OF_TIMES * len(labels)
    if len(labels) < MIN_ROWS_OF_A_CLOCK or not (facts.is_monotone or is_repeated):
        return
    kind = "increase" if labels[0] < labels[-1] else "decrease"
    first = "" if path.suffix else "give it the suffix .tsv and "
    raise DataError(
        f"{path} starts its lines with {labels[0]}, {labels[1]}, ..., which {kind} as no class "
        f"does; it reads two ways: {len(labels):,} series of {n_values:,} steps if each row is a "
        "series after its label or id (table='wide', with label_column='1' or id_column='1'); "
        f"{n_values:,} series of {len(labels):,} steps if each column is a series after a column "
        f"of times (table='columns', time_column='1'); {first}set one of these"
    )


def write_plain(path: Path, x: Array) -> None:
    """Write series as lines of numbers separated by commas.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    np.savetxt(path, x, "%.9g", ",")


@reader(".data", description="one series per line, without labels", writer=write_plain)
def read_plain(path: Path) -> Source:
    """Read one series per line, without labels.

    The UCI repository has such `.data` files. Separators and missing values are those of
    `read_ucr`.

    Args:
        path: The file.

    Returns:
        Series of one channel, (N, T) or a list of N arrays (1, T_i).

    Raises:
        DataError: The file is empty, its lines differ in length, a cell is not a number, or a
            series has only missing values.
    """
    rows = [(location, _split_cells(line)) for location, line in numbered_lines(path)]
    return series_source(_parse_rows(rows), None, "one series per line, no labels")


def _split_cells(line: str) -> list[str]:
    """Split a line at its tabs, else at its commas, else at white space."""
    return line.split(next((separator for separator in "\t," if separator in line), None))


def _parse_rows(rows: list[Row]) -> list[Array]:
    """Convert rows to series (1, T_i) without padding; unequal numbers of cells are refused."""
    first_location, n_cells = rows[0][0], len(rows[0][1])
    series = []
    for location, cells in rows:
        if len(cells) != n_cells or not cells:
            raise DataError(
                f"{location} has {len(cells)} values, {first_location} has {n_cells}; the line is "
                "cut short, or a shorter series is not padded with NaN"
            )
        values = parse_numbers(cells, value_locator(location))
        series.append(trim_padding(values[None], location))
    return series
