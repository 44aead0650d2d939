"""First centres of k-means: k-means++, greedy, with scikit-learn's draws."""

from __future__ import annotations

import math

import numpy as np

from unwarp.core import Array


def kmeans_plusplus(points: Array, n: int, seed: int) -> Array:
    """Rows of points that lie far apart (Arthur and Vassilvitskii 2007, k-means++).

    Each next row is the best of a few candidates, which are drawn in proportion to their squared
    distance from the rows before. Draws, arithmetic and therefore rows are those of
    `sklearn.cluster.kmeans_plusplus` with `random_state=seed`.

    Args:
        points: Points (N, D), float64.
        n: Number of rows, at most N.
        seed: Seed of all draws.

    Returns:
        Rows (n,).
    """
    draws, trials = np.random.RandomState(seed), 2 + int(math.log(n))
    ones = np.ones((len(points), 1))
    rows = [int(draws.choice(len(points), p=ones[:, 0] / len(points)))]
    squares = _squared_distances(points, rows)
    total = squares @ ones  # a product, and not `sum`: scikit-learn rounds so
    while len(rows) < n:
        goals = draws.uniform(size=trials) * total[0]
        candidates = np.searchsorted(np.cumsum(squares), goals).clip(max=len(points) - 1)
        remaining = np.minimum(squares, _squared_distances(points, candidates))
        totals = remaining @ ones
        best = int(totals.argmin())
        rows.append(int(candidates[best]))
        squares, total = remaining[best : best + 1], totals[best : best + 1]
    return np.array(rows)


def _squared_distances(points: Array, rows: Array | list[int]) -> Array:
    """Squared distances (R, N) of rows (R,) of points (N, D) from all points."""
    norms = np.einsum("nd,nd->n", points, points)
    squares = -2 * (points[rows] @ points.T)
    squares += norms[rows][:, None]
    squares += norms
    return np.asarray(squares.clip(min=0))
