"""Signs of a long table: ids repeat, or times restart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.column_names import stem_of
from unwarp.data.formats.layout_signs import (
    FAIR,
    MIN_COLUMNS_OF_WORDS,
    MIN_STEPS_BESIDE_A_LABEL,
    STRONG,
    Candidate,
    are_steps,
)
from unwarp.data.formats.table import Roles, Table
from unwarp.data.formats.table_roles import (
    MIN_STEPS_OF_A_PATTERN,
    codes_of,
    combine_ids,
    counter_within,
    find_channel,
    free_columns,
    named_ids,
    number_columns,
    refine_ids,
    strong_time,
    with_values,
)

MIN_ROWS_OF_A_RESTART = 3
"""Mean number of rows of a series whose times restart."""

MAX_SHIFT_OF_A_START = 0.25
"""Difference of the first times of two series, as a share of the duration of the first."""

MIN_STEPS_WITHOUT_NAMES = 10
"""Mean number of rows from which a first column without a name is an id."""


def signs_of_long(table: Table, roles: Roles) -> Candidate | None:
    """Signs of a row per series and time.

    Ids repeat, or times restart.

    Args:
        table: The table.
        roles: Roles that the user names, the label and the index.
    """
    roles = find_channel(table, roles)
    time = strong_time(table, roles)
    if roles.ids:
        ids, strength = roles.ids, STRONG if table.facts[roles.ids[0]].repeats or time else 0
    else:
        ids, strength = _find_ids(table, replace(roles, time=time), time)
    if not ids:
        return _restarts(table, replace(roles, time=time))
    if not strength:
        return None
    ids = refine_ids(table, replace(roles, time=time), ids)
    roles = replace(roles, ids=ids, time=time)
    if time is None:
        roles = replace(roles, time=counter_within(table, roles, codes_of(table, ids)))
    if roles.time is not None and not table.has_names:
        n_series = table.facts[ids[0]].n_distinct
        is_long = table.n_rows >= MIN_STEPS_WITHOUT_NAMES * n_series
        strength = STRONG if is_long else FAIR
    roles = with_values(table, roles)
    if strength == STRONG and roles.time is None and are_steps(table, roles.values):
        strength = FAIR
    return Candidate("long", roles, strength, *_id_words(table, roles))


def _find_ids(table: Table, roles: Roles, time: int | None) -> tuple[tuple[int, ...], int]:
    """Columns that name the series of a long table, and the strength of the signs."""
    names = named_ids(table, roles)
    repeating = [k for k in names if table.facts[k].repeats]
    if repeating:
        return combine_ids(table, repeating, time), STRONG
    if names and time is not None and not are_steps(table, number_columns(table, roles)):
        return tuple(names[:1]), STRONG
    words = [
        k
        for k in free_columns(table, roles)
        if table.facts[k].kind in ("words", "dates")
        and table.facts[k].repeats
        and table.facts[k].n_distinct > 1
    ]
    if words:
        is_timed = time is not None and not table.facts[time].is_increasing
        return combine_ids(table, words, time), STRONG if is_timed else FAIR
    return _whole_numbers(table, roles)


def _whole_numbers(table: Table, roles: Roles) -> tuple[tuple[int, ...], int]:
    """A first column of whole numbers in blocks, or in turn, as ids."""
    free = [k for k in free_columns(table, roles) if k not in roles.values]
    if len(free) < 2 or (roles.time is not None and table.facts[roles.time].is_increasing):
        return (), 0
    facts = table.facts[free[0]]
    if not (facts.is_whole and facts.repeats and facts.n_distinct > 1):
        return (), 0
    if not (facts.is_in_blocks or facts.is_cyclic):
        return (), 0
    rest = [table.facts[k] for k in free[1:] if table.facts[k].kind == "numbers"]
    if all(facts.is_whole for facts in rest):
        return (), 0
    if counter_within(table, replace(roles, ids=(free[0],)), facts.codes) is not None:
        return (free[0],), STRONG
    names = [table.names[k] for k in free[1:]]
    is_named = table.has_names and stem_of(names) is None and len(names) < MIN_STEPS_OF_A_PATTERN
    if len(names) >= MIN_STEPS_BESIDE_A_LABEL:
        return (), 0
    is_small = not table.has_names and len(names) < MIN_COLUMNS_OF_WORDS
    return (free[0],), STRONG if is_named or is_small else FAIR


def _restarts(table: Table, roles: Roles) -> Candidate | None:
    """A long table without ids, whose times restart."""
    if roles.time is None or table.facts[roles.time].has_gaps:
        return None
    axis = table.facts[roles.time].axis
    if axis is None or table.facts[roles.time].is_increasing or (np.diff(axis) == 0).any():
        return None
    starts = axis[1:][np.diff(axis) < 0]
    n_series = len(starts) + 1
    is_same = bool((starts == axis[0]).all())
    if not is_same and table.n_rows < MIN_ROWS_OF_A_RESTART * n_series:
        return None
    strength = STRONG if is_same or _start_alike(axis) else FAIR
    name = table.names[roles.time]
    evidence = f"{name!r} restarts {n_series - 1:,} times"
    return Candidate("long", with_values(table, roles), strength, evidence, f"{name!r} restarts")


def _start_alike(axis: Array) -> bool:
    """Whether times (rows,) restart near the start of the series before, not near its end."""
    first = np.flatnonzero(np.diff(axis, prepend=np.inf) < 0)
    last = np.append(first[1:], len(axis)) - 1
    spans = (axis[last] - axis[first])[:-1]
    return bool((np.abs(np.diff(axis[first])) <= MAX_SHIFT_OF_A_START * spans).all())


def _id_words(table: Table, roles: Roles) -> tuple[str, str]:
    """Evidence and supposition of ids."""
    names = " and ".join(repr(table.names[k]) for k in roles.ids)
    counts = np.bincount(codes_of(table, roles.ids))
    times = f"{counts.min():,}" + (f" to {counts.max():,}" if np.ptp(counts) else "")
    verb = "repeat" if len(roles.ids) > 1 else "repeats"
    is_repeated = counts.max() > 1
    evidence = f"{names} {verb} {times} times each" if is_repeated else ""
    return evidence, f"{names} {'name' if len(roles.ids) > 1 else 'names'} the series"
