"""Clusters by a graph of nearest codes: of any shape, for new codes too, saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from tests.pictures import pictures
from unwarp import AE, Dataset, Unwarper
from unwarp.core import IMAGES, Array
from unwarp.estimators import neighbours
from unwarp.estimators.clusters import KMeansClusters
from unwarp.estimators.grouping import FEW, Grouping
from unwarp.estimators.neighbours import NeighbourClusters


def rings(n: int, seed: int = 0) -> tuple[Array, Array]:
    """Points (2n, 2) of two circles about one centre, and the circle of each (2n,)."""
    points = np.random.default_rng(seed).normal(size=(2 * n, 2))
    is_outer = np.arange(2 * n) % 2
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / lengths * (1 + 2 * is_outer[:, None]), is_outer


def test_clusters_have_any_shape() -> None:
    """Two circles are two clusters, of new points as well, where k-means cuts them."""
    points, circles = rings(150)
    more, others = rings(80, seed=1)
    clusters = NeighbourClusters.fit(points, 2)
    assert adjusted_rand_score(circles, clusters.place(points)) == 1
    assert adjusted_rand_score(others, clusters.place(more)) == 1
    means = KMeansClusters.fit(points, 2).centers
    distances = np.linalg.norm(points[:, None] - means, axis=2)
    assert adjusted_rand_score(circles, distances.argmin(1)) < 0.1


def test_separate_groups_are_clusters() -> None:
    """A graph that falls into parts warns of nothing, and its parts are found."""
    rng = np.random.default_rng(0)
    codes = np.repeat(100 * np.eye(4), 30, 0) + rng.normal(size=(120, 4))
    labels = NeighbourClusters.fit(codes, 4).place(codes)
    assert adjusted_rand_score(np.repeat(np.arange(4), 30), labels) == 1


def test_square_codes_are_no_graph() -> None:
    """As many codes as columns are codes all the same, and nothing warns."""
    codes = np.random.default_rng(0).normal(size=(30, 30)) + 50 * (np.arange(30) % 2)[:, None]
    labels = NeighbourClusters.fit(codes, 2).place(codes)
    assert adjusted_rand_score(np.arange(30) % 2, labels) == 1


def test_same_seed_has_the_same_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many codes some are drawn by the seed; centres are the means of the drawn ones."""
    monkeypatch.setattr(neighbours, "MAX_REFERENCES", 100)
    points, circles = rings(150)
    first, second = (NeighbourClusters.fit(points, 2, seed=3) for _ in range(2))
    assert len(first.codes) == 100
    for name in ("centers", "codes", "labels"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    means = np.stack([first.codes[first.labels == k].mean(0) for k in range(2)])
    np.testing.assert_allclose(first.centers, means)
    assert adjusted_rand_score(circles, first.place(points)) == 1


def test_few_codes_are_not_enough() -> None:
    """A graph needs five distinct codes for each cluster."""
    assert NeighbourClusters.is_enough(np.random.default_rng(0).normal(size=(20, 2)), 4)
    assert not NeighbourClusters.is_enough(np.random.default_rng(0).normal(size=(19, 2)), 4)
    assert not NeighbourClusters.is_enough(np.zeros((50, 2)), 2)


def test_arrays_make_the_clusters_again() -> None:
    """The arrays round-trip; contradicting ones are refused."""
    clusters = NeighbourClusters.fit(rings(40)[0], 2)
    arrays = clusters.arrays()
    again = NeighbourClusters.of(clusters.centers, arrays)
    np.testing.assert_array_equal(again.place(clusters.codes), clusters.place(clusters.codes))
    damages: list[dict[str, Any]] = [
        {"codes": clusters.codes[:-1]},
        {"codes": clusters.codes * np.nan},
        {"labels": clusters.labels + 1},
    ]
    for damage in damages:
        with pytest.raises(ValueError, match="of the clusters"):
            NeighbourClusters.of(clusters.centers, arrays | damage)


@pytest.mark.parametrize(("content", "n"), [("gradients", 60), ("joint", 60), ("gradients", 8)])
def test_measured_pictures_have_a_graph(content: Any, n: int, tmp_path: Path) -> None:
    """Gradients of pictures enough get clusters by neighbours; they are saved and loaded."""
    x = pictures(n)
    options: dict[str, Any] = {"content": content, "refine": "none", "n_clusters": 3}
    model = Unwarper("affine", max_steps=2, device="cpu", **options).fit(x)
    is_graph = content == "gradients" and n == 60
    assert type(model.clusters_) is (NeighbourClusters if is_graph else KMeansClusters)
    np.testing.assert_array_equal(model.predict(x), model.labels_)
    model.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert type(loaded.clusters_) is type(model.clusters_)
    np.testing.assert_array_equal(loaded.predict(x), model.labels_)


def test_spectral_is_possible_for_any_code() -> None:
    """A learned code of pictures has neighbours too, where that is asked for."""
    options: Any = {"content": "joint", "clusters": "spectral", "refine": "none"}
    model = Unwarper("affine", max_steps=2, n_clusters=2, device="cpu", **options).fit(pictures(40))
    assert isinstance(model.clusters_, NeighbourClusters)


def test_few_pictures_are_told() -> None:
    """Too few pictures for a graph get k-means, and a message says so."""
    messages: list[str] = []
    model = AE(n_content=2).build((1, 8, 8)).eval()
    data = Dataset(torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    group = Grouping.of(model, data, IMAGES, "spectral", 3, notify=messages.append)
    assert isinstance(group.clusters, KMeansClusters)
    assert messages == [FEW.format("images", 3)]
