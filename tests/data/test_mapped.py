"""Arrays in files: rows and joined parts equal those in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data import mapped
from unwarp.data.mapped import bytes_in_memory, is_mapped, join_rows, take_array_rows
from unwarp.data.source import Source


@pytest.fixture
def x(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A memory map (50, 3, 4); results of more than 100 bytes are kept in files."""
    monkeypatch.setattr(mapped, "MAX_BYTES_IN_MEMORY", 100)
    np.save(tmp_path / "x.npy", np.arange(600, dtype=np.int16).reshape(50, 3, 4))
    return np.asarray(np.load(tmp_path / "x.npy", mmap_mode="r"))


@pytest.mark.parametrize(
    "rows", [slice(3, 30), np.arange(49, 0, -3), np.arange(50) % 2 == 0, np.array([], int)]
)
def test_rows_of_maps_are_rows(x: np.ndarray, rows: slice | np.ndarray) -> None:
    """Rows of a memory map have the values, the order and the type of those in memory."""
    part = take_array_rows(x, rows)
    np.testing.assert_array_equal(part, np.array(x)[rows])
    assert part.dtype == x.dtype


def test_many_rows_need_no_memory(x: np.ndarray) -> None:
    """Many rows of a memory map are one; few rows, and rows in memory, are copied."""
    rows = np.arange(40)
    assert bytes_in_memory(take_array_rows(x, rows)) == 0
    assert bytes_in_memory(take_array_rows(x, rows[:2])) == 2 * x[0].nbytes
    assert bytes_in_memory(take_array_rows(np.array(x), rows)) == 40 * x[0].nbytes


def test_parts_of_sources_are_mapped(x: np.ndarray) -> None:
    """A part of a source, parsed or not, in any layout, needs no memory either."""
    rows = np.arange(0, 50, 2)
    part = Source(x).subset(rows)
    assert is_mapped(part.x) and bytes_in_memory(part.x) == 0


@pytest.mark.parametrize("n", [1, 3, 40])
def test_joined_parts_are_whole(n: int, x: np.ndarray) -> None:
    """Parts are joined in order, small results in memory and large ones in a file."""
    whole = np.concatenate([x[:n], x[n:]])
    joined = join_rows(iter([x[:n], x[n:45], x[45:]]))
    np.testing.assert_array_equal(joined, whole)
    assert is_mapped(joined) and not is_mapped(join_rows([np.zeros(3)]))
