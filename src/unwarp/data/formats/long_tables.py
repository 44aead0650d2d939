"""Long tables: one row for each time step of each series.

There is a column for each channel (left), or each channel has its own rows, and a column names the
channel (right):

    id,time,x,y,label        id,time,channel,value
    a,0.00,1.5,2.5,walk      a,0.00,x,1.5
    a,0.01,1.6,2.4,walk      a,0.00,y,2.5
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import parse_labels
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.table import Roles, Table, as_text, ignored_words
from unwarp.data.formats.text import quote
from unwarp.data.source import Source
from unwarp.data.time_stamps import local_shift
from unwarp.errors import DataError


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


def natural_key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """A key that sorts numbers within names by their size.

    Args:
        name: The name.

    >>> sorted(["lead 10", "lead 9", "aux"], key=natural_key)
    ['aux', 'lead 9', 'lead 10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    # numbers come before words, and by size among themselves
    sizes = [int(part) if part[0] in "0123456789" else None for part in parts]
    key = [(n is None, n or 0, part) for n, part in zip(sizes, parts, strict=True)]
    return key, name


def read_long(table: Table, roles: Roles, evidence: str = "") -> Source:
    """Convert a long table to series.

    Rows may come in any order. If a column names the channel, exactly one other column has the
    values, and times at which a channel has no row become NaN; the channels are in the order of
    their names, whatever the order of the rows. Otherwise each column of values is a channel.
    Without a column of times, rows are time steps as they come; without a column of ids, a series
    ends before the time that is not greater than the last one.

    Args:
        table: The table.
        roles: Roles of its columns.
        evidence: Why the table is long, in words.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i) in the order of their first rows,
        with names, times, and labels if the table has them.

    Raises:
        DataError: There is no column of values, a cell is not a number or not a time, a time occurs
            twice in a series, a label changes within a series, or a series has only missing values.
    """
    _check_values(table, roles)
    names, codes = series_of_rows(table, roles)
    rows = _parse_rows(table, roles, codes)
    order = np.argsort(codes, kind="stable")
    row_groups = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    pairs = [_pivot(table, roles, rows, group) for group in row_groups]
    offsets = None if roles.time is None else table.offsets(roles.time)
    labels = None if roles.label is None else _labels_of_series(table, roles.label, codes)
    ids = {"name" if not k else f"name {k + 1}": column for k, column in enumerate(roles.ids)}
    words = table.describe_roles(**ids, time=roles.time, label=roles.label)
    notes = "".join(f"{note}; " for note in (*table.notes, evidence) if note)
    description = f"{notes}long table{words}, channels {', '.join(rows.channels)}"
    description += ignored_words(table, roles)
    times = [times for _, times in pairs] if roles.time is not None else None
    if times is not None and offsets is not None:
        shifts = [local_shift(rows.times[group], offsets[group]) for group in row_groups]
        times = [row + shift for row, shift in zip(times, shifts, strict=True)]
    return series_source(
        [series for series, _ in pairs], labels, description, names, times, _names(table, rows)
    )


def _names(table: Table, rows: _Rows) -> tuple[str, ...]:
    """Names of the channels; none if only the positions of columns name them."""
    is_named = table.has_names or rows.channel_codes is not None
    return tuple(rows.channels) if is_named else ()


def _check_values(table: Table, roles: Roles) -> None:
    """Refuse a table without values, or with several beside a column that names the channel."""
    if not roles.values or (roles.channel is not None and len(roles.values) > 1):
        requirement = (
            "a column of values"
            if roles.channel is None
            else f"one column of values beside {table.names[roles.channel]!r}"
        )
        present = ", ".join(repr(table.names[k]) for k in roles.values) or "none"
        raise DataError(f"{table.path} needs {requirement}; it has {present}")


def series_of_rows(table: Table, roles: Roles) -> tuple[list[str] | None, Array]:
    """Names of series, and the series of each row.

    Args:
        table: The table.
        roles: Roles of its columns; without ids, the times tell where series begin.

    Returns:
        Names (N) or None, and indices of the series (rows,).

    Raises:
        DataError: An id is missing.
    """
    if not roles.ids:
        assert roles.time is not None
        steps = np.diff(table.times(roles.time), prepend=-np.inf)
        return None, np.cumsum(steps <= 0)
    columns = [table.texts(k) for k in roles.ids]
    if len(columns) == 1:
        return _factorize(columns[0])
    return _factorize(["-".join(cells) for cells in zip(*columns, strict=True)])


def _factorize(cells: list[str]) -> tuple[list[str], Array]:
    """The distinct cells in the order of their first appearance, and the index of each cell."""
    code = {cell: k for k, cell in enumerate(dict.fromkeys(cells))}
    return list(code), np.array([code[cell] for cell in cells])


def _parse_rows(table: Table, roles: Roles, codes: Array) -> _Rows:
    """Convert the times, the values and the channels of all rows."""
    values = np.stack([table.values(k) for k in roles.values])
    names = [table.names[k] for k in roles.values]
    channel_codes = None
    if roles.channel is not None:
        cells = table.texts(roles.channel)
        names = sorted(set(cells), key=natural_key)
        index = {name: k for k, name in enumerate(names)}
        channel_codes = np.array([index[cell] for cell in cells])
    if roles.time is not None:
        return _Rows(table.times(roles.time), values, names, channel_codes)
    scope = codes if channel_codes is None else codes * len(names) + channel_codes
    return _Rows(_count_within(scope), values, names, channel_codes)


def _count_within(codes: Array) -> Array:
    """Number of each row (R,) among the rows with its code."""
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    counts = np.empty(len(codes))
    counts[order] = np.arange(len(codes)) - starts[codes[order]]
    return counts


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


def _pivot(table: Table, roles: Roles, rows: _Rows, group: Array) -> tuple[Array, Array]:
    """Arrange the rows of one series by channel and time.

    Args:
        table: The table, for error messages.
        roles: Roles of its columns.
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
    if len(first) < len(slot) and roles.time is not None:
        repeated = int(group[np.setdiff1d(np.arange(len(slot)), first)[0]])
        raise DataError(_describe_repeat(table, roles.time, repeated, channel is not None))
    series = np.full((len(rows.channels), len(times)), np.nan)
    if channel is None:
        series[:, position] = rows.values[:, group]
    else:
        series[channel, position] = rows.values[0, group]
    if np.isnan(series).all():
        place = table.locate(int(group[0]), roles.values[0])
        raise DataError(f"{place}: this series has only missing values; remove it")
    return series, times


def _describe_repeat(table: Table, time: int, row: int, has_channels: bool) -> str:
    """The error message for a time that occurs twice in a series."""
    scope, rule = ("channel", "time and channel") if has_channels else ("series", "time")
    stamp, facts = as_text(table.columns[time][row]).strip(), table.facts[time]
    mend = f"keep one row per {rule}"
    if facts.kind == "dates":
        mend += "; if the clock was set back, write times in UTC or with their offset"
    return f"{table.locate(row, time)} repeats {stamp} in one {scope}; {mend}"
