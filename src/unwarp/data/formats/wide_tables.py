"""Wide tables: one row per series and one column per time step.

    id,label,t0,t1,t2
    a,walk,0.5,?,2.0
    b,run,3.0,4.0,

Series b has two time steps, because a missing value at the end of a row is padding. Series in a
wide table have one channel.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_number, parse_number, parse_times
from unwarp.data.formats.dates import CLOCK, is_date
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.table import Roles, Table, ignored_words
from unwarp.data.formats.time_units import UNIT_OF_WORD, in_seconds
from unwarp.data.source import Source
from unwarp.errors import DataError

TIME_WITH_UNIT = re.compile(
    r"(?:t\s*=?\s*)?([+\-\u2212]?\d*\.?\d+(?:e[+\-\u2212]?\d+)?)\s*"
    rf"({'|'.join(word for word in UNIT_OF_WORD if word != 'd')})?",
    re.IGNORECASE,
)
"""A number with a mark of time, such as `0.5 s` or `t=0.5`."""

DAY = 86400.0


def read_wide(table: Table, roles: Roles, evidence: str = "") -> Source:
    """Convert a wide table to series.

    Each column of values is a time step. Missing values at the end of a row are padding of a
    shorter series and are cut off. Names of time steps that are dates or numbers are the times,
    unless they are 0, 1, 2, ... or 1, 2, 3, ... Columns out of order are sorted by these times.

    Args:
        table: The table.
        roles: Roles of its columns; without a column of ids, the index names the series.
        evidence: Why the table is wide, in words.

    Returns:
        Series (N, T) or a list of N arrays (1, T_i), with names, labels and times if the table has
        them.

    Raises:
        DataError: There is no column of values, a cell is not a number, a label or name is missing,
            two columns have one time, or a series has only missing values.
    """
    label, steps = roles.label, roles.values
    if not steps:
        names = ", ".join(map(repr, table.names))
        raise DataError(f"{table.path} has no column of values, only {names}; add the values")
    name = roles.ids[0] if roles.ids else roles.index
    steps, times, order_words = order_steps(table, steps)
    series = _parse_series(table, steps)
    notes = "".join(f"{note}; " for note in (*table.notes, evidence) if note)
    layout = "wide table, one row per series" + table.describe_roles(name=name, label=label)
    layout += "" if table.has_names else ", columns not named"
    layout += ignored_words(table, roles if roles.ids else _with_index_as_name(roles))
    layout += "" if times is None else ", times are the names of columns"
    layout += f", {order_words}" if order_words else ""
    return series_source(
        series,
        None if label is None else table.labels(label),
        notes + layout,
        None if name is None else table.texts(name),
        None if times is None else [times[: row.shape[1]] for row in series],
    )


def _with_index_as_name(roles: Roles) -> Roles:
    """The roles, with the index as name of the series."""
    return Roles(ids=() if roles.index is None else (roles.index,), ignored=roles.ignored)


def _parse_series(table: Table, steps: list[int]) -> list[Array]:
    """Series (1, T_i) from the columns of time steps, without padding."""
    values = np.stack([table.values(k) for k in steps], 1)
    return [
        trim_padding(row[None], f"{table.path}, {location}")
        for row, location in zip(values, table.row_locations, strict=True)
    ]


def order_steps(table: Table, steps: list[int]) -> tuple[list[int], Array | None, str]:
    """Columns of time steps, sorted by the times that name them.

    Times of day that pass midnight once stay in their order.

    Args:
        table: The table.
        steps: Columns of values.

    Returns:
        The columns, sorted by their times; the times (T,), None if names are no times or only count
        the steps 0, 1, ... or 1, 2, ...; and the decision in words, empty if the order stays.

    Raises:
        DataError: Two columns have one time.
    """
    names = [table.names[k] for k in steps]
    times = times_of_names(names, table.path) if table.has_names else None
    if times is None:
        return steps, None, ""
    order = np.argsort(times, kind="stable")
    if (twice := np.flatnonzero(np.diff(times[order]) == 0)).size:
        first, second = (table.names[steps[order[k]]] for k in (twice[0], twice[0] + 1))
        raise DataError(
            f"{table.path}: two columns, {first!r} and {second!r}, name one time; remove one, or "
            "rename all columns if their names are no times"
        )
    if _pass_midnight(names, times):
        after = np.arange(len(times)) > np.diff(times).argmin()
        return steps, times + DAY * after, "times of day pass midnight"
    is_count = (np.diff(times[order]) == 1).all() and times[order[0]] in (0, 1)
    is_sorted = bool((np.diff(order) > 0).all())
    words = "" if is_sorted else "columns sorted by time"
    return [steps[k] for k in order], None if is_count else times[order], words


def _pass_midnight(names: list[str], times: Array) -> bool:
    """Whether names are times of day that go back once, at midnight."""
    is_night = all(CLOCK.fullmatch(name.strip()) for name in names) and times[-1] < times[0]
    return is_night and int((np.diff(times) < 0).sum()) == 1


def times_of_names(names: list[str], path: Path | str = "the table") -> Array | None:
    """Times from the names of time steps.

    Args:
        names: Names of the columns of values (T).
        path: The file, for messages.

    Returns:
        Times (T,) in the order of the names, in seconds if names have units; None if the names are
        neither numbers nor dates, or only some have units, which differ.

    Raises:
        DataError: The names are dates that read two ways, or one of them is no day.

    >>> times_of_names(["0.5 s", "0.0 s"]), times_of_names(["500 ms", "1 s"])
    (array([0.5, 0. ]), array([0.5, 1. ]))
    """
    if len(names) > 1 and all(is_date(name) and not is_number(name) for name in names):
        return parse_times(names, lambda k: f"{path}, column {names[k]!r}")
    matches = [match for name in names if (match := TIME_WITH_UNIT.fullmatch(name.strip()))]
    if len(matches) < len(names):
        return None
    times = np.array([parse_number(match[1]) for match in matches])
    units = [UNIT_OF_WORD.get((match[2] or "").lower()) for match in matches]
    named = {*units} - {None}
    if len(named) < 2:
        return in_seconds(times, next(iter(named), None))
    if None in units:
        return None
    return np.array([in_seconds(time, unit) for time, unit in zip(times, units, strict=True)])
