"""Roles of columns, from hints, names and cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_number
from unwarp.data.formats.column_facts import Facts
from unwarp.data.formats.column_names import (
    CHANNEL_NAMES,
    ID_NAMES,
    NUMBERED,
    WELL,
    is_counter_name,
    is_id_name,
    is_time_name,
)
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.table import Roles, Table, find_index
from unwarp.data.hints import Hints
from unwarp.errors import ConfigError

MIN_STEPS_OF_A_PATTERN = 8
"""Number of columns with numbered names beside which other numbers are no time steps."""

MIN_ROWS_OF_A_COUNTER = 5
"""Mean number of rows of a series in which numbers that increase are times."""

MAX_NAMES_IN_MESSAGE = 12


def roles_of_hints(table: Table, hints: Hints) -> Roles:
    """The roles that the user names, and the index.

    Args:
        table: The table.
        hints: The user's hints.

    Raises:
        ConfigError: The table has no column of a name, or a column gets two roles.
    """
    single = {
        option: None if name is None else _column(table, option, name)
        for option in ("id_column", "time_column", "label_column")
        for name in [getattr(hints, option)]
    }
    values = [_column(table, "value_columns", name) for name in hints.value_columns or ()]
    columns = [k for k in (*single.values(), *values) if k is not None]
    twice = next((k for k in columns if columns.count(k) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"the column {table.names[twice]!r} of {table.path} has two roles; name it once among "
            "id_column, time_column, value_columns and label_column"
        )
    id_column = single["id_column"]
    index = find_index(table)
    return Roles(
        ids=() if id_column is None else (id_column,),
        time=single["time_column"],
        label=single["label_column"],
        index=None if index in columns else index,
        values=values,
    )


def _column(table: Table, option: str, name: str) -> int:
    """Index of a column that the user names; case and blanks do not matter."""
    plain = [column.strip().lower() for column in table.names]
    if str(name) in table.names:
        return table.names.index(str(name))
    if str(name).strip().lower() in plain:
        return plain.index(str(name).strip().lower())
    more = len(table.names) - MAX_NAMES_IN_MESSAGE
    names = ", ".join(table.names[:MAX_NAMES_IN_MESSAGE]) + (f" and {more} more" * (more > 0))
    raise ConfigError(f"{option}={name!r} is no column of {table.path}; choose among {names}")


def free_columns(table: Table, roles: Roles) -> list[int]:
    """Columns that have no role yet and are not empty.

    Args:
        table: The table.
        roles: Roles so far.
    """
    if roles.values:
        return roles.values
    busy = roles.with_roles
    return [k for k, facts in enumerate(table.facts) if k not in busy and facts.kind != "empty"]


def number_columns(table: Table, roles: Roles) -> list[int]:
    """Columns without a role that hold numbers, or numbers among words.

    Args:
        table: The table.
        roles: Roles so far.
    """
    kinds = ("numbers", "mixed")
    return [k for k in free_columns(table, roles) if table.facts[k].kind in kinds]


def with_values(table: Table, roles: Roles) -> Roles:
    """Roles with all remaining numbers as values; other columns are ignored.

    Args:
        table: The table.
        roles: Roles so far.
    """
    values = roles.values or number_columns(table, roles)
    busy = roles.with_roles | set(values)
    return replace(
        roles, values=values, ignored=[k for k in range(len(table.names)) if k not in busy]
    )


def find_channel(table: Table, roles: Roles) -> Roles:
    """Roles with the column that names channels, if there is one.

    Args:
        table: The table.
        roles: Roles so far.
    """
    if roles.values:
        return roles
    column = table.find_column(CHANNEL_NAMES)
    if column is None or column in roles.with_roles:
        return roles
    facts = table.facts[column]
    if facts.kind != "words" and facts.n_distinct == table.n_rows:
        return roles
    return replace(roles, channel=column)


def named_ids(table: Table, roles: Roles) -> list[int]:
    """Columns with the name of an id, the plainest name first.

    Args:
        table: The table.
        roles: Roles so far.
    """
    if not table.has_names:
        return []
    columns = [
        k
        for k, name in enumerate(table.names)
        if k not in roles.with_roles
        and k not in roles.values
        and (table.facts[k].kind in ("words", "dates", "mixed") or table.facts[k].is_whole)
        and is_id_name(name)
    ]
    return sorted(columns, key=lambda k: table.names[k].strip().lower() not in ID_NAMES)


def combine_ids(table: Table, columns: list[int], time: int | None) -> tuple[int, ...]:
    """The columns of ids that name the series together.

    A further column counts if it divides the series and leaves several rows in each, as the trials
    of subjects do, unless its numbers count the rows.

    Args:
        table: The table.
        columns: Columns of ids that repeat.
        time: Column of times; None if unknown.
    """
    ids: tuple[int, ...] = (columns[0],)
    codes = table.facts[columns[0]].codes
    for k in columns[1:]:
        facts = table.facts[k]
        joint = _joint(codes, facts.codes)
        n_series = int(joint.max()) + 1
        is_finer = n_series > codes.max() + 1 and 2 * n_series <= table.n_rows
        is_block = int((np.diff(joint) != 0).sum()) + 1 == n_series
        times_repeat = time is not None and not table.facts[time].increases_within(codes)
        if is_finer and (is_block or times_repeat or time is None):
            ids, codes = (*ids, k), joint
    return tuple(sorted(ids))


def refine_ids(table: Table, roles: Roles, ids: tuple[int, ...]) -> tuple[int, ...]:
    """Ids with a further column, if times repeat without it.

    Args:
        table: The table.
        roles: Roles so far, with the column of times.
        ids: Columns of ids.
    """
    codes = codes_of(table, ids)
    if roles.time is None or roles.channel is not None:
        return ids
    time = table.facts[roles.time]
    pairs = _joint(codes, time.codes)
    if pairs.max() + 1 == table.n_rows:  # no time repeats
        return ids
    for k in free_columns(table, replace(roles, ids=ids)):
        facts = table.facts[k]
        is_key = facts.kind == "words" or facts.is_whole
        if is_key and k not in roles.values and _joint(pairs, facts.codes).max() + 1 == len(codes):
            return tuple(sorted((*ids, k)))
    return ids


def _joint(a: Array, b: Array) -> Array:
    """Indices of pairs of codes, in order of appearance."""
    pairs = Facts((a * (int(b.max()) + 1) + b).astype(np.float64))
    return pairs.codes


def codes_of(table: Table, ids: tuple[int, ...]) -> Array:
    """The series of each row (rows,) by its ids.

    Args:
        table: The table.
        ids: Columns of ids.
    """
    codes = table.facts[ids[0]].codes
    for k in ids[1:]:
        codes = _joint(codes, table.facts[k].codes)
    return codes


def strong_time(table: Table, roles: Roles) -> int | None:
    """The column with the name of a time, or None.

    Of several, it is an increasing one, else a decreasing one.

    Args:
        table: The table.
        roles: Roles so far.
    """
    if roles.time is not None or not table.has_names:
        return roles.time
    busy = roles.with_roles | set(roles.values)
    columns = [k for k, name in enumerate(table.names) if k not in busy and is_time_name(name)]
    if not columns:
        return None
    varying = [k for k in columns if table.facts[k].n_distinct > 1]
    exact = [k for k in columns if table.facts[k].is_increasing]
    reverse = [k for k in columns if table.facts[k].is_decreasing]
    return (exact or reverse or varying or columns)[0]


def counter_within(table: Table, roles: Roles, codes: Array) -> int | None:
    """The column that increases in every series, or None.

    One with the name of a counter is taken, else the first one if series have several rows.

    Args:
        table: The table.
        roles: Roles so far.
        codes: The series of each row (rows,).
    """
    columns = [k for k in free_columns(table, roles) if k not in roles.values]
    columns = [k for k in columns if table.facts[k].increases_within(codes)]
    rest = [k for k in number_columns(table, roles) if k not in columns[:1]]
    if not columns or not (rest or roles.values):
        return None
    for k in columns:
        if table.has_names and is_counter_name(table.names[k]):
            return k if [c for c in number_columns(table, roles) if c != k] else None
    n_series = int(codes.max()) + 1
    is_first = (
        columns[0] == free_columns(table, roles)[0] or table.facts[columns[0]].kind == "dates"
    )
    is_long = table.n_rows >= MIN_ROWS_OF_A_COUNTER * n_series and n_series > 1
    return columns[0] if is_first and is_long else None


def pattern_of(name: str) -> str:
    """The pattern of the name of a column.

    `#` means a number, `@` a date; else it is the beginning of the name.

    Args:
        name: The name.

    >>> pattern_of("12"), pattern_of("2024-05-01"), pattern_of("S01"), pattern_of("height")
    ('#', '@', 's', 'height')
    """
    if is_number(name):
        return "#"
    if is_date(name):
        return "@"
    if WELL.fullmatch(name):
        return "well"
    match = NUMBERED.fullmatch(name.strip())
    return (match["stem"] if match else name).strip(" _.-").lower()


def outside_pattern(table: Table, columns: list[int]) -> list[int]:
    """Columns with names unlike the numbered names of most columns.

    Args:
        table: The table.
        columns: The columns.
    """
    if not table.has_names or len(columns) < MIN_STEPS_OF_A_PATTERN:
        return []
    patterns = {k: pattern_of(table.names[k]) for k in columns}
    common, count = Counter(patterns.values()).most_common(1)[0]
    if count < max(MIN_STEPS_OF_A_PATTERN, 0.6 * len(columns)):
        return []
    return [k for k in columns if patterns[k] != common]
