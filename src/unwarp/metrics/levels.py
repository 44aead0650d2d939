"""Levels of factors, bins of latents, and mutual information from counts.

The levels of a factor are its values, or bins of its values, numbered from 0. Bins of latents are
numbered from 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.errors import DataError

Levels = NDArray[np.integer]
"""Whole numbers, 0 or more: the level of each sample."""

MAX_DISCRETE_LEVELS = 64
"""A factor with more distinct values counts as continuous."""

BINS = 20
"""Number of equal-width bins of a continuous column, as in Locatello et al. (2019)."""


def factor_levels(factor_values: NDArray[Any], bins: int = BINS) -> Levels:
    """Levels 0, 1, ... of the values of each factor that varies.

    Samples have the same level if they have the same value, or values in the same bin.

    Args:
        factor_values: Known factors (N, F), whole or real numbers.
        bins: Number of equal-width bins for a factor with more than 64 distinct values.

    Returns:
        Ranks of the values, or of the non-empty bins (N, F'). F' may be less than F, since factors
        with a single value are left out.

    Raises:
        DataError: The array is not (N, F), or not finite.

    >>> factor_levels(np.array([[0.5, 7.0], [2.0, 7.0], [0.5, 7.0]])).ravel().tolist()
    [0, 1, 0]
    """
    values = np.asarray(factor_values)
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise DataError(
            "factor_values must be finite numbers of shape (N, F), got "
            f"{values.dtype} {values.shape}; give one column for each factor"
        )
    ranks = [np.unique(column, return_inverse=True)[1] for column in values.T]
    discrete_ranks = [
        np.unique(bin_columns(column[:, None], bins)[:, 0], return_inverse=True)[1]
        if rank.max() >= MAX_DISCRETE_LEVELS
        else rank
        for rank, column in zip(ranks, values.T, strict=True)
    ]
    # scores divide by the entropy of a factor, which is 0 if it has a single value
    varying_ranks = [rank for rank in discrete_ranks if rank.max() > 0]
    return np.stack(varying_ranks, 1) if varying_ranks else np.empty((len(values), 0), int)


def prepare_codes(
    latents: Array, factor_values: NDArray[Any], min_factors: int = 1
) -> tuple[Array, Levels]:
    """Check latents and factors, and find the levels of the factors.

    Args:
        latents: Latents (N, D), each column in any unit.
        factor_values: Known factors (N, F).
        min_factors: Smallest number of factors that must vary.

    Returns:
        Latents (N, D) in float64, and levels (N, F') as in `factor_levels`.

    Raises:
        DataError: An array is not a finite table, the numbers of rows differ, or too few factors
            vary.
    """
    codes = np.asarray(latents, float)
    if codes.ndim != 2 or codes.size == 0 or not np.isfinite(codes).all():
        raise DataError(
            "latents must be finite numbers of shape (N, D) with D >= 1, got shape "
            f"{codes.shape}; flatten the other axes"
        )
    levels = factor_levels(factor_values)
    if len(levels) != len(codes):
        raise DataError(
            f"latents have {len(codes)} rows, factor_values {len(levels)}; give one row for each "
            "sample in both"
        )
    if levels.shape[1] < min_factors:
        raise DataError(
            f"factor_values has {levels.shape[1]} columns that vary, this measure needs "
            f"{min_factors} or more; give factors with two values or more"
        )
    return codes, levels


def bin_columns(latents: Array, bins: int = BINS) -> Levels:
    """Equal-width bins of numbers, column by column.

    Args:
        latents: Numbers (N, D).
        bins: Number of bins between the smallest and the largest number of a column.

    Returns:
        Bin of each number (N, D), numbered from 1 to `bins`.
    """
    # without the last edge, so that the largest number belongs to the last bin
    edges = (np.histogram_bin_edges(column, bins)[:-1] for column in latents.T)
    return np.stack([np.digitize(column, e) for column, e in zip(latents.T, edges, strict=True)], 1)


def mutual_information(a: Levels, b: Levels) -> Array:
    """Mutual information of each pair of discrete columns, from counts.

    `I(a; b) = sum p(a, b) log(p(a, b) / (p(a) p(b)))`, with observed frequencies as probabilities.

    Args:
        a: Levels or bins (N, D).
        b: Levels or bins (N, F).

    Returns:
        Information in nats (D, F), 0 or more up to rounding.

    >>> bits = np.array([[0], [0], [1], [1]])
    >>> bool(np.isclose(mutual_information(bits, bits)[0, 0], np.log(2)))
    True
    """
    return np.array([[column_information(left, right) for right in b.T] for left in a.T])


def column_information(a: Levels, b: Levels) -> float:
    """Mutual information of two discrete columns in nats, from counts.

    Args:
        a: Levels or bins (N,).
        b: Levels or bins (N,); with `b = a` the result is the entropy of `a`.

    Returns:
        `I(a; b)` in nats.
    """
    counts = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(counts, (a, b), 1)
    products = counts.sum(1, keepdims=True) * counts.sum(0)
    is_occupied = counts > 0  # 0 log 0 counts as 0
    total = counts[is_occupied] @ np.log(counts[is_occupied] * len(a) / products[is_occupied])
    return float(total) / len(a)
