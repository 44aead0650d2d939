"""Tables of series in `.csv` files, separated by commas, semicolons or tabs.

This module splits the text into cells and decides whether the first line has column names.
`table_layouts` converts the table to series, as it does for `.parquet` files. The modules
`wide_tables` and `long_tables` show an example of each layout.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.cells import is_missing, is_number
from unwarp.data.formats.registry import reader
from unwarp.data.formats.table import (
    CHANNEL_NAMES,
    ID_NAMES,
    TIME_NAMES,
    WIDE_LABEL_NAMES,
    Table,
)
from unwarp.data.formats.table_layouts import read_table
from unwarp.data.formats.text import read_text
from unwarp.data.source import Source
from unwarp.errors import DataError

ROLE_NAMES = frozenset((*ID_NAMES, *TIME_NAMES, *CHANNEL_NAMES, *WIDE_LABEL_NAMES))
"""Column names, in lower case, that tell what the column holds."""


def write_csv(path: Path, x: Array) -> None:
    """Write series as a wide table with column names.

    Args:
        path: The file to write.
        x: Series (N, T).
    """
    names = ",".join(f"step {k}" for k in range(x.shape[1]))
    np.savetxt(path, x, "%.9g", ",", header=names, comments="")


def encode_csv(output: Output) -> bytes:
    """Samples as a wide table: their names, then their values.

    Args:
        output: Series of one channel, or pictures, which are flattened.

    Raises:
        DataError: Series have several channels.
    """
    x, noun = output.x, "t" if output.pictures is None else "pixel"
    if output.pictures is None and x.ndim > 2 and x.shape[1] > 1:
        raise DataError(
            f"a .csv file holds series of one channel, these have {x.shape[1]}; write them as .npz"
        )
    rows = x.reshape(len(x), -1)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sample", *(f"{noun}_{k}" for k in range(rows.shape[1]))])
    for name, row in zip(output.names, rows, strict=True):
        values = row.tolist()
        writer.writerow([name, *(values if row.dtype.kind in "iu" else map("{:.9g}".format, row))])
    return out.getvalue().encode()


@reader(
    ".csv",
    description="a table, wide (one row per series) or long",
    writer=write_csv,
    encode=encode_csv,
)
def read_csv(path: Path) -> Source:
    """Read a wide or long table, with or without column names.

    Cells are separated by semicolons if the first line contains one, else by tabs if it contains
    one, else by commas. The first line holds column names if one of its cells is a common name
    (`id`, `time`, `label` ...), or if none of its cells is a number or missing.

    Args:
        path: The file.

    Returns:
        The series, as `read_table` returns them.

    Raises:
        DataError: Rows differ in length, a cell is not a number, or the layout is ambiguous; the
            message then shows both readings.
    """
    rows = _read_rows(path)
    first = rows[0][1]
    has_names = _is_header(path, first)
    names = first if has_names else [f"{k}" for k in range(1, len(first) + 1)]
    body = rows[1:] if has_names else rows
    if not body:
        raise DataError(f"{path} has column names but no row; add a row for each series")
    columns = list(zip(*(cells for _, cells in body), strict=True))
    return read_table(Table(path, names, columns, [line for line, _ in body], has_names))


def _read_rows(path: Path) -> list[tuple[str, list[str]]]:
    """The location and the cells of each row; blank lines are left out.

    Rows with unequal numbers of cells are refused.
    """
    text = read_text(path)
    first_line = next(line for line in text.splitlines() if line.strip())
    separator = next((mark for mark in ";\t," if mark in first_line), ",")
    parser = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(f"line {parser.line_num}", cells) for cells in parser if cells]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {parser.line_num}: {error}; the file is damaged or cut short"
        ) from error
    first_location, first_cells = rows[0]
    for location, cells in rows:
        if len(cells) != len(first_cells):
            raise DataError(
                f"{path}, {location} has {len(cells)} cells, {first_location} has "
                f"{len(first_cells)}; the line is cut short, or a shorter series is not padded "
                "with empty cells"
            )
    return rows


def _is_header(path: Path, first: list[str]) -> bool:
    """Whether the first line holds column names.

    A line such as `0,1,2` is refused, since it can be column names or a series, unless an empty
    first cell shows that pandas wrote the file.
    """
    cells = [cell.strip() for cell in first]
    if {cell.lower() for cell in cells if cell} & ROLE_NAMES:
        return True
    # pandas writes an empty name for the column of its index
    named = cells if cells[0] else cells[1:]
    numbers = [cell for cell in named if is_number(cell)]
    is_count = bool(numbers) and numbers in (
        [str(k + start) for k in range(len(numbers))] for start in (0, 1)
    )
    if is_count and len(named) < len(cells):
        return True
    if is_count and len(numbers) > 1:
        raise DataError(
            f"{path}: the first line counts {numbers[0]}, {numbers[1]}, ... and could be column "
            "names or a series; use words as column names, or write the values with a decimal point"
        )
    return bool(named) and not any(is_number(cell) or is_missing(cell) for cell in named)
