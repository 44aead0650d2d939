"""Signs of a column per series: times in order down the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unwarp.data.formats.cells import is_number
from unwarp.data.formats.column_names import (
    SERIES_STEMS,
    STEP_STEMS,
    WIDE_LABEL_NAMES,
    is_counter_name,
    is_stem_of,
    stem_of,
)
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.layout_signs import (
    FAIR,
    MIN_COLUMNS_OF_WORDS,
    STRONG,
    WEAK,
    Candidate,
    are_surely_steps,
    axis_of,
    unordered_axis_of,
)
from unwarp.data.formats.table import Roles, Table
from unwarp.data.formats.table_roles import (
    named_ids,
    pattern_of,
    strong_time,
    with_values,
)
from unwarp.data.formats.wide_signs import CLOCK_STEMS

MIN_ROWS_PER_COLUMN = 20
"""Rows for each of few columns from which a row is hardly a series."""


def signs_of_columns(table: Table, roles: Roles) -> Candidate | None:
    """Signs of a column per series: times that increase or decrease.

    Times out of order, or repeated ones, are such a sign too, but they must be mended first.

    Args:
        table: The table.
        roles: Roles that the user names, and the index.
    """
    is_named = roles.time is not None
    time = roles.time if is_named else _find_time(table, roles)
    ids = named_ids(table, roles)
    roles = _with_time(table, roles, time)
    names = [table.names[k] for k in roles.values]
    if not names or roles.ids or ids or roles.label is not None:
        return None
    condition = "each column is a series"
    if time is None:
        strength = _strength_without_time(table, roles)
        return Candidate("columns", roles, strength, f"names such as {names[0]!r}", condition)
    name = repr(table.names[time]) if table.names[time] else "the column without a name"
    if not (is_named or table.facts[time].is_monotone):
        strength = 0 if _any_sign_of_rows(table, roles) else FAIR
        condition += f" with its times in {name}, {_what_to_mend(table, time)}"
        return Candidate("columns", roles, strength, "", condition, is_unordered=True)
    strength = _strength(table, roles, is_named)
    evidence = f"{name} {'decreases' if table.facts[time].is_decreasing else 'increases'}"
    return Candidate("columns", roles, strength, evidence, condition)


def _find_time(table: Table, roles: Roles) -> int | None:
    """The column of times, in order or, if there is no other, out of order."""
    named, axis = strong_time(table, roles), axis_of(table, roles)
    if named is not None and table.facts[named].is_monotone:
        return named
    is_named = named is not None and _may_be_times(table, named)
    if axis is not None:
        is_counter = table.has_names and axis != roles.index and is_counter_name(table.names[axis])
        return named if is_named and not is_counter else axis
    return named if is_named else unordered_axis_of(table, roles)


def _may_be_times(table: Table, column: int) -> bool:
    """Whether a column with the name of a time holds several numbers or dates."""
    facts = table.facts[column]
    return facts.kind in ("numbers", "dates", "mixed") and facts.n_distinct > 1


def _with_time(table: Table, roles: Roles, time: int | None) -> Roles:
    """Roles with the time and all values; no other column with the name of a time is one."""
    named = strong_time(table, roles)
    is_named = bool(roles.values)
    roles = with_values(table, replace(roles, time=time))
    if is_named or time is None or named not in roles.values:
        return roles
    values = [k for k in roles.values if k != named]
    return replace(roles, values=values, ignored=sorted([*roles.ignored, named]))


def _what_to_mend(table: Table, time: int) -> str:
    """What the user does so that times increase, in words."""
    facts = table.facts[time]
    if facts.axis is None or facts.has_gaps:
        return "once each row has a time that can be read"
    if len(np.unique(facts.axis)) < table.n_rows:
        return "once the rows are sorted by time and repeated times removed"
    return "once the rows are sorted by time"


def _any_sign_of_rows(table: Table, roles: Roles) -> bool:
    """Whether each row is a series: columns name steps, or words name the rows."""
    names = [table.names[k] for k in roles.values]
    if table.has_names and (are_surely_steps(names) or is_stem_of(stem_of(names), CLOCK_STEMS)):
        return True
    columns = [*roles.values, *roles.ignored]
    facts = [table.facts[k] for k in columns if table.facts[k].kind == "words"]
    is_label = any(table.names[k].strip().lower() in WIDE_LABEL_NAMES for k in columns)
    is_name = any(item.n_distinct == table.n_rows and not item.has_gaps for item in facts)
    return table.has_names and (is_label or is_name)


def _strength_without_time(table: Table, roles: Roles) -> int:
    """Strength of names of series alone."""
    stem = stem_of([table.names[k] for k in roles.values]) if table.has_names else None
    is_plain = is_stem_of(stem, SERIES_STEMS) and table.n_rows > len(roles.values)
    is_plain |= table.has_names and stem is None and _is_tall(table, roles.values)
    return FAIR if is_plain and roles.index is None and not _any_words(table, roles) else 0


def _strength(table: Table, roles: Roles, is_named: bool) -> int:
    """Strength of times that increase or decrease; the user names them or not."""
    time, values = roles.time, roles.values
    assert time is not None
    stem = stem_of([table.names[k] for k in values]) if table.has_names else None
    if is_named or time == strong_time(table, replace(roles, time=None, values=[])):
        return _strength_of_times(table, time, values, stem)
    return _strength_of_axis(table, time, values, stem)


def _is_tall(table: Table, values: list[int]) -> bool:
    """Whether a table has few columns and many rows."""
    is_narrow = len(values) < MIN_COLUMNS_OF_WORDS
    return is_narrow and table.n_rows >= MIN_ROWS_PER_COLUMN * len(values)


def _any_words(table: Table, roles: Roles) -> bool:
    """Whether a column without a role holds words."""
    columns = [*roles.values, *roles.ignored]
    return any(table.facts[k].kind in ("words", "mixed") for k in columns)


def _strength_of_axis(table: Table, time: int, values: list[int], stem: str | None) -> int:
    """Strength of a column without the name of a time whose numbers increase."""
    facts, names = table.facts[time], [table.names[k] for k in values]
    if table.has_names and _is_id(table, time):
        return 0
    is_alike = table.has_names and pattern_of(table.names[time]) == pattern_of(names[0])
    if facts.kind == "dates" and not (is_alike or (table.has_names and are_surely_steps(names))):
        return STRONG
    if is_alike or any(table.facts[k].is_even for k in values[:MIN_COLUMNS_OF_WORDS]):
        return 0
    if facts.axis is not None and not (facts.axis == np.round(facts.axis)).all():
        return STRONG
    if table.has_names and are_surely_steps(names):
        return 0
    if not table.has_names:
        return FAIR
    if is_stem_of(stem, SERIES_STEMS) or stem == "well":
        return STRONG
    is_counter = is_counter_name(table.names[time]) and stem is None
    return STRONG if is_counter and len(names) >= MIN_COLUMNS_OF_WORDS else FAIR


def _is_id(table: Table, column: int) -> bool:
    return column in named_ids(table, Roles())


def _strength_of_times(table: Table, time: int, values: list[int], stem: str | None) -> int:
    """Strength of a column with the name of a time whose times increase or decrease."""
    names, facts = [table.names[k] for k in values], table.facts[time]
    if not facts.is_monotone:
        return 0
    if len(names) > 1 and (all(map(is_number, names)) or all(map(is_date, names))):
        return WEAK
    is_day = facts.is_whole or facts.kind == "dates"
    stems = CLOCK_STEMS | STEP_STEMS if facts.is_decreasing else CLOCK_STEMS
    if is_day and is_stem_of(stem, stems) and len(names) > 2:
        return FAIR
    return STRONG
