"""Rows and random numbers of a training step, without state.

Both are functions of the seed and of the number of the step. A resumed run therefore needs no
state of a sampler or of a generator.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def batch_rows(step: int, n: int, batch_size: int, seed: int) -> Tensor:
    """Rows of the data set in the batch of a step.

    Batches walk through shuffled epochs, and a batch may span two of them. The rows depend on the
    arguments alone, so a resumed run sees the batches of an uninterrupted one.

    Args:
        step: Number of the step, from 0.
        n: Number of samples in the data set.
        batch_size: Number of rows.
        seed: Seed of the shuffles.

    Returns:
        Rows (batch_size,), int64. Within an epoch of n samples each row occurs once.

    Example:
        >>> rows = torch.cat([batch_rows(step, n=6, batch_size=2, seed=0) for step in range(3)])
        >>> sorted(rows.tolist())
        [0, 1, 2, 3, 4, 5]
    """
    start = step * batch_size
    rows: list[int] = []
    while len(rows) < batch_size:
        epoch, offset = divmod(start + len(rows), n)
        rows += _epoch_order(n, epoch, seed)[offset : offset + batch_size - len(rows)].tolist()
    return torch.tensor(rows)


@lru_cache(maxsize=2)  # a batch needs the orders of two epochs at most
def _epoch_order(n: int, epoch: int, seed: int) -> Tensor:
    """The shuffled rows (n,) of an epoch."""
    return torch.randperm(n, generator=step_generator(seed, -1 - epoch))


def step_generator(seed: int, step: int) -> torch.Generator:
    """A new generator that depends on seed and step alone.

    Both are multiplied by large odd constants (those of SplitMix64), so that neighbouring steps and
    seeds get distant states.

    Args:
        seed: Seed of the run.
        step: Number of the step; negative numbers -1, -2, ... are for epochs 0, 1, ...

    Returns:
        A generator on the CPU.
    """
    return torch.Generator().manual_seed(
        (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9) % (1 << 63)
    )
