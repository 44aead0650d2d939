"""Blocks of rows, for arrays that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

from unwarp.core import Array

NUMBERS_PER_BLOCK = 1 << 22
"""Numbers that are processed at once, so that a memory-mapped array is never loaded as a whole."""


def row_blocks(x: Array) -> Iterator[slice]:
    """Slices that split an array into blocks of whole rows.

    A loop over them processes a memory-mapped array without loading it as a whole.

    Args:
        x: Array (N, ...).

    Returns:
        Slices that cover all rows in order. Each has one row or more, with at most
        `NUMBERS_PER_BLOCK` numbers if it has several.

    >>> import numpy as np
    >>> x = np.zeros((3, 4))
    >>> [x[rows].shape for rows in row_blocks(x)]
    [(3, 4)]
    """
    step = max(1, NUMBERS_PER_BLOCK // max(1, x[0].size)) if len(x) else 1
    return (slice(start, start + step) for start in range(0, len(x), step))
