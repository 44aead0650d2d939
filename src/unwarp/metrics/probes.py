"""Preparation of classifiers and regressions that probe latents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array


def standardise(train: Array, test: Array) -> tuple[Array, Array]:
    """Both arrays less the training mean, over the training standard deviation.

    Args:
        train: Training rows (N, D).
        test: Held-out rows (M, D).

    Returns:
        Training rows (N, D) and held-out rows (M, D); columns that are constant in training become
        0 in both.
    """
    mean, spread = train.mean(0), train.std(0)
    # rounding leaves a constant column with a tiny deviation, which must not be divided by
    spread = np.where(spread > 1e-12 * np.abs(train).max(0, initial=1e-300), spread, np.inf)
    return (train - mean) / spread, (test - mean) / spread


def split_rows(n: int, seed: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Random rows for training, two thirds, and for testing, the rest.

    Args:
        n: Number of samples.
        seed: Seed of the split.

    Returns:
        Row numbers of the two parts, of sizes 2n // 3 and n - 2n // 3.

    >>> train, test = split_rows(10, seed=0)
    >>> len(train), len(test), len({*train.tolist(), *test.tolist()})
    (6, 4, 10)
    """
    order = np.random.default_rng(seed).permutation(n)
    return order[: 2 * n // 3], order[2 * n // 3 :]
