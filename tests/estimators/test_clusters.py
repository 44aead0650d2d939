"""Clusters: the nearest centre of a content code, or the kinds of a search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from unwarp import Unwarper
from unwarp.estimators.clusters import KMeansClusters, SearchClusters, nearest_centre
from unwarp.models import AE


def test_nearest_centre_is_the_argmin() -> None:
    """The centre at the least Euclidean distance."""
    rng = np.random.default_rng(0)
    codes, centers = rng.normal(size=(30, 4)), rng.normal(size=(5, 4))
    distances = np.linalg.norm(codes[:, None] - centers, axis=-1)
    np.testing.assert_array_equal(nearest_centre(codes, centers), distances.argmin(1))


def test_kmeans_separates_groups() -> None:
    """Codes far apart have clusters of their own; there are no more clusters than codes."""
    codes = np.repeat(10.0 * np.eye(3), 4, 0)
    labels = nearest_centre(codes, KMeansClusters.fit(codes, 3).centers)
    assert all(len(set(part)) == 1 for part in labels.reshape(3, 4)) and len(set(labels)) == 3
    assert len(KMeansClusters.fit(codes, 9).centers) == 3


def test_rule_is_that_of_the_codes() -> None:
    """Samples belong to the centre that is nearest to their code."""
    model = AE(n_content=2).build((1, 8, 8)).eval()
    x = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        codes = model.embed(x).content.numpy()
    clusters = KMeansClusters.fit(codes, 3)
    np.testing.assert_array_equal(
        clusters.assign(model, x), nearest_centre(codes, clusters.centers)
    )
    assert clusters.arrays() == {}


def test_kinds_of_a_search_are_clusters(tmp_path: Path) -> None:
    """Where a search found kinds, `predict` tells them, also after a model is loaded."""
    rng, steps = np.random.default_rng(0), np.arange(16) - 7.5
    spot = np.exp(-((steps - 3) ** 2 + (steps[:, None] + 1) ** 2) / 6)
    x = np.stack([np.roll(spot, rng.integers(-2, 3, 2), (0, 1)) for _ in range(12)])
    unwarper = Unwarper("rigid", start="search", max_steps=1).fit(x)
    assert isinstance(unwarper.clusters_, SearchClusters)
    unwarper.save(tmp_path / "model")
    again = Unwarper.load(tmp_path / "model")
    assert isinstance(again.clusters_, SearchClusters)
    np.testing.assert_array_equal(again.predict(x), unwarper.labels_)
