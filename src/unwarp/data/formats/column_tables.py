"""Tables with one column per series, with or without times.

    time,S00,S01        time,S00.x,S00.y
    0.00,1.5,2.5        0.00,1.5,2.5
    0.01,1.6,2.4        0.01,1.6,2.4

If each name is that of a series and of a channel, separated by a point, the series have several
channels (right).
"""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_number
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.table import Roles, Table, find_index, ignored_words
from unwarp.data.recording_form import default_channels
from unwarp.data.source import Source
from unwarp.errors import DataError


def read_columns(table: Table, roles: Roles, evidence: str = "") -> Source:
    """Convert a table with a column per series to series.

    Missing values at the end of a column are padding of a shorter series and are cut off. Rows
    whose times decrease are reversed, and the description says so.

    Args:
        table: The table.
        roles: Roles of its columns.
        evidence: Why a column is a series, in words.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with names and times if the table
        has them.

    Raises:
        DataError: There is no column of values, a cell is not a number, times neither increase nor
            decrease, or a series has only missing values.
    """
    if not roles.values:
        raise DataError(f"{table.path} needs a column for each series; it has none")
    times, order = times_and_order(table, roles.time)
    if times is not None and _only_counts(table, roles, times):
        times = None
    names, channels = split_names([table.names[k] for k in roles.values])
    values = np.stack([table.values(k)[order] for k in roles.values])
    values = values.reshape(len(names), -1, table.n_rows)
    series = [
        trim_padding(row, f"{table.path}, column {name!r}")
        for row, name in zip(values, names, strict=True)
    ]
    notes = "".join(f"{note}; " for note in (*table.notes, evidence) if note)
    words = f"{notes}a column per series" + table.describe_roles(time=roles.time)
    words += f", channels {', '.join(channels)}" if channels else ""
    words += "".join(f", {word}" for word in words_on_order(order))
    words += "" if table.has_names else ", columns not named"
    return series_source(
        series,
        None,
        words + ignored_words(table, roles),
        names if table.has_names else None,
        None if times is None else [times[: row.shape[1]] for row in series],
        tuple(channels),
    )


def split_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Names of series and of channels.

    Args:
        names: Names of columns.

    Returns:
        Names of the series (N) and of the channels (C); the names themselves and no channels,
        unless every series has every channel, in the same order.

    >>> split_names(["a.x", "a.y", "b.x", "b.y"])
    (['a', 'b'], ['x', 'y'])
    """
    pairs = [name.rpartition(".")[::2] for name in names]
    series, channels = (list(dict.fromkeys(part)) for part in zip(*pairs, strict=True))
    is_product = pairs == [(name, channel) for name in series for channel in channels]
    is_word = all(channels) and not any(map(is_number, channels)) and all(series)
    if is_product and is_word and len(channels) > 1:
        return series, channels
    if is_product and channels == default_channels(1):
        return series, []
    return names, []


def _only_counts(table: Table, roles: Roles, times: Array) -> bool:
    """Whether times without a name are the numbers of the rows."""
    has_name = table.has_names and roles.time != roles.index
    is_count = times[0] in (0, 1) and bool((np.diff(times) == 1).all())
    return is_count and (not has_name or roles.time == find_index(table))


def times_and_order(table: Table, column: int | None) -> tuple[Array | None, slice]:
    """The increasing times of rows, and the order of the rows.

    Args:
        table: The table.
        column: The column of times; None if there is none.

    Returns:
        Times (rows,), or None; and a slice of all rows, which reverses them if times decrease.

    Raises:
        DataError: Times neither increase nor decrease.
    """
    if column is None:
        return None, slice(None)
    times = table.local_times(column)
    if len(times) > 1 and (np.diff(times) < 0).all():
        return times[::-1], slice(None, None, -1)
    if (np.diff(times) <= 0).any():
        row = int((np.diff(times) <= 0).argmax()) + 1
        raise DataError(
            f"{table.locate(row, column)} is not later than the row above, but a row per step "
            "needs increasing times; sort the rows and remove repeated ones, or, if they are of "
            "several series, name the column of ids: table='long', id_column='...'"
        )
    return times, slice(None)


def words_on_order(order: slice) -> list[str]:
    """The decision on the order of rows; empty if it stays.

    Args:
        order: A slice that `times_and_order` returns.
    """
    return ["rows sorted by time, which decreases"] if order.step == -1 else []
