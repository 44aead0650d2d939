"""Signs of the layout of a table, and how strong they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unwarp.data.formats.cells import is_number
from unwarp.data.formats.column_names import (
    ID_NAMES,
    SERIES_STEMS,
    STEP_STEMS,
    is_counter_name,
    is_stem_of,
    stem_of,
)
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.long_tables import series_of_rows
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
    outside_pattern,
    pattern_of,
    refine_ids,
    strong_time,
    with_values,
)
from unwarp.errors import DataError

STRONG, FAIR, WEAK = 3, 2, 1
"""Strengths of signs; equally strong ones of two layouts are refused."""

MIN_COLUMNS_OF_WORDS = 5
"""Columns beside a time whose names are words, from which each one is a series."""

MIN_ROWS_OF_AN_AXIS = 5
"""Rows in which numbers that increase evenly can be times."""

MIN_ROWS_OF_A_RESTART = 3
"""Mean number of rows of a series whose times restart."""

MIN_STEPS_BESIDE_A_LABEL = 16
"""Columns beside whole numbers without a name, from which these are labels."""

MIN_ROWS_PER_COLUMN = 20
"""Rows for each of few columns from which a row is hardly a series."""

MIN_STEPS_WITHOUT_NAMES = 10
"""Mean number of rows from which a first column without a name is an id."""

CLOCK_STEMS_TEXT = """
t time step steps h hr hrs hour hours min minute q quarter slot
"""
CLOCK_STEMS = frozenset(CLOCK_STEMS_TEXT.split())
"""Beginnings of numbered names of steps within a day or a trial."""


@dataclass(frozen=True)
class Candidate:
    """A reading of a table.

    Attributes:
        layout: `wide`, `long` or `columns`.
        roles: Roles of the columns.
        strength: `STRONG`, `FAIR` or `WEAK`.
        evidence: The signs in words, for the description; empty for none.
        condition: Supposition of the reading, for messages, such as `'id' names the series`.
    """

    layout: str
    roles: Roles
    strength: int
    evidence: str
    condition: str

    def numbers(self, table: Table) -> str:
        """Numbers of series, steps and channels in words.

        Args:
            table: The table.
        """
        n_values, n_rows = len(self.roles.values), table.n_rows
        if self.layout == "wide":
            return f"{n_rows:,} series of {n_values:,} steps"
        if self.layout == "columns":
            return f"{n_values:,} series of {n_rows:,} steps"
        n_series = int(series_of_rows(table, self.roles)[1].max()) + 1
        channels = f"{n_values} channel{'s'[: n_values > 1]}"
        return f"{n_series:,} series of {n_rows / n_series:,.4g} steps of {channels}"


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
    if strength == STRONG and roles.time is None and _are_steps(table, roles.values):
        strength = FAIR
    return Candidate("long", roles, strength, *_id_words(table, roles))


def _find_ids(table: Table, roles: Roles, time: int | None) -> tuple[tuple[int, ...], int]:
    """Columns that name the series of a long table, and the strength of the signs."""
    names = named_ids(table, roles)
    repeating = [k for k in names if table.facts[k].repeats]
    if repeating:
        return combine_ids(table, repeating, time), STRONG
    if names and time is not None and not _are_steps(table, number_columns(table, roles)):
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
    name = table.names[roles.time]
    evidence = f"{name!r} restarts {n_series - 1:,} times"
    return Candidate("long", with_values(table, roles), STRONG, evidence, f"{name!r} restarts")


def _id_words(table: Table, roles: Roles) -> tuple[str, str]:
    """Evidence and supposition of ids."""
    names = " and ".join(repr(table.names[k]) for k in roles.ids)
    counts = np.bincount(codes_of(table, roles.ids))
    times = f"{counts.min():,}" + (f" to {counts.max():,}" if np.ptp(counts) else "")
    verb = "repeat" if len(roles.ids) > 1 else "repeats"
    is_repeated = counts.max() > 1
    evidence = f"{names} {verb} {times} times each" if is_repeated else ""
    return evidence, f"{names} {'name' if len(roles.ids) > 1 else 'names'} the series"


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


def axis_of(table: Table, roles: Roles) -> int | None:
    """The index or the first column, if it increases like times.

    Args:
        table: The table.
        roles: Roles so far.
    """
    columns = [roles.index] if roles.index is not None else free_columns(table, roles)[:1]
    for k in columns:
        facts = table.facts[k]
        if k in roles.values or not facts.is_increasing or table.n_rows < MIN_ROWS_OF_AN_AXIS:
            continue
        is_named = table.has_names and is_counter_name(table.names[k])
        if facts.is_even or facts.kind == "dates" or is_named:
            return k
    return None


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
    if table.has_names and _are_surely_steps(names):
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
    if _are_steps(table, values):
        strength = FAIR if stem_of(names) is not None and _has_rival(table, roles) else STRONG
        evidence = f"{names[0]!r} to {names[-1]!r} name time steps"
        return Candidate("wide", roles, strength, evidence, condition)
    stem = stem_of(names)
    is_series = is_stem_of(stem, SERIES_STEMS)
    return Candidate("wide", roles, WEAK if is_series else FAIR, "", condition)


def _has_rival(table: Table, roles: Roles) -> bool:
    """Whether ids repeat or times increase beside numbered names."""
    stem = stem_of([table.names[k] for k in roles.values])
    time = strong_time(table, Roles())
    if time is not None and table.facts[time].is_increasing:
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


def _are_steps(table: Table, columns: list[int]) -> bool:
    """Whether the names of columns are times, or numbered names of steps."""
    outside = outside_pattern(table, columns)
    names = [table.names[k] for k in columns if k not in outside]
    if len(names) < 2 or not table.has_names:
        return False
    stem = stem_of(names)
    is_many = stem is not None and len(names) >= MIN_STEPS_OF_A_PATTERN
    is_series = is_stem_of(stem, SERIES_STEMS) or stem == "well"
    return _are_surely_steps(names) or (is_many and not is_series)


def _are_surely_steps(names: list[str]) -> bool:
    """Whether names are numbers or dates, or begin with a word for steps."""
    if len(names) < 2:
        return False
    is_axis = all(map(is_number, names)) or all(map(is_date, names))
    return is_axis or is_stem_of(stem_of(names), STEP_STEMS)


def refuse_one_recording(table: Table, candidate: Candidate) -> None:
    """Refuse few columns that may be channels of one series.

    Args:
        table: The table.
        candidate: Its reading with a column per series.

    Raises:
        DataError: Both readings are possible.
    """
    values, time = candidate.roles.values, candidate.roles.time
    if time is None or not table.has_names or table.n_rows < 1:
        return
    names = [table.names[k] for k in values]
    if stem_of(names) is not None or "." in names[0] or len(names) >= MIN_COLUMNS_OF_WORDS:
        return
    if len(names) == 1 and table.n_rows > 2:
        return
    listed, name = ", ".join(names), table.names[time]
    raise DataError(
        f"{table.path} has a column {name!r}, which reads two ways: {len(names)} series of "
        f"{table.n_rows:,} steps ({listed}), set table='columns'; or one recording of {len(names)} "
        "channels, put it in a folder with the other recordings, or add a column 'id' that names "
        "the series"
    )
