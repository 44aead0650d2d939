"""Series from a table, wide or long as its column names tell."""

from __future__ import annotations

from unwarp.data.formats.long_tables import read_long
from unwarp.data.formats.table import ID_NAMES, TIME_NAMES, Table
from unwarp.data.formats.wide_tables import read_wide
from unwarp.data.source import Source
from unwarp.errors import DataError


def read_table(table: Table) -> Source:
    """Convert a table to series.

    It is long if it has a column of times, else wide; see `read_long` and `read_wide`.

    Args:
        table: Columns of text.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with names, labels and times if
        the table has them. The description tells the role of each column.

    Raises:
        DataError: A column of times without a column that names the series, a cell that is not a
            number, a time twice in one series, or a label that changes within a series.
    """
    time = table.find_column(TIME_NAMES)
    if time is None:
        return read_wide(table)
    if table.find_column(ID_NAMES) is None:
        column, name = table.names[time], ID_NAMES[0]
        raise DataError(
            f"{table.path} has a column {column!r}, which reads two ways: a row per series and "
            f"time (add a column {name!r} that names the series), or a row per series (rename "
            f"{column!r} to {name!r})"
        )
    return read_long(table)
