"""Data frames of pandas as series, by the rules of files.

Frames of sktime are read, too: with an index of instance and time, or with a series in each cell.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.levels import flat_levels, single_columns
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.table import Table
from unwarp.data.formats.table_layouts import find_layout, read_table
from unwarp.data.formats.wide_tables import order_steps
from unwarp.data.frames import Frame
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.index_times import index_times
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
    if X.columns.nlevels > 1:
        source = read_frame(single_columns(X, path), hints, path)
        return source if source.frame is None else replace(source, frame=Frame.of(X))
    if X.index.nlevels > 1:
        frame, hints = flat_levels(X, hints, path)
        return read_table(as_table(frame, path), hints)
    table = as_table(X, path)
    plain = _plain(X, table) if path == FRAME and not hints.names_table else None
    if plain is not None:
        return plain
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

    An index with names or times is its first column; one of several levels is as many columns.

    Args:
        X: The frame.
        path: The file that it comes from, for messages.
    """
    X = X.reset_index() if X.index.nlevels > 1 else X
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
    if getattr(column.dtype, "kind", "") == "m":  # durations count in seconds, as elsewhere
        return np.asarray(column.dt.total_seconds().to_numpy(np.float64))
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
    columns = [index_times(list(X.iloc[:, k])) for k in range(X.shape[1])]
    first = columns[0]
    for name, times in zip(X.columns, columns, strict=True):
        pairs = zip(first or [], times or [], strict=False)
        is_same = (times is None) == (first is None)
        if not is_same or not all(np.array_equal(a, b) for a, b in pairs):
            raise DataError(
                f"the cells of the columns {X.columns[0]!r} and {name!r} have different times in "
                "their indices; give all channels of a series one index"
            )
    return first
