"""Data frames of pandas as series, by the rules of files.

Frames of sktime are read, too: with an index of instance and time, or with a series in each cell.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.table import Table
from unwarp.data.formats.table_layouts import find_layout, read_table
from unwarp.data.formats.wide_tables import order_steps
from unwarp.data.frames import Frame
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.source import Source
from unwarp.errors import DataError

FRAME = Path("X")
"""Stands for the path of a frame in messages."""


def is_frame(X: Any) -> bool:
    """Whether an object is a data frame of pandas.

    Args:
        X: Samples of any form.
    """
    return type(X).__name__ == "DataFrame" and type(X).__module__.startswith("pandas")


def read_frame(X: Any, hints: Hints = NO_HINTS, path: Path = FRAME) -> Source:
    """Read a data frame as series.

    Args:
        X: The frame: wide, long, with a column per series, with an index of instance and time, or
            with a series in each cell.
        hints: The user's hints: the layout and the names of columns.
        path: The file that the frame comes from, for messages.

    Returns:
        The series, as `read_table` returns them. A frame of numbers alone with a row per series
        stays as it is.

    Raises:
        DataError: The frame has no values, a value is not a number, or it reads two ways.
        ConfigError: The hints do not fit the frame.
    """
    if not X.shape[0] or not X.shape[1]:
        return Source(X)
    if _is_nested(X):
        return _read_nested(X, path)
    if X.index.nlevels > 1:
        return _read_levels(X, hints, path)
    table = as_table(X, path)
    if path == FRAME and not hints.names_table and (source := _plain(X, table)) is not None:
        return source
    source = read_table(table, hints)
    layout = find_layout(table, hints)
    if layout.layout != "wide":
        return source
    steps, offset = order_steps(table, layout.roles.values)[0], len(table.names) - X.shape[1]
    is_whole = len(steps) == X.shape[1]
    return replace(
        source, frame=Frame.of(X.iloc[:, [k - offset for k in steps]] if is_whole else X)
    )


def as_table(X: Any, path: Path = FRAME) -> Table:
    """A data frame as a table.

    An index with names or times is its first column.

    Args:
        X: The frame.
        path: The file that it comes from, for messages.
    """
    names, columns = [str(name) for name in X.columns], [X.iloc[:, k] for k in range(X.shape[1])]
    index = X.index
    has_words = index.name is not None or index.inferred_type not in ("integer", "mixed-integer")
    if has_words:
        names = ["" if index.name is None else str(index.name), *names]
        columns = [index.to_series(), *columns]
    cells = [_cells(column) for column in columns]
    return Table(path, names, cells, [f"row {k}" for k in range(1, len(X) + 1)])


def _cells(column: Any) -> list[str] | Array:
    """Cells of a column as numbers, or as text."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) and not _is_complex(column):
        return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    is_missing = column.isna().to_numpy()
    pairs = zip(column, is_missing, strict=True)
    return ["" if missing else str(cell) for cell, missing in pairs]


def _is_complex(column: Any) -> bool:
    return getattr(column.dtype, "kind", "") == "c"


def _plain(X: Any, table: Table) -> Source | None:
    """The frame itself, if it has a row per series and nothing but numbers; else None."""
    layout = find_layout(table)
    n_columns, offset = X.shape[1], len(table.names) - X.shape[1]
    values = list(range(offset, offset + n_columns))
    if layout.layout != "wide" or layout.roles.values != values:
        return None
    steps, times, words = order_steps(table, values)
    if steps != values or words:
        return None
    if any(isinstance(table.columns[k], list) for k in values):
        return Source(X, frame=Frame.of(X))
    names = table.texts(0) if offset else None
    return Source(X, names=names, times=times, frame=Frame.of(X))


def _read_levels(X: Any, hints: Hints, path: Path) -> Source:
    """A frame with an index of instances and times as a long table."""
    frame = X.copy(deep=False)
    levels = [str(name) if name is not None else "" for name in frame.index.names]
    defaults = ["id", *(f"id_{k}" for k in range(2, len(levels))), "time"]
    names = [name or default for name, default in zip(levels, defaults, strict=True)]
    columns = {str(name) for name in frame.columns}
    names = [name if name not in columns else f"index_{name}" for name in names]
    frame.index = frame.index.set_names(names)
    if len(names) > 2:
        parts = [frame.index.get_level_values(k).astype(str) for k in range(len(names) - 1)]
        joint = ["-".join(cells) for cells in zip(*parts, strict=True)]
        frame = frame.droplevel(list(range(len(names) - 1)))
        frame.insert(0, names[0], joint)
        frame = frame.reset_index()
    else:
        frame = frame.reset_index()
    hints = replace(
        hints,
        table="long",
        id_column=hints.id_column or names[0],
        time_column=hints.time_column or names[-1],
    )
    return read_table(as_table(frame, path), hints)


def _is_nested(X: Any) -> bool:
    """Whether the cells of a frame are series."""
    if any(str(dtype) != "object" for dtype in X.dtypes):
        return False
    return all(np.ndim(cell) == 1 and not isinstance(cell, str) for cell in X.iloc[0])


def _read_nested(X: Any, path: Path) -> Source:
    """A frame with a series in each cell: a row per series, a column per channel."""
    series = []
    for k, row in enumerate(X.itertuples(index=False)):
        lengths = {len(cell) for cell in row}
        if len(lengths) > 1:
            raise DataError(
                f"{path}, row {k + 1} has channels of {', '.join(map(str, sorted(lengths)))} "
                "steps; give all channels of a series one length"
            )
        series.append(np.stack([np.asarray(cell, np.float64) for cell in row]))
    channels = tuple(map(str, X.columns))
    words = f"a series in each cell, channels {', '.join(channels)}"
    names = None if X.index.inferred_type == "integer" else [str(name) for name in X.index]
    return series_source(series, None, words, names, _times_of_cells(X), channels)


def _times_of_cells(X: Any) -> list[Array] | None:
    """Times of nested series from the indices of their cells; None if these only count."""
    cells = list(X.iloc[:, 0])
    if not all(hasattr(cell, "index") and hasattr(cell, "iloc") for cell in cells):
        return None
    stamps = [np.asarray(cell.index) for cell in cells]
    if any(row.dtype.kind not in "iuf" for row in stamps):
        return None
    if all((row == np.arange(len(row))).all() for row in stamps):
        return None
    return [row.astype(np.float64) for row in stamps]
