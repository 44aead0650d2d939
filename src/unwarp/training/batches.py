"""Which rows a step sees, and its random numbers: functions of the seed and the step."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def rows_at(step: int, n: int, batch_size: int, seed: int) -> Tensor:
    """Rows of a step's batch: a stateless walk through shuffled epochs, (batch_size,)."""
    start = step * batch_size
    rows: list[int] = []
    while len(rows) < batch_size:
        epoch, offset = divmod(start + len(rows), n)
        rows += _epoch(n, epoch, seed)[offset : offset + batch_size - len(rows)].tolist()
    return torch.tensor(rows)


@lru_cache(maxsize=2)
def _epoch(n: int, epoch: int, seed: int) -> Tensor:
    """The order of an epoch, (n,)."""
    return torch.randperm(n, generator=_generator(seed, -1 - epoch))


def _generator(seed: int, step: int) -> torch.Generator:
    """A generator for one step (or, with negative steps, one epoch) of a seed."""
    return torch.Generator().manual_seed(
        (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9) % (1 << 63)
    )
