"""Signs of a column per series: times increase down the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unwarp.data.formats.cells import is_number
from unwarp.data.formats.column_names import (
    SERIES_STEMS,
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
)
from unwarp.data.formats.table import Roles, Table
from unwarp.data.formats.table_roles import (
    free_columns,
    named_ids,
    pattern_of,
    strong_time,
    with_values,
)
from unwarp.data.formats.wide_signs import CLOCK_STEMS

MIN_ROWS_PER_COLUMN = 20
"""Rows for each of few columns from which a row is hardly a series."""


def signs_of_columns(table: Table, roles: Roles) -> Candidate | None:
    """Signs of a column per series: times that increase down the rows.

    Args:
        table: The table.
        roles: Roles that the user names, and the index.
    """
    time = strong_time(table, roles)
    is_strong = time is not None and table.facts[time].is_increasing
    if not is_strong and roles.time is None:
        time = axis_of(table, roles)
    values = with_values(table, replace(roles, time=time)).values
    names = [table.names[k] for k in values]
    stem = stem_of(names) if table.has_names else None
    if not values or roles.ids or roles.label is not None or named_ids(table, roles):
        return None
    if time is None:
        is_plain = is_stem_of(stem, SERIES_STEMS) and table.n_rows > len(values)
        is_plain |= table.has_names and stem is None and _is_tall(table, values)
        strength = FAIR if is_plain and roles.index is None else 0
        strength = 0 if _any_words(table, roles) else strength
    elif not is_strong and roles.time is None:
        strength = _strength_of_axis(table, time, values, stem)
    else:
        strength = _strength_of_times(table, time, values, stem)
    time_name = None if time is None else table.names[time] or "the column without a name"
    evidence = f"names such as {names[0]!r}" if time is None else f"{time_name!r} increases"
    condition = "each column is a series"
    roles = with_values(table, replace(roles, time=time))
    return Candidate("columns", roles, strength, evidence, condition)


def _is_tall(table: Table, values: list[int]) -> bool:
    """Whether a table has few columns and many rows."""
    is_narrow = len(values) < MIN_COLUMNS_OF_WORDS
    return is_narrow and table.n_rows >= MIN_ROWS_PER_COLUMN * len(values)


def _any_words(table: Table, roles: Roles) -> bool:
    """Whether a column without a role holds words."""
    return any(table.facts[k].kind in ("words", "mixed") for k in free_columns(table, roles))


def _strength_of_axis(table: Table, time: int, values: list[int], stem: str | None) -> int:
    """Strength of a column without the name of a time whose numbers increase."""
    facts, names = table.facts[time], [table.names[k] for k in values]
    if table.has_names and _is_id(table, time):
        return 0
    is_alike = table.has_names and pattern_of(table.names[time]) == pattern_of(names[0])
    if is_alike or any(table.facts[k].is_even for k in values[:MIN_COLUMNS_OF_WORDS]):
        return 0
    if facts.axis is not None and not (facts.axis == np.round(facts.axis)).all():
        return STRONG
    if table.has_names and are_surely_steps(names):
        return 0
    if facts.kind == "dates":
        return STRONG
    if not table.has_names:
        has_fractions = any(not table.facts[k].is_whole for k in values)
        return FAIR if has_fractions else 0
    if is_stem_of(stem, SERIES_STEMS) or stem == "well":
        return STRONG
    is_counter = is_counter_name(table.names[time]) and stem is None
    return STRONG if is_counter and len(names) >= MIN_COLUMNS_OF_WORDS else FAIR


def _is_id(table: Table, column: int) -> bool:
    return column in named_ids(table, Roles())


def _strength_of_times(table: Table, time: int, values: list[int], stem: str | None) -> int:
    """Strength of a column with the name of a time whose times increase."""
    names, facts = [table.names[k] for k in values], table.facts[time]
    if not facts.is_increasing:
        return 0
    if len(names) > 1 and (all(map(is_number, names)) or all(map(is_date, names))):
        return WEAK
    is_day = facts.is_whole or facts.kind == "dates"
    if is_day and is_stem_of(stem, CLOCK_STEMS) and len(names) > 2:
        return FAIR
    return STRONG
