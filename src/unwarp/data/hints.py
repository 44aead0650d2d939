"""Facts about pictures and tables that only their user can know.

A reader that meets two readings of a file takes the one that the hints name, or refuses the file.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from unwarp.core import LayoutName, TableLayout


@dataclass(frozen=True)
class Hints:
    """How to read pictures and tables whose files leave it open.

    `Reading` holds the same fields, as the arguments of `Unwarper`; `as_source` takes hints.

    Attributes:
        layout: Order of the axes of pictures, (N, C, H, W) or (N, H, W, C); `auto` decides by the
            shape and refuses what reads two ways.
        sizes: How to bring pictures of several sizes to one: `pad`, `crop`, or a height and width,
            as `(64, 64)` or `64x64`; None refuses several sizes.
        image_shape: Shape (H, W) or (C, H, W) of a flattened picture; None if unknown.
        member: Name of the array in a file that holds several; empty for the only one.
        frame: Height and width that a model takes, for `pad` and `crop`; None to find them from the
            pictures.
        table: Layout of a table: `wide` for a row per series, `long` for a row per series and time,
            `columns` for a column per series; `auto` decides by the names and cells of columns.
        id_column: Name of the column that names the series; None to find it. Without column
            names, columns are numbered from 1.
        time_column: Name of the column of times; None to find it.
        value_columns: Names of the columns of values; None for all columns without another role.
        label_column: Name of the column of labels; None to find it.

    >>> Hints(sizes="pad").sizes
    'pad'
    """

    layout: LayoutName = "auto"
    sizes: str | tuple[int, int] | None = None
    image_shape: tuple[int, ...] | None = None
    frame: tuple[int, int] | None = None
    member: str = ""
    table: TableLayout = "auto"
    id_column: str | None = None
    time_column: str | None = None
    value_columns: tuple[str, ...] | None = None
    label_column: str | None = None

    @classmethod
    def of(cls, options: Any, frame: tuple[int, int] | None = None) -> Hints:
        """The hints among the options of a reading or of an estimator.

        Args:
            options: An object with an attribute of each name.
            frame: Height and width that a model takes; None if unknown.
        """
        names = {item.name for item in fields(cls)} - {"frame", "member", "value_columns"}
        columns = options.value_columns
        columns = None if columns is None else tuple(map(str, columns))
        values = {name: getattr(options, name) for name in names}
        return cls(**values, frame=frame, value_columns=columns)

    def record(self) -> dict[str, Any]:
        """The hints that the user gives, as JSON values by name.

        >>> Hints(sizes=(12, 12)).record()
        {'sizes': [12, 12]}
        """
        pairs = ((item.name, getattr(self, item.name), item.default) for item in fields(self))
        plain = ((name, np.asarray(value).tolist(), default) for name, value, default in pairs)
        return {name: value for name, value, default in plain if value != default}

    @property
    def names_table(self) -> bool:
        """Whether the user says something about a table."""
        columns = (self.id_column, self.time_column, self.value_columns, self.label_column)
        return self.table != "auto" or any(column is not None for column in columns)


NO_HINTS = Hints()
"""Nothing but the file decides how it is read."""
