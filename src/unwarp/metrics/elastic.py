"""Elastic distances of series as functions of NumPy arrays.

An elastic distance compares two series whose timing differs; see `unwarp.distances`, which computes
the same numbers on tensors. All functions take series as an array (N, T) of one channel, as an
array (N, C, T), or as a list of arrays (T_i,) or (C, T_i) of unequal lengths. NaN before the first
and after the last value of a series makes it shorter; other gaps are filled linearly. Two single
series are two arrays with one row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.distances import ADTW, MSM, ValuesAndSlopes
from unwarp.errors import DataError
from unwarp.values import brief

Series = Array | Sequence[Array]


def adtw(x: Series, y: Series | None = None, band: float = 0.1, penalty: float = 0.3) -> Array:
    """Amerced dynamic time warping (ADTW) of all pairs of series.

    The cost of a match is the squared Euclidean distance of two time steps, and each step of a path
    that pauses costs the penalty (Herrmann and Webb 2023). With `penalty=0` and `band=1` it is
    dynamic time warping; with a large penalty it is the squared Euclidean distance.

    Args:
        x: First series, N of them.
        y: Second series, M of them; None for `x`.
        band: Greatest shift in time of matched steps, as a share of the shorter series; 1 for any.
        penalty: Cost of a pause, in units of squared values.

    Returns:
        Distances (N, M).

    Raises:
        DataError: A value is no series, a series is empty, or the numbers of channels differ.
        ConfigError: `band` or `penalty` is out of range.

    >>> adtw([np.array([0.0, 1.0, 1.0])], [np.array([0.0, 1.0])], band=1.0, penalty=0.1)
    array([[0.1]])
    """
    distance = ADTW(band=band, penalty=penalty)
    return np.asarray(distance(*_pair(x, y)).numpy())


def msm(x: Series, y: Series | None = None, band: float = 0.1, cost: float = 0.5) -> Array:
    """Move-split-merge distance (MSM) of all pairs of series.

    The cost of editing one series into another by moving, splitting and merging values (Stefan,
    Athitsos and Das 2013). With `band=1` it is a metric. Channels are edited by themselves, and
    their costs are summed.

    Args:
        x: First series, N of them.
        y: Second series, M of them; None for `x`.
        band: Greatest shift in time of matched steps, as a share of the shorter series; 1 for any.
        cost: Price of a split or a merge, in units of values.

    Returns:
        Distances (N, M).

    Raises:
        DataError: A value is no series, a series is empty, or the numbers of channels differ.
        ConfigError: `band` or `cost` is out of range.

    >>> msm([np.array([0.0, 1.0, 1.0])], [np.array([0.0, 1.0])], band=1.0)
    array([[0.5]])
    """
    distance = MSM(band=band, cost=cost)
    return np.asarray(distance(*_pair(x, y)).numpy())


def values_and_slopes(x: Series, y: Series | None = None, reference: Series | None = None) -> Array:
    """The distance behind content codes of series, of all pairs.

    The sum of ADTW of values, MSM of values and MSM of slopes, each in a unit of its own; see
    `unwarp.distances.ValuesAndSlopes`. Series are averaged to at most 128 time steps.

    Args:
        x: First series, N of them.
        y: Second series, M of them; None for `x`.
        reference: Series that determine standard deviations and units, such as all training series;
            None for `x`.

    Returns:
        Distances (N, M), without unit.

    Raises:
        DataError: A value is no series, a series is empty, or the numbers of channels differ.

    >>> series = np.random.default_rng(0).normal(size=(6, 20)).cumsum(1)
    >>> values_and_slopes(series, series[:2]).shape
    (6, 2)
    """
    first, second = _pair(x, y)
    distance = ValuesAndSlopes.of(first if reference is None else _tensor("reference", reference))
    return np.asarray(distance(first, second).numpy())


def _pair(x: Series, y: Series | None) -> tuple[Tensor, Tensor]:
    """Two groups of series as tensors (N, C, T) and (M, C, S)."""
    first = _tensor("x", x)
    return first, first if y is None else _tensor("y", y)


def _tensor(name: str, series: Series) -> Tensor:
    """Series as a tensor (N, C, T) of doubles, with NaN after the end of shorter ones."""
    try:
        rows = [np.atleast_2d(np.asarray(row, np.float64)) for row in series]
    except (TypeError, ValueError):
        rows = []
    if not rows or len({(row.ndim, len(row)) for row in rows}) > 1 or rows[0].ndim != 2:
        raise DataError(
            f"{name}={brief(series)} are no series; give an array (N, T) or (N, C, T), or a list "
            "of arrays (T_i,) or (C, T_i) with equally many channels"
        )
    n_steps = max(row.shape[1] for row in rows)
    padded = np.full((len(rows), len(rows[0]), n_steps), np.nan)
    for target, row in zip(padded, rows, strict=True):
        target[:, : row.shape[1]] = row
    if np.isinf(padded).any():
        raise DataError(f"{name} contains infinite values; replace them by NaN")
    return torch.from_numpy(padded)
