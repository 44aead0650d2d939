"""Rows and random generator of a training step, computed from its number.

Both depend only on the seed of the run and the number of the step. A checkpoint therefore need not
store the state of a sampler or of a random generator.

Samples in large shards come in an order that reads the disk in blocks: each pass takes the blocks
in a random order, and draws its rows from a window of blocks until all of them are used.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

BLOCKS_PER_WINDOW = 64
"""Number of blocks whose rows are drawn in random order before the next blocks are begun."""

WINDOW_STEP = -(1 << 50)
"""Step number from which the random generators of windows are made; no step or epoch has it."""


def batch_rows(step: int, n: int, batch_size: int, seed: int, rows_per_block: int = 0) -> Tensor:
    """Rows of the data set in the batch of a step.

    An epoch is a random order of all rows. The orders of epochs 0, 1, ... are joined to one
    sequence, and each batch is its next `batch_size` rows, so a batch may span several epochs. The
    result depends only on the arguments.

    Args:
        step: Number of the step, from 0.
        n: Number of samples in the data set.
        batch_size: Number of rows in a batch.
        seed: Seed of the random orders.
        rows_per_block: Number of successive rows that are read together; 0 to draw each row from
            all of them.

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
        if rows_per_block:
            order, offset = _window_order(n, epoch, seed, rows_per_block, offset)
        else:
            order = _epoch_order(n, epoch, seed)
        rows += order[offset : offset + batch_size - len(rows)].tolist()
    return torch.tensor(rows)


def _window_order(
    n: int, epoch: int, seed: int, rows_per_block: int, offset: int
) -> tuple[Tensor, int]:
    """The rows of the window with a place of an epoch, and the place in the window."""
    starts = _window_starts(n, epoch, seed, rows_per_block)
    window = int(torch.searchsorted(starts, offset, right=True)) - 1
    return _window_rows(n, epoch, seed, rows_per_block, window), offset - int(starts[window])


@lru_cache(maxsize=2)
def _window_starts(n: int, epoch: int, seed: int, rows_per_block: int) -> Tensor:
    """Places in an epoch at which its windows begin."""
    order = _epoch_order(-(-n // rows_per_block), epoch, seed)
    sizes = (n - order * rows_per_block).clamp_max(rows_per_block)
    return (sizes.cumsum(0) - sizes)[::BLOCKS_PER_WINDOW].contiguous()


@lru_cache(maxsize=2)
def _window_rows(n: int, epoch: int, seed: int, rows_per_block: int, window: int) -> Tensor:
    """The rows of a window of an epoch, in random order."""
    order = _epoch_order(-(-n // rows_per_block), epoch, seed)
    blocks = order[window * BLOCKS_PER_WINDOW : (window + 1) * BLOCKS_PER_WINDOW, None]
    rows = (blocks * rows_per_block + torch.arange(rows_per_block)).flatten()
    rows = rows[rows < n]
    number = epoch * len(_window_starts(n, epoch, seed, rows_per_block)) + window
    return rows[torch.randperm(len(rows), generator=step_generator(seed, WINDOW_STEP - number))]


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
