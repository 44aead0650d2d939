"""An array in several files has the values, shape and type of the same array in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unwarp.checksums import checksum
from unwarp.disk.sharded import ShardedArray

X = np.random.default_rng(0).integers(0, 256, (11, 2, 3, 4)).astype(np.uint8)
SHARDED = ShardedArray((X[:4], X[4:8], X[8:]))

ROWS: tuple[Any, ...] = (
    0,
    -1,
    np.int64(5),
    slice(None),
    slice(5, 7),
    slice(2, 10),
    slice(9, 2, -2),
    slice(3, 3),
    slice(8, 99),
    np.array([10, 0, 5, 5]),
    np.array([-1, 3]),
    np.arange(11) % 3 == 0,
    [2, 9],
    np.array([], int),
)
VIEWS: tuple[Callable[[Any], Any], ...] = (
    lambda x: x,
    lambda x: x[:, None],
    lambda x: x[:, 1],
    lambda x: np.moveaxis(x, 3, 1),
    lambda x: np.moveaxis(x[:, 0], 2, 1)[:, None],
    lambda x: x.reshape(11, 6, 4),
    lambda x: x.astype(np.float32),
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("rows", ROWS)
def test_rows_and_views_equal_memory(rows: Any, view: Callable[[Any], Any]) -> None:
    """Any rows in any view have the values, the shape and the type of the array in memory."""
    part, expected = view(SHARDED), view(X)
    assert (part.shape, part.dtype, part.ndim) == (expected.shape, expected.dtype, expected.ndim)
    assert (part.size, part.nbytes, len(part)) == (expected.size, expected.nbytes, len(expected))
    assert (part.min(), part.max()) == (expected.min(), expected.max())
    np.testing.assert_array_equal(part[rows], expected[rows])


@pytest.mark.parametrize("rows", [np.array([7, 1, 9, 1]), slice(2, 9), np.arange(11) > 4])
def test_selections_of_selections(rows: Any) -> None:
    """Rows of chosen rows are chosen lazily, in their order, in the view of the array."""
    part = SHARDED[:, None].take_rows(rows)
    again = part.take_rows(np.array([2, 0]))
    np.testing.assert_array_equal(np.asarray(part), X[:, None][rows])
    np.testing.assert_array_equal(again[:], X[:, None][rows][[2, 0]])
    np.testing.assert_array_equal(part[1:3], X[:, None][rows][1:3])


def test_rows_outside_are_refused() -> None:
    """An index beyond the rows raises the error of an array."""
    for rows in (11, -12, np.array([3, 11])):
        with pytest.raises(IndexError):
            SHARDED[rows]


def test_byte_orders_become_native() -> None:
    """Files of another machine give numbers in the byte order of this one."""
    other = X.astype(">i4")
    part = ShardedArray((other[:6], other[6:]))
    assert part.dtype.isnative and part[:3].dtype.isnative and part[4:9].dtype.isnative
    np.testing.assert_array_equal(part[:], X)


def test_checksums_equal_memory() -> None:
    """The checksum is that of the array in memory, however its rows are divided."""
    assert checksum(SHARDED) == checksum(X) != checksum(SHARDED.take_rows(slice(0, 10)))
    assert checksum([SHARDED[:, 0]]) == checksum([X[:, 0]])
