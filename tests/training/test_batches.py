"""Batches: epochs without state."""

from __future__ import annotations

import pytest
import torch

from unwarp.training.batches import BLOCKS_PER_WINDOW, batch_rows


def test_epochs_are_permutations() -> None:
    """An epoch has each row once; its order depends on the epoch and on the seed."""
    rows = torch.cat([batch_rows(step, 10, 4, seed=3) for step in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    assert not torch.equal(batch_rows(0, 1000, 16, 0), batch_rows(0, 1000, 16, 1))
    assert len(batch_rows(2, 3, 8, 0)) == 8


@pytest.mark.parametrize(
    ("n", "block", "batch"), [(1003, 5, 16), (40, 7, 3), (9, 4, 20), (6, 50, 4)]
)
def test_blocks_make_permutations(n: int, block: int, batch: int) -> None:
    """In blocks, too, an epoch has each row once, whatever the sizes, and epochs differ."""
    steps = -(-3 * n // batch)
    rows = torch.cat([batch_rows(step, n, batch, 3, block) for step in range(steps)])
    epochs = [rows[k * n : (k + 1) * n].tolist() for k in range(3)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_windows_read_few_blocks() -> None:
    """Rows of few blocks are used up, in random order, before rows of others are drawn."""
    n, block = 40 * BLOCKS_PER_WINDOW, 10
    size = BLOCKS_PER_WINDOW * block
    rows = batch_rows(0, n, n, 0, block)
    windows = [set((part // block).tolist()) for part in rows.split(size)]
    assert [len(blocks) for blocks in windows] == [BLOCKS_PER_WINDOW] * 4
    assert len(set.union(*windows)) == 4 * BLOCKS_PER_WINDOW
    steps = rows[:size].diff().abs()
    assert (steps > block).float().mean() > 0.9


def test_blocks_need_no_state() -> None:
    """The rows of a step depend on its number and on the seed, not on the steps before it."""
    order = [batch_rows(step, 500, 7, 1, 4) for step in range(200)]
    for step in (150, 3, 199, 71):
        assert torch.equal(batch_rows(step, 500, 7, 1, 4), order[step])
    assert not torch.equal(batch_rows(0, 500, 7, 2, 4), order[0])
