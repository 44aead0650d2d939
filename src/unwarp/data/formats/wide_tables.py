"""Wide tables: one row per series and one column per time step.

    id,label,t0,t1,t2
    a,walk,0.5,?,2.0
    b,run,3.0,4.0,

Series b has two time steps, because a missing value at the end of a row is padding. Series in a
wide table have one channel.
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
    """Convert a wide table to series.

    Each column is a time step, except the columns of series names, of labels and of the index of
    pandas, which are recognised by their names. Missing values at the end of a row are padding of a
    shorter series and are cut off. Names of time steps that are increasing numbers are the times,
    unless they are 0, 1, 2, ... or 1, 2, 3, ...

    Args:
        table: Columns of text. If they have no names, the first or last column holds the labels if
            all its cells are words.

    Returns:
        Series (N, T) or a list of N arrays (1, T_i), with names, labels and times if the table has
        them.

    Raises:
        DataError: There is no column of values, a cell is not a number, a label or name is missing,
            or a series has only missing values.
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
    layout = "wide table, one row per series" + table.describe_roles(name=name, label=label)
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
    """Index of the column of labels, or None.

    It is recognised by its name. Without column names, it is the first or last column if all cells
    of that column are words.
    """
    if table.has_names:
        return table.find_column(WIDE_LABEL_NAMES)
    ends = [k for k in dict.fromkeys((0, len(table.names) - 1)) if len(table.names) > 1]
    return next((k for k in ends if all(map(_is_word, table.columns[k]))), None)


def _is_word(cell: str) -> bool:
    """Whether a cell is neither missing nor a number."""
    return not (is_missing(cell) or is_number(cell))


def _times_from_names(names: list[str]) -> Array | None:
    """Times (T,) from the names of time steps, or None.

    Names that are not increasing numbers are no times, nor are the steps 0, 1, ... or 1, 2, ...
    """
    if not all(is_number(name) for name in names):
        return None
    times = np.array([float(name) for name in names])
    is_count = (np.diff(times) == 1).all() and times[0] in (0, 1)
    return times if (np.diff(times) > 0).all() and not is_count else None
