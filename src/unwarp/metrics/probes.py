"""Preparation of data for probes: simple classifiers and regressions on latents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array


def standardise(train: Array, test: Array) -> tuple[Array, Array]:
    """Standardise both arrays by training mean and standard deviation.

    Args:
        train: Training rows (N, D).
        test: Held-out rows (M, D).

    Returns:
        Training rows (N, D) and held-out rows (M, D). A column that is constant in the training
        rows becomes 0 in both.
    """
    mean, spread = train.mean(0), train.std(0)
    # rounding gives a constant column a tiny deviation; division by infinity makes it 0 instead
    spread = np.where(spread > 1e-12 * np.abs(train).max(0, initial=1e-300), spread, np.inf)
    return (train - mean) / spread, (test - mean) / spread


def split_rows(n: int, seed: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Random split of rows: two thirds for training, one third for testing.

    Args:
        n: Number of samples.
        seed: Seed of the split.

    Returns:
        Row numbers for training (2n // 3,) and for testing, the remaining ones.

    >>> train, test = split_rows(10, seed=0)
    >>> len(train), len(test), len({*train.tolist(), *test.tolist()})
    (6, 4, 10)
    """
    order = np.random.default_rng(seed).permutation(n)
    return order[: 2 * n // 3], order[2 * n // 3 :]
