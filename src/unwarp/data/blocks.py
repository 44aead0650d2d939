"""Blocks of rows, for arrays that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

from unwarp.core import Array

NUMBERS_PER_BLOCK = 1 << 22
"""Numbers that are processed at once, so that a memory-mapped array is never loaded as a whole."""

NUMBERS_PER_INNER_BLOCK = 1 << 20
"""Numbers of a large array that are copied at once, for work on each number by itself."""


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


def inner_blocks(x: Array) -> Iterator[tuple[slice, ...]]:
    """Indices that split an array into blocks, also within large rows.

    They are for work on each number by itself, whose copies would add to the memory.

    Args:
        x: Array (N, ...).

    Returns:
        Indices that cover the array in order. A row of more than `NUMBERS_PER_INNER_BLOCK` numbers
        is divided along its third axis, such as that of the lines of an image.

    >>> import numpy as np
    >>> x = np.zeros((1, 1, 3000, 700), np.uint8)
    >>> [x[block].shape for block in inner_blocks(x)]
    [(1, 1, 1497, 700), (1, 1, 1497, 700), (1, 1, 6, 700)]
    """
    size = max(1, x[0].size) if len(x) else 1
    step = max(1, NUMBERS_PER_INNER_BLOCK // size)
    for rows in (slice(start, start + step) for start in range(0, len(x), step)):
        if x.ndim < 3 or size <= NUMBERS_PER_INNER_BLOCK:
            yield (rows,)
            continue
        n_lines = max(1, NUMBERS_PER_INNER_BLOCK * x.shape[2] // size)
        for start in range(0, x.shape[2], n_lines):
            yield (rows, slice(None), slice(start, start + n_lines))
