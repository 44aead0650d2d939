"""Tables of text cells, and column names that tell roles.

The role of a column is what it holds: the id of the series, the time, the channel, the label or
values. The names include those of common libraries: `unique_id` and `ds` of Nixtla's packages,
`case_id`, `dim_id`, `reading_id` and `class_val` of sktime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.formats.cells import is_missing, parse_labels, parse_numbers
from unwarp.errors import DataError

ID_NAMES = (
    "id",
    "series_id",
    "sample_id",
    "case_id",
    "unique_id",
    "series",
    "sample",
    "case",
    "trial",
)
TIME_NAMES = (
    "time",
    "t",
    "timestamp",
    "time_stamp",
    "datetime",
    "date",
    "ds",
    "reading_id",
    "seconds",
)
CHANNEL_NAMES = ("channel", "channel_id", "dim_id", "dimension", "dim", "variable")
LABEL_NAMES = ("label", "class", "class_val", "target")
"""Column names of each role, in lower case; messages use the first name of a role."""

WIDE_LABEL_NAMES = (*LABEL_NAMES, "y")
"""Names of the column of labels in a wide table; in a long table `y` is a channel."""

INDEX_NAMES = ("",)
"""Name of the column in which pandas writes the index of a frame."""

INDEX_IGNORED = ", column without a name ignored"
"""End of the description of a table with a pandas index besides the ids of the series."""


@dataclass(frozen=True)
class Table:
    """Named columns of text cells.

    The readers of `.csv` and `.parquet` files return a table, and `read_table` converts it to
    series.

    Attributes:
        path: The file, for error messages.
        names: Name of each column.
        columns: Cells of each column; all columns have as many cells as there are rows.
        row_locations: Location of each row in words, such as `line 7` or `row 7`.
        has_names: Whether the file names its columns. If not, `names` are the numbers 1, 2, 3, ...
            and no column has a role.

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
    columns: Sequence[Sequence[str]]
    row_locations: list[str]
    has_names: bool = True

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
        return parse_numbers(self.columns[column], lambda row: self.locate(row, column))

    def texts(self, column: int) -> list[str]:
        """The cells of a column; a missing cell is refused.

        Args:
            column: Index of the column, from 0.

        Returns:
            Cells (rows) without blanks at their ends.

        Raises:
            DataError: A cell is missing.
        """
        cells = [cell.strip() for cell in self.columns[column]]
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
        return parse_labels(self.columns[column], lambda row: self.locate(row, column))

    def describe_roles(self, **columns: int | None) -> str:
        """Part of the description of a source: the column of each role.

        Args:
            columns: Index of the column of each role; None if no column has the role.

        Returns:
            The roles and the names of their columns, such as `, name 'id', label 'class'`.
        """
        columns_of_roles = [(role, k) for role, k in columns.items() if k is not None]
        return "".join(f", {role} {self.names[k]!r}" for role, k in columns_of_roles)
