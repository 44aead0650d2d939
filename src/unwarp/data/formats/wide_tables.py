"""Wide tables: a row per series, and a column per time step.

    id,label,t0,t1,t2
    a,walk,0.5,?,2.0
    b,run,3.0,4.0,

The second series has two time steps, because the missing value at the end is padding. A wide
table has one channel.
"""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_missing, is_number
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.table import (
    ID_NAMES,
    INDEX_IGNORED,
    INDEX_NAMES,
    WIDE_LABEL_NAMES,
    Table,
)
from unwarp.data.source import Source
from unwarp.errors import DataError


def read_wide(table: Table) -> Source:
    """Convert a table with a row per series.

    A column is a time step unless its name tells another role: series name, label, or the row
    names of pandas. Missing values at the end of a row pad a shorter series. Column names that are
    increasing numbers are the times, unless they only count from 0 or 1.

    Args:
        table: Columns of text. Without column names, the first or the last column holds the labels
            if all its cells are words.

    Returns:
        Series (N, T) or a list of N arrays (1, T_i), with names, labels and times if there are any.

    Raises:
        DataError: No column of values, a cell that is not a number, a missing label or name, or a
            series with only missing values.
    """
    label, name = _find_label(table), table.find_column(ID_NAMES)
    index = table.find_column(INDEX_NAMES)
    steps = [k for k in range(len(table.names)) if k not in (label, name, index)]
    if not steps:
        names = ", ".join(map(repr, table.names))
        raise DataError(f"{table.path} has no column of values, only {names}; add the values")
    name = index if name is None else name
    series = _parse_series(table, steps)
    times = _times_from_names([table.names[k] for k in steps]) if table.has_names else None
    layout = "wide table, a row per series" + table.describe_roles(name=name, label=label)
    layout += "" if table.has_names else ", columns not named"
    layout += "" if index in (None, name) else INDEX_IGNORED
    layout += "" if times is None else ", times are the names of columns"
    return series_source(
        series,
        None if label is None else table.labels(label),
        layout,
        None if name is None else table.texts(name),
        None if times is None else [times[: row.shape[1]] for row in series],
    )


def _parse_series(table: Table, steps: list[int]) -> list[Array]:
    """Series (1, T_i) from the columns of time steps, without padding."""
    values = np.stack([table.values(k) for k in steps], 1)
    return [
        trim_padding(row[None], f"{table.path}, {location}")
        for row, location in zip(values, table.row_locations, strict=True)
    ]


def _find_label(table: Table) -> int | None:
    """The column of labels: by its name, else the first or last column if it has only words."""
    if table.has_names:
        return table.find_column(WIDE_LABEL_NAMES)
    ends = [k for k in dict.fromkeys((0, len(table.names) - 1)) if len(table.names) > 1]
    return next((k for k in ends if all(map(_is_word, table.columns[k]))), None)


def _is_word(cell: str) -> bool:
    """Whether a cell is neither missing nor a number."""
    return not (is_missing(cell) or is_number(cell))


def _times_from_names(names: list[str]) -> Array | None:
    """Times (T,) from column names, if these increase and do more than count from 0 or 1."""
    if not all(is_number(name) for name in names):
        return None
    times = np.array([float(name) for name in names])
    is_count = (np.diff(times) == 1).all() and times[0] in (0, 1)
    return times if (np.diff(times) > 0).all() and not is_count else None
