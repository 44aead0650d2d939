"""The layout of a table: wide, long, or a column per series.

Three functions look for the signs of a layout each and say how strong they are.
The strongest reading is taken, and its evidence is told; two equally strong ones are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from unwarp.data.formats.column_names import LABEL_NAMES, WIDE_LABEL_NAMES
from unwarp.data.formats.column_signs import signs_of_columns
from unwarp.data.formats.column_tables import read_columns
from unwarp.data.formats.layout_signs import Candidate, refuse_one_recording
from unwarp.data.formats.long_signs import signs_of_long
from unwarp.data.formats.long_tables import read_long
from unwarp.data.formats.table import Roles, Table
from unwarp.data.formats.table_roles import roles_of_hints, strong_time
from unwarp.data.formats.wide_signs import signs_of_wide
from unwarp.data.formats.wide_tables import read_wide
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

READERS: Mapping[str, Callable[[Table, Roles, str], Source]] = {
    "wide": read_wide,
    "long": read_long,
    "columns": read_columns,
}
"""Functions that convert a table to series, by its layout."""

SIGNS: Mapping[str, Callable[[Table, Roles], Candidate | None]] = {
    "long": signs_of_long,
    "columns": signs_of_columns,
    "wide": signs_of_wide,
}
"""Functions that look for the signs of a layout."""

NOT_OF_LAYOUT = {"wide": ("time_column",), "columns": ("id_column", "label_column")}
"""Options that have no meaning in a layout."""


def read_table(table: Table, hints: Hints = NO_HINTS) -> Source:
    """Convert a table to series.

    Args:
        table: The table.
        hints: The user's hints: the layout and the names of columns.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i), with names, labels and times if the
        table has them. The description names the columns that were read as names, times and
        labels, and the evidence for the layout.

    Raises:
        DataError: The table reads two ways, a cell is not a number, a time occurs twice in a
            series, or a label changes within a series.
        ConfigError: The hints do not fit the table.
    """
    candidate = find_layout(table, hints)
    return READERS[candidate.layout](table, candidate.roles, candidate.evidence)


def find_layout(table: Table, hints: Hints = NO_HINTS) -> Candidate:
    """The layout of a table with the roles of its columns.

    Args:
        table: The table.
        hints: The user's hints.

    Raises:
        DataError: The table reads two ways.
        ConfigError: The hints do not fit the table.
    """
    roles = roles_of_hints(table, hints)
    layout = "wide" if hints.image_shape is not None and hints.table == "auto" else hints.table
    if layout != "auto":
        return _with_layout(table, roles, layout, hints)
    candidates = _candidates(table, roles)
    best = max(candidates, key=lambda candidate: candidate.strength)
    rivals = [item for item in candidates if item.strength == best.strength]
    unordered = [item for item in candidates if item.is_unordered]
    if unordered and best.layout != "long":
        rivals = [*unordered, *(item for item in candidates if item.layout == "wide")]
    if len(rivals) > 1:
        raise DataError(_describe_rivals(table, rivals))
    if best.layout == "columns" and roles.time is None:
        refuse_one_recording(table, best)
    return best


def _candidates(table: Table, roles: Roles) -> list[Candidate]:
    """The readings of a table that the roles of the user allow."""
    candidates: list[Candidate] = []
    errors: list[DataError] = []
    for name in SIGNS:
        try:
            item = SIGNS[name](table, _with_label(table, roles, name))
        except DataError as error:  # two columns could have one role in this layout
            errors.append(error)
            continue
        candidates += [item] if item is not None and item.strength else []
    if roles.time is not None:
        candidates = [item for item in candidates if item.layout != "wide"]
    if not candidates and errors:
        raise errors[0]
    if not candidates:
        name = table.names[roles.time] if roles.time is not None else ""
        raise DataError(
            f"{table.path} has a column {name!r} of times, but the times neither increase nor "
            "restart, and no column names the series; name it with id_column"
        )
    return candidates


def _with_layout(table: Table, roles: Roles, layout: str, hints: Hints) -> Candidate:
    """The reading of a layout that the user names."""
    for option in NOT_OF_LAYOUT.get(layout, ()):
        if (name := getattr(hints, option)) is not None:
            raise ConfigError(
                f"{option}={name!r} has no meaning with table={layout!r}; leave it out"
            )
    if layout == "columns" and roles.time is None:
        roles = replace(roles, time=strong_time(table, roles))
    candidate = SIGNS[layout](table, _with_label(table, roles, layout))
    if candidate is None:
        reason = "it has no column of numbers"
        if layout == "long":
            reason = "no ids repeat and no times restart; name the column of ids with id_column"
        raise DataError(f"{table.path} cannot be read with table={layout!r}: {reason}")
    return replace(candidate, evidence=f"table={layout!r}")


def _with_label(table: Table, roles: Roles, layout: str) -> Roles:
    """Roles with the column that has the name of labels, if the layout has labels."""
    if roles.label is not None or layout == "columns":
        return roles
    names = WIDE_LABEL_NAMES if layout == "wide" else LABEL_NAMES
    label = table.find_column(names)
    return roles if label is None or label in roles.values else replace(roles, label=label)


def _describe_rivals(table: Table, rivals: list[Candidate]) -> str:
    """The error message for a table that reads two ways."""
    readings = "; ".join(
        f"{item.numbers(table)} if {item.condition} (table={item.layout!r})" for item in rivals
    )
    return (
        f"{table.path} reads {'two' if len(rivals) == 2 else 'three'} ways: {readings}; set "
        "one of these, or name columns with id_column, time_column or label_column"
    )
