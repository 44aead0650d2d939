"""Wide tables: one row per series and one column per time step.

    id,label,t0,t1,t2
    a,walk,0.5,?,2.0
    b,run,3.0,4.0,

Series b has two time steps, because a missing value at the end of a row is padding. Series in a
wide table have one channel.
"""

from __future__ import annotations

import re

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_number, parse_times
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.data.formats.table import Roles, Table, ignored_words
from unwarp.data.source import Source
from unwarp.errors import DataError

TIME_WITH_UNIT = re.compile(
    r"(?:t\s*=?\s*)?([+-]?\d*\.?\d+(?:e[+-]?\d+)?)\s*(?:s|sec|ms|min|h)?", re.IGNORECASE
)
"""A number with a mark of time, such as `0.5 s` or `t=0.5`."""


def read_wide(table: Table, roles: Roles, evidence: str = "") -> Source:
    """Convert a wide table to series.

    Each column of values is a time step. Missing values at the end of a row are padding of a
    shorter series and are cut off. Names of time steps that are dates or increasing numbers are the
    times, unless they are 0, 1, 2, ... or 1, 2, 3, ...

    Args:
        table: The table.
        roles: Roles of its columns; without a column of ids, the index names the series.
        evidence: Why the table is wide, in words.

    Returns:
        Series (N, T) or a list of N arrays (1, T_i), with names, labels and times if the table has
        them.

    Raises:
        DataError: There is no column of values, a cell is not a number, a label or name is missing,
            or a series has only missing values.
    """
    label, steps = roles.label, roles.values
    if not steps:
        names = ", ".join(map(repr, table.names))
        raise DataError(f"{table.path} has no column of values, only {names}; add the values")
    name = roles.ids[0] if roles.ids else roles.index
    series = _parse_series(table, steps)
    times = times_of_names([table.names[k] for k in steps]) if table.has_names else None
    notes = "".join(f"{note}; " for note in (*table.notes, evidence) if note)
    layout = "wide table, one row per series" + table.describe_roles(name=name, label=label)
    layout += "" if table.has_names else ", columns not named"
    layout += ignored_words(table, roles if roles.ids else _with_index_as_name(roles))
    layout += "" if times is None else ", times are the names of columns"
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


def times_of_names(names: list[str]) -> Array | None:
    """Times from the names of time steps.

    Args:
        names: Names of the columns of values (T).

    Returns:
        Times (T,); None if the names do not increase as numbers or dates, or only count the steps
        0, 1, ... or 1, 2, ...

    >>> times_of_names(["0.0 s", "0.5 s"])
    array([0. , 0.5])
    """
    if len(names) > 1 and all(is_date(name) and not is_number(name) for name in names):
        try:
            dates = parse_times(names, str)
        except DataError:
            return None
        return dates if (np.diff(dates) > 0).all() else None
    matches = [TIME_WITH_UNIT.fullmatch(name.strip()) for name in names]
    if not all(matches):
        return None
    times = np.array([float(match[1]) for match in matches if match])
    is_count = (np.diff(times) == 1).all() and times[0] in (0, 1)
    return times if (np.diff(times) > 0).all() and not is_count else None
