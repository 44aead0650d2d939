"""Conversion of a wide or long table to series."""

from __future__ import annotations

from unwarp.data.formats.long_tables import read_long
from unwarp.data.formats.table import ID_NAMES, TIME_NAMES, Table
from unwarp.data.formats.wide_tables import read_wide
from unwarp.data.source import Source
from unwarp.errors import DataError


def read_table(table: Table) -> Source:
    """Convert a table to series.

    A table is long (one row for each time step of each series) if it has a column of times, else
    wide (one row per series); see `read_long` and `read_wide`.

    Args:
        table: Columns of text.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with names, labels and times if
        the table has them. The description names the columns that were read as names, times and
        labels.

    Raises:
        DataError: There is a column of times but no column that names the series, a cell is not a
            number, a time occurs twice in a series, or a label changes within a series.
    """
    time = table.find_column(TIME_NAMES)
    if time is None:
        return read_wide(table)
    if table.find_column(ID_NAMES) is None:
        column, name = table.names[time], ID_NAMES[0]
        raise DataError(
            f"{table.path} has a column {column!r}, which reads two ways: one row per series and "
            f"time (add a column {name!r} that names the series), or one row per series (rename "
            f"{column!r} to {name!r})"
        )
    return read_long(table)
