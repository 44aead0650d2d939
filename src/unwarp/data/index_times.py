"""Times of the steps of series from the indices of pandas.

A `pandas.Series` in a list of series, or in a cell of a data frame, has an index. Numbers that do
not just count, dates and durations in it are the times of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import is_number
from unwarp.data.formats.dates import is_date
from unwarp.data.time_stamps import as_times
from unwarp.errors import DataError

DROP = "[row.reset_index(drop=True) for row in X]"
TEXT = "pd.to_numeric or pd.to_datetime"
MEND = (
    "if it has the times, set times=[row.index for row in X]; if it only numbers rows, drop it, as "
    f"{DROP}"
)


def is_series(x: Any) -> bool:
    """Whether an object is a series of pandas.

    Args:
        x: Any object.
    """
    return type(x).__name__ == "Series" and type(x).__module__.startswith("pandas")


def refuse_frames(X: Any) -> None:
    """Refuse a list with data frames, whose rows read two ways.

    Args:
        X: Samples of any form.

    Raises:
        DataError: A sample is a data frame.
    """
    for i, row in enumerate(_rows_of(X)):
        if type(row).__name__ == "DataFrame" and type(row).__module__.startswith("pandas"):
            raise DataError(
                f"sample {i} of X is a data frame of {row.shape[0]} rows and {row.shape[1]} "
                "columns, which reads two ways: rows are steps, or channels; give one table, as "
                "pd.concat(X, keys=range(len(X)), names=['id']).reset_index('id'), or arrays: "
                "[frame.to_numpy().T for frame in X] if rows are steps, [frame.to_numpy() for "
                "frame in X] if they are channels or lines of pictures"
            )


def index_times(X: Any) -> list[Array] | None:
    """Times of series from their indices.

    Args:
        X: Samples of any form.

    Returns:
        N arrays (T_i,), dates and durations in seconds; None if `X` is no list with series of
        pandas, or their indices have words or count 0, 1, 2, ... or 1, 2, 3, ...

    Raises:
        DataError: The indices read two ways, do not increase, or are of several kinds.

    >>> import pandas as pd
    >>> index_times([pd.Series([3.0, 4.0], index=pd.to_timedelta([0, 90], unit="s"))])
    [array([ 0., 90.])]
    """
    rows = _rows_of(X)
    if not any(map(is_series, rows)):
        return None
    indices = [_index_of(row, i) if is_series(row) else None for i, row in enumerate(rows)]
    kinds = [None if index is None else _kind(index) for index in indices]
    if all(kind in (None, "words", "count") for kind in kinds):
        return None
    if set(kinds) == {"count", "whole"}:  # some of the numbers may just begin at 0
        kinds = ["whole"] * len(kinds)
    for i, (index, kind) in enumerate(zip(indices, kinds, strict=True)):
        _check_index(index, kind, kinds[0], i)
    stamps = [np.asarray(index) for index in indices]
    if kinds[0] == "whole":
        _refuse_row_numbers(stamps)
    times = as_times(stamps)
    assert isinstance(times, list)
    return times


def _check_index(index: Any, kind: str | None, first: str | None, i: int) -> None:
    """Refuse an index of another kind than the first, of texts, or one that does not increase."""
    drop = f"or drop it, as {DROP}"
    if kind != first:
        raise DataError(
            f"sample {i} has {_words(kind)}, sample 0 has {_words(first)}; give all series one "
            f"kind of index, {drop}"
        )
    if kind == "texts":
        raise DataError(
            f"the index of sample {i} has {_words(kind)}; convert it with {TEXT}, {drop}"
        )
    if not (index.is_monotonic_increasing and index.is_unique) or index.hasnans:
        raise DataError(
            f"the index of sample {i} has {_words(kind)} that do not increase; sort it, {drop}"
        )


def _rows_of(X: Any) -> list[Any] | tuple[Any, ...]:
    """The entries of a list, a tuple or an array (N,) of objects; none of anything else."""
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        return list(X)
    return X if isinstance(X, list | tuple) else []


def _index_of(row: Any, i: int) -> Any:
    """The index of a series, without levels that have one value."""
    import pandas as pd

    index = row.index
    if index.nlevels > 1:
        levels = [index.get_level_values(k) for k in range(index.nlevels)]
        varying = [level for level in levels if level.nunique(dropna=False) > 1] or levels[-1:]
        if len(varying) > 1:
            raise DataError(
                f"the index of sample {i} has {len(varying)} levels, and each could have the "
                f"times; keep one, as row.droplevel(0), or drop it, as row.reset_index(drop=True)"
            )
        index = varying[0]
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def _kind(index: Any) -> str:
    """The kind of an index: count, whole, numbers, dates, durations, texts or words."""
    kind = index.inferred_type
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        values = np.asarray(index, np.float64)
        if values[:1].tolist() in ([0.0], [1.0]) and (np.diff(values) == 1).all():
            return "count"
        return "whole" if kind == "integer" else "numbers"
    if kind in ("datetime64", "datetime", "date"):
        return "dates"
    if kind in ("timedelta64", "timedelta"):
        return "durations"
    texts = [str(name) for name in index]
    if not texts or not all(is_number(text) or is_date(text) for text in texts):
        return "words"
    is_count = texts in ([str(k + start) for k in range(len(texts))] for start in (0, 1))
    return "count" if is_count else "texts"


def _words(kind: str | None) -> str:
    """A kind of index in words."""
    words = {None: "no index", "count": "an index that counts steps"}
    words |= {"whole": "whole numbers as index", "texts": "numbers or dates as texts"}
    return words.get(kind, f"{kind} as index")


def _refuse_row_numbers(rows: Sequence[Array]) -> None:
    """Refuse whole numbers that could number the rows of a table that the series come from."""
    n_values = sum(map(len, rows))
    is_disjoint = len(rows) > 1 and len(np.unique(np.concatenate(rows))) == n_values
    is_counting = all((np.diff(row) == 1).all() for row in rows)
    starts = {int(row[0]) for row in rows if len(row)}
    if is_disjoint or (is_counting and (len(starts) > 1 or len(rows) == 1)):
        is_telling = [len(row) > 0 and row[0] not in (0, 1) for row in rows]
        i = is_telling.index(True) if any(is_telling) else int(np.argmax([*map(len, rows)]))
        words = f"the index of sample {i} is {rows[i][0]} to {rows[i][-1]}"
        raise DataError(f"{words}, which reads two ways: {MEND}")
