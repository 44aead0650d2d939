"""Rows and random generator of a training step, computed from its number.

Both depend only on the seed of the run and the number of the step. A checkpoint therefore need not
store the state of a sampler or of a random generator.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def batch_rows(step: int, n: int, batch_size: int, seed: int) -> Tensor:
    """Rows of the data set in the batch of a step.

    An epoch is a random order of all rows. The orders of epochs 0, 1, ... are joined to one
    sequence, and each batch is its next `batch_size` rows, so a batch may span several epochs. The
    result depends only on the arguments.

    Args:
        step: Number of the step, from 0.
        n: Number of samples in the data set.
        batch_size: Number of rows in a batch.
        seed: Seed of the random orders.

    Returns:
        Row indices (batch_size,), int64. Each row occurs once per epoch.

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


@lru_cache(maxsize=2)  # a batch usually needs the orders of at most two epochs
def _epoch_order(n: int, epoch: int, seed: int) -> Tensor:
    """The row indices (n,) of an epoch, in random order."""
    return torch.randperm(n, generator=step_generator(seed, -1 - epoch))


def step_generator(seed: int, step: int) -> torch.Generator:
    """A new random generator for a step, determined by seed and step.

    Both are multiplied by large odd constants (those of SplitMix64), so that neighbouring steps and
    seeds give very different generator seeds.

    Args:
        seed: Seed of the run.
        step: Number of the step. `batch_rows` uses -1, -2, ... for the orders of epochs 0, 1, ...

    Returns:
        A generator on the CPU.
    """
    return torch.Generator().manual_seed(
        (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9) % (1 << 63)
    )
