"""Tables of cells with facts about their columns, and roles of columns.

The role of a column is what it holds: the id of the series, the time, the channel, the label or
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.formats.cells import is_missing, parse_labels, parse_numbers, parse_times
from unwarp.data.formats.column_facts import Facts
from unwarp.data.formats.column_names import INDEX_NAMES
from unwarp.data.formats.dates import offsets_of
from unwarp.data.formats.time_units import in_seconds, unit_of
from unwarp.data.time_stamps import local_times
from unwarp.errors import DataError

INDEX_IGNORED = ", column without a name ignored"
"""End of the description of a table with a pandas index besides the ids of the series."""


@dataclass(frozen=True)
class Table:
    """Named columns of cells.

    The readers of text files, of `.parquet` files and of data frames return a table, and
    `read_table` converts it to series.

    Attributes:
        path: The file, for error messages.
        names: Name of each column.
        columns: Cells of each column, as text or as an array of numbers; all columns have as many
            cells as there are rows.
        row_locations: Location of each row in words, such as `line 7` or `row 7`.
        has_names: Whether the file names its columns. If not, `names` are the numbers 1, 2, 3, ...
            and no column has a role by its name.
        notes: Decisions of the reader in words, for the description.
        units: Units of the columns, from a row of them; empty without such a row.

    >>> table = Table(Path("a.csv"), ["id", "x"], [["u", "v"], ["1", "?"]], ["line 2", "line 3"])
    >>> table.find_column(("id", "case"))
    0
    >>> table.values(1)
    array([ 1., nan])
    >>> table.locate(1, 1)
    "a.csv, line 3, column 'x'"
    >>> table.describe_roles(name=0, label=None)
    ", name 'id'"
    """

    path: Path
    names: list[str]
    columns: Sequence[Sequence[str] | Array]
    row_locations: Sequence[str]
    has_names: bool = True
    notes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_locations)

    @cached_property
    def facts(self) -> list[Facts]:
        """Facts about each column."""
        return [Facts(cells) for cells in self.columns]

    def find_column(self, names: tuple[str, ...]) -> int | None:
        """Find the column of a role by its name, ignoring case.

        Args:
            names: The column names of the role, in lower case, such as `ID_NAMES`.

        Returns:
            Index of the column; None if there is none, or if the file does not name its columns.

        Raises:
            DataError: Several columns have one of the names.
        """
        columns = [
            k
            for k, name in enumerate(self.names)
            if self.has_names and name.strip().lower() in names
        ]
        if len(columns) > 1:
            candidates = " and ".join(repr(self.names[k]) for k in columns)
            raise DataError(
                f"{self.path}: the columns {candidates} could both be the {names[0]}; "
                "rename or remove one"
            )
        return columns[0] if columns else None

    def locate(self, row: int, column: int) -> str:
        """Location of a cell in words, for messages.

        Args:
            row: Index of the row, from 0.
            column: Index of the column, from 0.

        Returns:
            File, line and name of the column, such as `a.csv, line 3, column 'x'`.
        """
        return f"{self.path}, {self.row_locations[row]}, column {self.names[column]!r}"

    def values(self, column: int) -> NDArray[np.float64]:
        """Convert a column to numbers, with NaN for missing values.

        Args:
            column: Index of the column, from 0.

        Returns:
            Values (rows,), float64.

        Raises:
            DataError: A cell is neither a number nor missing.
        """
        cells, numbers = self.columns[column], self.facts[column].numbers
        if numbers is not None:
            return numbers
        return parse_numbers([*map(str, cells)], lambda row: self.locate(row, column))

    def times(self, column: int) -> NDArray[np.float64]:
        """Convert a column to time stamps.

        Args:
            column: Index of the column, from 0.

        Returns:
            Times (rows,), float64; dates in seconds since 1970, and numbers in seconds if the
            column has a unit of time (`time_unit`).

        Raises:
            DataError: A cell is missing, or neither a number nor a date.
        """
        numbers = self.facts[column].numbers
        if numbers is not None and np.isfinite(numbers).all():
            return in_seconds(numbers, self.time_unit(column))
        cells = [as_text(cell) for cell in self.columns[column]]
        return parse_times(cells, lambda row: self.locate(row, column))

    def time_unit(self, column: int) -> str | None:
        """The unit of time of a column, as `unwarp.data.formats.time_units.unit_of` names it.

        Args:
            column: Index of the column, from 0.

        Returns:
            The unit in the name of the column, or else in the row of units; None if there is none.
        """
        unit = unit_of(self.names[column]) if self.has_names else None
        return unit or (unit_of(self.units[column]) if self.units else None)

    def offsets(self, column: int) -> NDArray[np.float64] | None:
        """Differences of the clock of a column of dates from UTC.

        Args:
            column: Index of the column, from 0.

        Returns:
            Seconds (rows,), positive east of Greenwich; None if a cell names none.
        """
        if self.facts[column].numbers is not None:
            return None
        offsets = offsets_of([as_text(cell) for cell in self.columns[column]])
        return None if offsets is None else np.array(offsets)

    def local_times(self, column: int) -> NDArray[np.float64]:
        """The times of one series by its local clock.

        Args:
            column: Index of the column, from 0.

        Returns:
            Times (rows,), as `times` and `unwarp.data.time_stamps.local_times` return them.
        """
        times, offsets = self.times(column), self.offsets(column)
        return times if offsets is None else local_times(times, offsets)

    def texts(self, column: int) -> list[str]:
        """The cells of a column; a missing cell is refused.

        Args:
            column: Index of the column, from 0.

        Returns:
            Cells (rows) without blanks at their ends.

        Raises:
            DataError: A cell is missing.
        """
        cells = [as_text(cell).strip() for cell in self.columns[column]]
        missing = next((row for row, cell in enumerate(cells) if is_missing(cell)), None)
        if missing is not None:
            raise DataError(f"{self.locate(missing, column)} is missing; fill it in for every row")
        return cells

    def labels(self, column: int) -> Array:
        """Convert a column to labels, as `parse_labels` does.

        Args:
            column: Index of the column, from 0.

        Returns:
            Labels (rows,): int64, float64 or str.

        Raises:
            DataError: A label is missing.
        """
        cells = [as_text(cell) for cell in self.columns[column]]
        return parse_labels(cells, lambda row: self.locate(row, column))

    def describe_roles(self, **columns: int | None) -> str:
        """Part of the description of a source: the column of each role.

        Args:
            columns: Index of the column of each role; None if no column has the role.

        Returns:
            The roles and the names of their columns, such as `, name 'id', label 'class'`.
        """
        columns_of_roles = [(role, k) for role, k in columns.items() if k is not None]
        units = {"time": self._describe_unit(columns.get("time"))}
        return "".join(
            f", {role} {self.names[k]!r}{units.get(role, '')}" for role, k in columns_of_roles
        )

    def _describe_unit(self, column: int | None) -> str:
        """What was done to the unit of a column of times, in words; empty for nothing."""
        if column is None or self.facts[column].numbers is None:
            return ""
        unit = self.time_unit(column)
        return "" if unit in (None, "s") else f" ({unit}, converted to seconds)"


def as_text(cell: object) -> str:
    """A cell as text; whole numbers of an array lose their point.

    Args:
        cell: Text, or a number of an array.

    >>> as_text(np.float64(2.0)), as_text("2.0")
    ('2', '2.0')
    """
    if isinstance(cell, float | np.floating):
        return repr(int(cell)) if float(cell).is_integer() else repr(float(cell))
    return str(cell)


@dataclass(frozen=True)
class Roles:
    """Roles of the columns of a table, by their index.

    Attributes:
        ids: Columns that name the series, together.
        time: Column of times; None if there is none.
        channel: Column that names the channel of a row; None if there is none.
        label: Column of labels; None if there is none.
        index: Column without a name, such as the index of pandas; None if there is none.
        values: Columns of values.
        ignored: Columns that are not read.
    """

    ids: tuple[int, ...] = ()
    time: int | None = None
    channel: int | None = None
    label: int | None = None
    index: int | None = None
    values: list[int] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)

    @property
    def with_roles(self) -> set[int]:
        """Columns with a role other than values."""
        single = (self.time, self.channel, self.label, self.index)
        return {*self.ids, *(k for k in single if k is not None)}


def ignored_words(table: Table, roles: Roles) -> str:
    """End of the description: columns that are not read.

    Args:
        table: The table.
        roles: Roles of its columns.
    """
    names = [repr(table.names[k]) for k in roles.ignored]
    more = "" if len(names) < 6 else f" and {len(names) - 5} more"
    words = f", {', '.join(names[:5])}{more} ignored" if names else ""
    is_unread = roles.index is not None and roles.index not in roles.ids
    return words + (INDEX_IGNORED if is_unread and roles.index != roles.time else "")


def find_index(table: Table) -> int | None:
    """Index of the column without a name, or None.

    Args:
        table: The table.
    """
    return table.find_column(INDEX_NAMES)
