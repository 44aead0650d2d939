"""Signs of a row per series: columns are steps or times."""

from __future__ import annotations

from dataclasses import replace

from unwarp.data.formats.column_names import (
    ID_NAMES,
    SERIES_STEMS,
    STEP_STEMS,
    is_stem_of,
    stem_of,
)
from unwarp.data.formats.layout_signs import (
    FAIR,
    MIN_STEPS_BESIDE_A_LABEL,
    STRONG,
    WEAK,
    Candidate,
    are_steps,
    axis_of,
)
from unwarp.data.formats.table import Roles, Table
from unwarp.data.formats.table_roles import (
    MIN_STEPS_OF_A_PATTERN,
    free_columns,
    named_ids,
    outside_pattern,
    strong_time,
)

CLOCK_STEMS_TEXT = """
t time step steps h hr hrs hour hours min minute q quarter slot
"""
CLOCK_STEMS = frozenset(CLOCK_STEMS_TEXT.split())
"""Beginnings of numbered names of steps within a day or a trial."""


def signs_of_wide(table: Table, roles: Roles) -> Candidate | None:
    """Signs of a row per series: names of columns are steps.

    Args:
        table: The table.
        roles: Roles that the user names, the label and the index.
    """
    roles = _wide_roles(table, roles)
    busy = roles.with_roles | set(roles.ignored)
    values = roles.values or [k for k in range(len(table.names)) if k not in busy]
    roles = replace(roles, values=values)
    names = [table.names[k] for k in values]
    condition = "each row is a series"
    if not table.has_names:
        is_labelled = roles.label is not None
        is_numbered = len(values) >= MIN_STEPS_OF_A_PATTERN
        strength = STRONG if is_labelled and is_numbered else FAIR
        return Candidate("wide", roles, strength, "", condition)
    if are_steps(table, values):
        strength = FAIR if stem_of(names) is not None and _has_rival(table, roles) else STRONG
        evidence = f"{names[0]!r} to {names[-1]!r} name time steps"
        return Candidate("wide", roles, strength, evidence, condition)
    stem = stem_of(names)
    is_series = is_stem_of(stem, SERIES_STEMS)
    return Candidate("wide", roles, WEAK if is_series else FAIR, "", condition)


def _has_rival(table: Table, roles: Roles) -> bool:
    """Whether ids repeat or times increase or decrease beside numbered names."""
    stem = stem_of([table.names[k] for k in roles.values])
    time = strong_time(table, Roles())
    if time is not None and table.facts[time].is_monotone:
        return True
    is_step = is_stem_of(stem, STEP_STEMS)
    axis = axis_of(table, Roles(index=roles.index))
    is_counted = axis is not None and not is_step and axis not in roles.ids
    return is_counted or any(table.facts[k].repeats for k in roles.ids)


def _wide_roles(table: Table, roles: Roles) -> Roles:
    """Roles in a wide table: a name, a label, and columns that are not read."""
    free = [k for k in free_columns(table, roles) if k not in roles.values]
    words = [k for k in free if table.facts[k].kind in ("words", "dates")]
    if not table.has_names:
        return _unnamed_roles(table, roles, words)
    ids = roles.ids or tuple(_wide_ids(table, roles)[:1])
    outside = outside_pattern(table, [k for k in free if k not in ids])
    unique = [k for k in words if table.facts[k].n_distinct == table.n_rows]
    even = [k for k in outside if table.facts[k].is_whole and table.facts[k].is_even]
    if not ids and roles.index is None:
        ids = tuple((unique or even)[:1])
    repeated = [k for k in words if table.facts[k].repeats and table.facts[k].n_distinct > 1]
    label = roles.label
    if label is None and len(repeated) == 1 and repeated[0] not in ids:
        label = repeated[0]
    ignored = [k for k in {*words, *outside} if k not in ids and k != label]
    return replace(roles, ids=ids, label=label, ignored=sorted(ignored))


def _wide_ids(table: Table, roles: Roles) -> list[int]:
    """Columns with the name of an id; several of the plainest names are refused."""
    table.find_column(ID_NAMES)
    return named_ids(table, roles)


def _unnamed_roles(table: Table, roles: Roles, words: list[int]) -> Roles:
    """Roles in a wide table without column names: words or few whole numbers are labels."""
    last = len(table.names) - 1
    if roles.label is not None or last == 0:
        return roles
    if ends := [k for k in (0, last) if k in words and k not in roles.ids]:
        return replace(roles, label=ends[0])
    facts = table.facts[0]
    rest = [table.facts[k] for k in range(1, last + 1)]
    is_class = facts.is_whole and facts.repeats and 1 < facts.n_distinct <= table.n_rows / 2
    has_fractions = sum(not item.is_whole for item in rest) >= 0.9 * len(rest)
    if is_class and has_fractions and len(rest) >= MIN_STEPS_BESIDE_A_LABEL:
        return replace(roles, label=0) if 0 not in roles.ids else roles
    return roles
