"""Readings of a table, and signs that several layouts share."""

from __future__ import annotations

from dataclasses import dataclass

from unwarp.data.formats.cells import is_number
from unwarp.data.formats.column_facts import Facts
from unwarp.data.formats.column_names import (
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
    free_columns,
    outside_pattern,
)
from unwarp.errors import DataError

STRONG, FAIR, WEAK = 3, 2, 1
"""Strengths of signs; equally strong ones of two layouts are refused."""

MIN_COLUMNS_OF_WORDS = 5
"""Columns beside a time whose names are words, from which each one is a series."""

MIN_ROWS_OF_AN_AXIS = 5
"""Rows in which numbers that increase evenly can be times."""

MIN_ROWS_OUT_OF_ORDER = 20
"""Rows in which evenly spaced fractions or counts in any order can be times."""

MIN_STEPS_BESIDE_A_LABEL = 16
"""Columns beside whole numbers without a name, from which these are labels."""


@dataclass(frozen=True)
class Candidate:
    """A reading of a table.

    Attributes:
        layout: `wide`, `long` or `columns`.
        roles: Roles of the columns.
        strength: `STRONG`, `FAIR` or `WEAK`.
        evidence: The signs in words, for the description; empty for none.
        condition: Supposition of the reading, for messages, such as `'id' names the series`.
        is_unordered: Whether its times must be sorted or made distinct before it can be read.
    """

    layout: str
    roles: Roles
    strength: int
    evidence: str
    condition: str
    is_unordered: bool = False

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


def axis_of(table: Table, roles: Roles) -> int | None:
    """The index or first column, if it increases or decreases like times.

    Args:
        table: The table.
        roles: Roles so far.
    """
    k = _axis_column(table, roles)
    if k is None or not table.facts[k].is_monotone or table.n_rows < MIN_ROWS_OF_AN_AXIS:
        return None
    facts, is_named = table.facts[k], table.has_names and is_counter_name(table.names[k])
    return k if facts.is_regular or facts.kind == "dates" or is_named else None


def unordered_axis_of(table: Table, roles: Roles) -> int | None:
    """The index or first column, if it holds times in any order.

    Args:
        table: The table.
        roles: Roles so far.
    """
    k = _axis_column(table, roles)
    if k is None or table.facts[k].is_monotone:
        return None
    facts, is_index = table.facts[k], k == roles.index
    if not facts.n_distinct * 2 > table.n_rows >= MIN_ROWS_OF_AN_AXIS:
        return None
    is_named = table.has_names and not is_index and is_counter_name(table.names[k])
    if facts.kind == "dates":
        return k if is_named or is_index or not table.has_names else None
    is_clock = is_named or not facts.is_whole
    is_axis = facts.is_nearly_monotone or (is_clock and _is_dense(facts))
    return k if is_axis and facts.is_regular else None


def _axis_column(table: Table, roles: Roles) -> int | None:
    """The index, or else the first column without a role; None if it holds values."""
    columns = [roles.index] if roles.index is not None else free_columns(table, roles)[:1]
    return next((k for k in columns if k not in roles.values), None)


def _is_dense(facts: Facts) -> bool:
    """Whether there are many cells, of which few are equal."""
    n_rows = len(facts.codes)
    return 0.9 * n_rows <= facts.n_distinct and n_rows >= MIN_ROWS_OUT_OF_ORDER


def are_steps(table: Table, columns: list[int]) -> bool:
    """Whether the names of columns are times, or numbered names of steps.

    Args:
        table: The table.
        columns: The columns.
    """
    outside = outside_pattern(table, columns)
    names = [table.names[k] for k in columns if k not in outside]
    if len(names) < 2 or not table.has_names:
        return False
    stem = stem_of(names)
    is_many = stem is not None and len(names) >= MIN_STEPS_OF_A_PATTERN
    is_series = is_stem_of(stem, SERIES_STEMS) or stem == "well"
    return are_surely_steps(names) or (is_many and not is_series)


def are_surely_steps(names: list[str]) -> bool:
    """Whether names are numbers, dates, or numbered words for steps.

    Args:
        names: The names.
    """
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
