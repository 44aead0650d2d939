"""Arrays that lie in files instead of the memory.

Rows of a memory map, and results that come in parts, are kept in a temporary file if they are
large. The environment variable `TMPDIR` sets its folder.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

import numpy as np

from unwarp.core import Array
from unwarp.data.blocks import row_blocks
from unwarp.disk.sharded import ShardedArray

MAX_BYTES_IN_MEMORY = 32 << 20
"""Greatest size of rows and of results that are kept in memory."""

FIELDS_OF_SAMPLES = ("samples", "values", "x")
"""Attributes of parsed samples that hold their numbers."""


def bytes_in_memory(x: Any) -> int:
    """Memory in bytes of a collection of samples; memory maps take none.

    Args:
        x: An array, tensor, data frame, list, or parsed samples.

    >>> bytes_in_memory([np.zeros(3), np.zeros(5)])
    64
    """
    if isinstance(x, list | tuple):
        return sum(map(bytes_in_memory, x))
    x = next((vars(x)[name] for name in FIELDS_OF_SAMPLES if name in getattr(x, "__dict__", {})), x)
    if isinstance(x, list | tuple):
        return bytes_in_memory(x)
    if hasattr(x, "memory_usage"):
        return int(np.sum(x.memory_usage()))
    return 0 if is_mapped(x) else int(getattr(x, "nbytes", 0))


def is_mapped(x: Any) -> bool:
    """Whether an array is mapped from disk.

    Args:
        x: Any object; a view of a mapped array counts as one.
    """
    while x is not None:
        if isinstance(x, np.memmap | ShardedArray):
            return True
        x = getattr(x, "base", None)
    return False


def take_array_rows(values: Array, rows: slice | Array) -> Array:
    """Rows of an array; those of a memory map are another one.

    Rows of an array in several files are not read at all.

    Args:
        values: Array (N, ...).
        rows: A slice, indices from 0 (M,), or a boolean mask (N,).

    Returns:
        The rows (M, ...).
    """
    if isinstance(values, ShardedArray):
        return cast(Array, values.take_rows(rows))
    if isinstance(rows, slice) or not is_mapped(values):
        return values[rows]
    index = np.asarray(rows)
    index = np.flatnonzero(index) if index.dtype == bool else index
    if not len(index) or values[:1].nbytes * len(index) <= MAX_BYTES_IN_MEMORY:
        return values[index]
    blocks = row_blocks(np.broadcast_to(values[0], (len(index), *values.shape[1:])))
    return join_rows(values[index[block]] for block in blocks)


def join_rows(parts: Iterable[Array]) -> Array:
    """Arrays joined along their first axis; a memory map if large.

    Args:
        parts: Arrays (M_i, ...) of one dtype and shape of a row; at least one.

    Returns:
        The rows of all parts. A memory map cannot be written to.

    >>> join_rows(np.full((2, 3), i) for i in range(4)).shape
    (8, 3)
    """
    head, n_bytes, rest = [], 0, iter(parts)
    for part in rest:
        head.append(part)
        n_bytes += part.nbytes
        if n_bytes > MAX_BYTES_IN_MEMORY:
            return _in_file(head, rest)
    return np.concatenate(head)


def _in_file(head: list[Array], rest: Iterator[Array]) -> Array:
    """Rows of all parts as a memory map of a temporary file, which nobody else sees."""
    first = head[0]
    with tempfile.TemporaryFile(prefix="unwarp-") as file:
        n_rows = sum(_write_rows(file, head.pop(0)) for _ in range(len(head)))
        n_rows += sum(_write_rows(file, part) for part in rest)
        file.flush()
        os.fsync(file.fileno())  # pages that are not on the disk yet would stay in memory
        return np.memmap(file, first.dtype, "r", 0, (n_rows, *first.shape[1:]))


def _write_rows(file: IO[bytes], part: Array) -> int:
    """Append rows to a file, and return their number."""
    file.write(np.ascontiguousarray(part).data)
    return len(part)
