"""One array whose rows lie in several files.

The files are memory maps. Rows are read when they are asked for, so that the array may be larger
than the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

View = Callable[[Array], Array]
"""Function of a block of rows (M, ...) that treats each row by itself."""

BYTES_PER_READ = 1 << 24
"""Greatest number of bytes that are read at once to find the smallest and largest value."""


def _unchanged(block: Array) -> Array:
    """The block itself."""
    return block


@dataclass(frozen=True, eq=False)
class ShardedArray:
    """Rows of several arrays as one array (N, ...).

    An index or a slice of rows returns a NumPy array. Selections of rows, new axes and other orders
    of the axes after the first are remembered and applied to the rows that are read.

    Attributes:
        shards: Arrays (N_i, ...) of one dtype and one shape of a row, such as memory maps.
        selection: Indices of the rows (N,) among those of all shards; None for all of them.
        view: Function that changes the axes or the type of a block of rows.

    >>> x = ShardedArray((np.arange(6).reshape(2, 3), np.arange(6, 9).reshape(1, 3)))
    >>> x.shape, x[1:].tolist(), x[np.array([2, 0]), 1].tolist()
    ((3, 3), [[3, 4, 5], [6, 7, 8]], [7, 1])
    """

    shards: tuple[Array, ...]
    selection: Array | None = None
    view: View = field(default=_unchanged, repr=False)

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.selection is None else len(self.selection)

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Number of rows up to the end of each shard."""
        return np.cumsum([len(shard) for shard in self.shards])

    @cached_property
    def _probe(self) -> Array:
        """One row of zeros (1, ...), which has the shape and type of all others."""
        first = self.shards[0]
        zero = np.zeros((), first.dtype.newbyteorder("="))
        return self.view(np.broadcast_to(zero, (1, *first.shape[1:])))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, ...)."""
        return (len(self), *self._probe.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers, in the byte order of the machine."""
        return self._probe.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._probe.ndim

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self) * self._probe.size

    @property
    def nbytes(self) -> int:
        """Number of bytes of all values."""
        return self.size * self.dtype.itemsize

    def __iter__(self) -> Iterator[Array]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """Rows as an array, or all rows with other axes.

        Args:
            key: Index, slice, indices (M,) or mask (N,) of rows; or a tuple with one of these and
                an index of the axes after the first. With all rows in a tuple, nothing is read.
        """
        rows, *rest = key if isinstance(key, tuple) else (key,)
        if rest:
            inner = (slice(None), *rest)
            viewed = self._viewed(lambda block: block[inner])
            return viewed if _is_all(rows) else viewed[rows]
        if isinstance(rows, int | np.integer):
            row = range(len(self))[int(rows)]
            return self._row(row if self.selection is None else int(self.selection[row]))
        if isinstance(rows, slice):
            return self._slice(rows)
        index = np.asarray(rows)
        return self._rows(np.flatnonzero(index) if index.dtype == bool else index)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """All values in memory."""
        return np.asarray(self[:], dtype)

    def take_rows(self, rows: slice | Array) -> ShardedArray:
        """Some of the rows, which are not read.

        Args:
            rows: A slice, indices from 0 (M,), or a mask (N,).
        """
        selection = np.arange(len(self)) if self.selection is None else self.selection
        return replace(self, selection=selection[rows])

    def reshape(self, *shape: Any) -> ShardedArray:
        """The array with other axes after the first.

        Args:
            shape: The new shape (N, ...), as numbers or as a tuple.
        """
        _, *axes = shape[0] if isinstance(shape[0], tuple) else shape
        return self._viewed(lambda block: block.reshape(len(block), *axes))

    def transpose(self, order: Sequence[int]) -> ShardedArray:
        """The array with its axes in another order; the first stays.

        Args:
            order: Number of the axis that comes to each place; `order[0]` is 0.
        """
        return self._viewed(lambda block: block.transpose(order))

    def astype(self, dtype: Any, copy: bool = True) -> ShardedArray:
        """The array with another type.

        Args:
            dtype: The type.
            copy: Not used; nothing is read.
        """
        if np.dtype(dtype) == self.dtype:
            return self
        return self._viewed(lambda block: block.astype(dtype))

    def max(self) -> Any:
        """The largest value."""
        return max(block.max() for block in self._blocks())

    def min(self) -> Any:
        """The smallest value."""
        return min(block.min() for block in self._blocks())

    def _blocks(self) -> Iterator[Array]:
        """All rows in blocks."""
        step = max(1, BYTES_PER_READ // max(1, self._probe.nbytes))
        return (self[start : start + step] for start in range(0, len(self), step))

    def _viewed(self, view: View) -> ShardedArray:
        """The array with a further view."""
        inner = self.view
        return replace(self, view=lambda block: view(inner(block)))

    def _row(self, row: int) -> Array:
        """One row (...) by its index among those of all shards; it is not copied."""
        shard = int(np.searchsorted(self._ends, row, "right"))
        place = row - int(self._ends[shard]) + len(self.shards[shard])
        first: Array = self.view(native_order(self.shards[shard][place : place + 1]))[0]
        return first

    def _slice(self, rows: slice) -> Array:
        """Rows of a slice; those of one shard are not copied."""
        start, stop, step = rows.indices(len(self))
        if self.selection is not None or step != 1:
            return self._rows(np.arange(start, stop, step))
        shard = int(np.searchsorted(self._ends, start, "right"))
        if stop > start and stop <= self._ends[shard]:
            offset = int(self._ends[shard]) - len(self.shards[shard])
            return self.view(native_order(self.shards[shard][start - offset : stop - offset]))
        return self._rows(np.arange(start, stop))

    def _rows(self, index: Array) -> Array:
        """Rows (M, ...) by their indices, read shard by shard."""
        index = np.where(index < 0, index + len(self), index).astype(np.int64)
        if len(index) and (index.min() < 0 or index.max() >= len(self)):
            raise IndexError(f"rows {index.min()} to {index.max()} of an array of {len(self)}")
        rows = index if self.selection is None else np.asarray(self.selection)[index]
        first = self.shards[0]
        block = np.empty((len(rows), *first.shape[1:]), first.dtype.newbyteorder("="))
        places = np.searchsorted(self._ends, rows, "right")
        for place in np.unique(places):
            shard, targets = self.shards[place], np.flatnonzero(places == place)
            block[targets] = shard[rows[targets] - (self._ends[place] - len(shard))]
        return self.view(block)


def _is_all(rows: Any) -> bool:
    """Whether an index selects all rows."""
    return isinstance(rows, slice) and rows == slice(None)


def native_order(block: Array) -> Array:
    """Numbers in the byte order of the machine.

    Args:
        block: Numbers of any shape.

    Returns:
        A copy if they have another byte order, else `block` itself.
    """
    return block.astype(block.dtype.newbyteorder("="), copy=False)
