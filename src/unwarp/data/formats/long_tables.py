"""Long tables: one row for each time step of each series.

There is a column for each channel (left), or each channel has its own rows, and a column names the
channel (right):

    id,time,x,y,label        id,time,channel,value
    a,0.00,1.5,2.5,walk      a,0.00,x,1.5
    a,0.01,1.6,2.4,walk      a,0.00,y,2.5
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import parse_labels, parse_times
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.table import (
    CHANNEL_NAMES,
    ID_NAMES,
    INDEX_IGNORED,
    INDEX_NAMES,
    LABEL_NAMES,
    TIME_NAMES,
    Table,
)
from unwarp.data.formats.text import quote
from unwarp.data.source import Source
from unwarp.errors import DataError


@dataclass(frozen=True)
class _Columns:
    """Position of the column for each role; None if there is no such column.

    `pandas_index` is a column that pandas wrote as the index of a frame; it is ignored. `values`
    are all remaining columns.
    """

    series_id: int
    time: int
    channel: int | None
    label: int | None
    pandas_index: int | None
    values: list[int]


@dataclass(frozen=True)
class _Rows:
    """The R rows of a table as arrays: `times` (R,) and `values` (K, R).

    `channels` are the names of the channels. If each of them has a column, K is their number and
    `channel_codes` is None. If a column names the channel, K is 1 and `channel_codes` (R,) has the
    index of the channel of each row.
    """

    times: Array
    values: Array
    channels: list[str]
    channel_codes: Array | None


def read_long(table: Table) -> Source:
    """Convert a long table to series.

    Rows may come in any order. If a column names the channel, exactly one other column has the
    values, and times at which a channel has no row become NaN. Otherwise each column that is not an
    id, a time, a label or an index is a channel.

    Args:
        table: Columns of text, among them one of `ID_NAMES` and one of `TIME_NAMES`.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i) in the order of their first rows,
        with names, times, and labels if the table has them.

    Raises:
        DataError: There is no column of values, a cell is not a number or not a time, a time occurs
            twice in a series, a label changes within a series, or a series has only missing values.
    """
    columns = _find_columns(table)
    names, codes = _factorize(table.texts(columns.series_id))
    rows = _parse_rows(table, columns)
    order = np.argsort(codes, kind="stable")
    row_groups = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    pairs = [_pivot(table, columns.time, rows, group) for group in row_groups]
    labels = None if columns.label is None else _labels_of_series(table, columns.label, codes)
    roles = table.describe_roles(name=columns.series_id, time=columns.time, label=columns.label)
    description = f"long table{roles}, channels {', '.join(rows.channels)}"
    description += "" if columns.pandas_index is None else INDEX_IGNORED
    return series_source(
        [series for series, _ in pairs], labels, description, names, [times for _, times in pairs]
    )


def _find_columns(table: Table) -> _Columns:
    """Tell from the column names what each column holds; refuse a table without values.

    If a column names the channel, more than one column of values is refused, too.
    """
    name, time, channel, label = (
        table.find_column(names) for names in (ID_NAMES, TIME_NAMES, CHANNEL_NAMES, LABEL_NAMES)
    )
    assert name is not None and time is not None
    index = table.find_column(INDEX_NAMES)
    values = [k for k in range(len(table.names)) if k not in (name, time, channel, label, index)]
    if not values or (channel is not None and len(values) > 1):
        requirement = (
            "a column of values"
            if channel is None
            else f"one column of values beside {table.names[channel]!r}"
        )
        present = ", ".join(repr(table.names[k]) for k in values) or "none"
        raise DataError(f"{table.path} needs {requirement}; it has {present}")
    return _Columns(name, time, channel, label, index, values)


def _factorize(cells: list[str]) -> tuple[list[str], Array]:
    """The distinct cells in the order of their first appearance, and the index of each cell."""
    code = {cell: k for k, cell in enumerate(dict.fromkeys(cells))}
    return list(code), np.array([code[cell] for cell in cells])


def _parse_rows(table: Table, columns: _Columns) -> _Rows:
    """Convert the times, the values and the channels of all rows."""
    times = parse_times(table.columns[columns.time], lambda row: table.locate(row, columns.time))
    values = np.stack([table.values(k) for k in columns.values])
    if columns.channel is None:
        return _Rows(times, values, [table.names[k] for k in columns.values], None)
    return _Rows(times, values, *_factorize(table.texts(columns.channel)))


def _labels_of_series(table: Table, column: int, codes: Array) -> Array:
    """The label of each series (N,); a label that changes within a series is refused."""
    labels: dict[int, str] = {}
    for row, (code, label) in enumerate(zip(codes.tolist(), table.texts(column), strict=True)):
        if labels.setdefault(code, label) != label:
            raise DataError(
                f"{table.locate(row, column)} is {quote(label)}, in an earlier row of the series "
                f"it was {quote(labels[code])}; give all rows of a series one label"
            )
    return parse_labels([labels[code] for code in range(len(labels))], str)


def _pivot(table: Table, time: int, rows: _Rows, group: Array) -> tuple[Array, Array]:
    """Arrange the rows of one series by channel and time.

    Args:
        table: The table, for error messages.
        time: The column of times.
        rows: All rows.
        group: Indices of the rows of the series.

    Returns:
        The series (C, T), NaN if a channel has no row at a time, and its increasing times (T,).
    """
    times, position = np.unique(rows.times[group], return_inverse=True)
    channel = None if rows.channel_codes is None else rows.channel_codes[group]
    # the index of each row's cell in the flattened series; two rows must not share a cell
    slot = position if channel is None else channel * len(times) + position
    _, first = np.unique(slot, return_index=True)
    if len(first) < len(slot):
        repeated = group[np.setdiff1d(np.arange(len(slot)), first)[0]]
        scope, rule = ("series", "time") if channel is None else ("channel", "time and channel")
        raise DataError(
            f"{table.locate(repeated, time)} repeats {rows.times[repeated]:g} in one {scope}; "
            f"keep one row per {rule}"
        )
    series = np.full((len(rows.channels), len(times)), np.nan)
    if channel is None:
        series[:, position] = rows.values[:, group]
    else:
        series[channel, position] = rows.values[0, group]
    if np.isnan(series).all():
        raise DataError(
            f"{table.locate(group[0], time)}: this series has only missing values; remove it"
        )
    return series, times
