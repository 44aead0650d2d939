"""Initial centres of k-means by greedy k-means++, equal to those of scikit-learn.

The function is written out here because models are built and trained without scikit-learn.
"""

from __future__ import annotations

import math

import numpy as np

from unwarp.core import Array


def kmeans_plusplus(points: Array, n: int, seed: int) -> Array:
    """Indices of `n` points that are far from each other.

    This is the k-means++ initialisation (Arthur and Vassilvitskii 2007) in its greedy form. The
    first point is random. For each further point, 2 + log(n) candidates are drawn with
    probabilities proportional to their squared distances from the nearest point selected so far;
    the candidate that leaves the least sum of squared distances is selected. The result equals that
    of `sklearn.cluster.kmeans_plusplus` with `random_state=seed`. The time is O(N D n log n).

    Args:
        points: Points (N, D), float64.
        n: Number of points to select, 1 to N.
        seed: Seed of the random numbers.

    Returns:
        Row indices (n,) of the selected points.

    >>> sorted(kmeans_plusplus(np.array([[0.0], [0.1], [9.0]]), 2, seed=0).tolist())
    [1, 2]
    """
    random, n_trials = np.random.RandomState(seed), 2 + int(math.log(n))
    ones = np.ones((len(points), 1))
    rows = [int(random.choice(len(points), p=ones[:, 0] / len(points)))]
    squares = _squared_distances(points, rows)
    total = squares @ ones  # a matrix product, not `sum`, to round as scikit-learn does
    while len(rows) < n:
        thresholds = random.uniform(size=n_trials) * total[0]
        candidates = np.searchsorted(np.cumsum(squares), thresholds).clip(max=len(points) - 1)
        remaining = np.minimum(squares, _squared_distances(points, candidates))
        totals = remaining @ ones
        best = int(totals.argmin())
        rows.append(int(candidates[best]))
        squares, total = remaining[best : best + 1], totals[best : best + 1]
    return np.array(rows)


def _squared_distances(points: Array, rows: Array | list[int]) -> Array:
    """Squared distances (R, N) of the points with the indices `rows` (R,) from all N points."""
    norms = np.einsum("nd,nd->n", points, points)
    squares = -2 * (points[rows] @ points.T)
    squares += norms[rows][:, None]
    squares += norms
    return np.asarray(squares.clip(min=0))
