"""Blocks of rows: all rows, once, in order."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.data import blocks


@pytest.mark.parametrize("step", [1, 3, 100])
def test_blocks_cover_rows_once(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of any size cover all rows once, in order."""
    monkeypatch.setattr(blocks, "NUMBERS_PER_BLOCK", step)
    x = np.arange(22).reshape(11, 2)
    np.testing.assert_array_equal(np.concatenate([x[rows] for rows in blocks.row_blocks(x)]), x)
    assert list(blocks.row_blocks(x[:0])) == []


@pytest.mark.parametrize("step", [1, 5, 30, 1000])
@pytest.mark.parametrize("shape", [(3,), (3, 7), (3, 2, 5, 4), (2, 1, 9)])
def test_inner_blocks_cover_all_once(
    step: int, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks within large rows cover every number once, and none has far too many."""
    monkeypatch.setattr(blocks, "NUMBERS_PER_INNER_BLOCK", step)
    counts = np.zeros(shape, int)
    for block in blocks.inner_blocks(counts):
        counts[block] += 1
        n_lines = shape[2] if len(shape) > 2 else 1
        assert counts[block].size <= max(step, counts[0].size // n_lines)
    assert (counts == 1).all()
