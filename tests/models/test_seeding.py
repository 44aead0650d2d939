"""Initial centres of k-means: the rows that scikit-learn chooses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus as reference

from unwarp.models.seeding import kmeans_plusplus


@pytest.mark.parametrize("decimals", [None, 0], ids=["plain", "tied"])
def test_seeding_equals_sklearn(decimals: int | None) -> None:
    """On random arrays, also with ties and repeated rows, for the same seed."""
    random = np.random.default_rng(0)
    for seed in range(300):
        n_points, size = int(random.integers(1, 300)), int(random.integers(1, 16))
        points = random.normal(size=(n_points, size)) * 10.0 ** random.integers(-2, 3)
        if decimals is not None:
            points = points.round(decimals)[random.integers(0, 1 + n_points // 4, n_points)]
        n = int(random.integers(1, min(n_points, 20) + 1))
        rows = kmeans_plusplus(points, n, seed)
        assert np.array_equal(rows, reference(points, n, random_state=seed)[1])


def test_seeding_finds_far_groups() -> None:
    """One row in each of five distant groups."""
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(5), 30)
    points = 100.0 * np.eye(5)[groups] + random.normal(size=(150, 5))
    assert set(groups[kmeans_plusplus(points, 5, seed=0)]) == set(range(5))
