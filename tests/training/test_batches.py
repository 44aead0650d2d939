"""Rows of a step: stateless epochs."""

from __future__ import annotations

import torch

from unwarp.training.batches import rows_at


def test_epochs_visit_every_row_once_and_follow_the_seed() -> None:
    rows = torch.cat([rows_at(step, 10, 4, seed=3) for step in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    assert not torch.equal(rows_at(0, 1000, 16, 0), rows_at(0, 1000, 16, 1))
    assert len(rows_at(2, 3, 8, 0)) == 8
