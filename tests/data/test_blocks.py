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
