"""Pairs of samples and of data that belong to them.

Data belong to samples in their order. Where both have names, the names must agree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.frames import Frame
from unwarp.errors import DataError

MAX_NAMES_SHOWN = 3
"""Greatest number of names of each side in an error message."""


def order_by_names(
    names: Sequence[Any] | Array | None, other_names: Sequence[Any] | Array | None, argument: str
) -> Array | None:
    """The order in which other data have the names of samples.

    Names of files are compared without their suffix. Names that have nothing in common, such as
    `a.png` and `a_mask.png`, say nothing: the data then belong to the samples in their order.

    Args:
        names: Names of N samples; None if they have none.
        other_names: Names of the N other data; None if they have none.
        argument: Name of the argument of the other data, for messages.

    Returns:
        Rows of the other data (N,), in the order of the samples; None if they have this order.

    Raises:
        DataError: Some names agree, but not all of them, and they stand in other rows.

    >>> order_by_names(["a.png", "b.png"], ["b.tif", "a.tif"], "other")
    array([1, 0])
    """
    if names is None or other_names is None or len(names) != len(other_names):
        return None
    first, second = ([_stem(name) for name in side] for side in (names, other_names))
    rows = {name: row for row, name in enumerate(second)}
    displaced = [name for row, name in enumerate(first) if rows.get(name, row) != row]
    if not displaced or len(rows) < len(second) or len(set(first)) < len(first):
        return None
    if set(first) == set(second):
        return np.array([rows[name] for name in first])
    ours, theirs = (", ".join(map(str, side[:MAX_NAMES_SHOWN])) for side in (names, other_names))
    raise DataError(
        f"X has the names {ours}, ..., and {argument} {theirs}, ...: {displaced[0]!r} is in both, "
        f"in other rows, and other names are not; give both the same names, or {argument} names "
        "that have nothing in common with those of X"
    )


def _stem(name: Any) -> str:
    """A name without the suffix of a file."""
    path = PurePath(str(name))
    return str(path.with_suffix("")) if path.suffix[1:].isalpha() else str(name)


def check_frames(frame: Frame | None, other: Frame | None, argument: str) -> None:
    """Refuse a data frame with the samples' labels in another order.

    Args:
        frame: Index and columns of the samples; None if they are no data frame.
        other: The same of the data that belong to them.
        argument: Name of their argument, for messages.

    Raises:
        DataError: The rows or the columns have the same labels in another order.
    """
    if frame is None or other is None:
        return
    for axis, of in (("index", "rows"), ("columns", "columns")):
        labels, other_labels = getattr(frame, axis), getattr(other, axis)
        is_same_set = len(labels) == len(other_labels) and not set(labels) ^ set(other_labels)
        if is_same_set and not labels.equals(other_labels):
            raise DataError(
                f"the {of} of {argument} have the labels of X in another order; give "
                f"{argument}.reindex({axis}=X.{axis})"
            )
