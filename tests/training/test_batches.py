"""Batches: epochs without state."""

from __future__ import annotations

import torch

from unwarp.training.batches import batch_rows


def test_epochs_are_permutations() -> None:
    """An epoch has each row once; its order depends on the epoch and on the seed."""
    rows = torch.cat([batch_rows(step, 10, 4, seed=3) for step in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    assert not torch.equal(batch_rows(0, 1000, 16, 0), batch_rows(0, 1000, 16, 1))
    assert len(batch_rows(2, 3, 8, 0)) == 8
