"""Grouping: which clusters samples get, how many, and what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import waves
from unwarp import Dataset, Unwarper
from unwarp.core import SERIES
from unwarp.estimators import grouping
from unwarp.estimators.clusters import KMeansClusters
from unwarp.estimators.grouping import Grouping
from unwarp.estimators.spectral import SpectralClusters
from unwarp.models import AE, Net
from unwarp.warps import CosineTime

OPTIONS: dict[str, Any] = {"max_steps": 2, "device": "cpu", "warp": "identity"}


def series(n: int = 24, seed: int = 0) -> Any:
    """Two kinds of series (n, 40), one after the other: bumps and waves with noise."""
    rng, time = np.random.default_rng(seed), np.linspace(0, 1, 40)
    is_wave = np.arange(n) % 2 == 1
    shapes = np.stack([np.exp(-0.5 * ((time - 0.5) / 0.1) ** 2), np.sin(6 * np.pi * time)])
    return shapes[is_wave.astype(int)] + 0.05 * rng.normal(size=(n, 40))


@pytest.mark.parametrize("method", ["auto", "kmeans", "spectral"])
def test_clusters_are_those_of_the_argument(method: str, tmp_path: Path) -> None:
    """Elastic content gets spectral clusters unless asked; both find the kinds and are saved."""
    X = series()
    options: Any = OPTIONS | {"content": "elastic", "clusters": method}
    unwarper = Unwarper(n_clusters=2, **options)
    labels = unwarper.fit_predict(X)
    kind = KMeansClusters if method == "kmeans" else SpectralClusters
    assert isinstance(unwarper.clusters_, kind)
    assert set(labels[::2]) != set(labels[1::2]) and len(set(labels[::2])) == 1
    np.testing.assert_array_equal(unwarper.predict(X), labels)
    centres = np.stack([unwarper.transform(X)[labels == k].mean(0) for k in range(2)])
    np.testing.assert_allclose(unwarper.cluster_centers_, centres, atol=1e-5)
    assert unwarper.cluster_templates_.shape == (2, 1, 40)
    unwarper.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), labels)
    assert type(loaded.clusters_) is kind and loaded.outlier_ is None


def test_joint_content_has_kmeans() -> None:
    """Without measured codes `auto` is k-means, and there are no flags of strangers."""
    unwarper = Unwarper(content="joint", n_clusters=2, **OPTIONS).fit(series())
    assert isinstance(unwarper.clusters_, KMeansClusters) and unwarper.outlier_ is None


def test_spectral_clusters_of_joint_content() -> None:
    """Series with a learned code have elastic distances too."""
    options: Any = OPTIONS | {"content": "joint", "clusters": "spectral"}
    unwarper = Unwarper(n_clusters=2, **options)
    labels = unwarper.fit(series()).labels_
    assert labels is not None and len(set(labels[::2])) == 1 and labels[0] != labels[1]


def test_unequal_lengths_have_clusters() -> None:
    """Gaps at the ends, and gaps inside that are masked."""
    X = waves()
    unwarper = Unwarper(content="elastic", n_clusters=2, missing="mask", **OPTIONS).fit(X)
    np.testing.assert_array_equal(unwarper.predict(X), unwarper.labels_)


@pytest.mark.parametrize("n_references", [1000, 10])
def test_strangers_are_flagged(n_references: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A series that shares nothing with the others is, and a message names its row."""
    monkeypatch.setattr(grouping, "MAX_REFERENCES", n_references)
    x = torch.from_numpy(series(40)).float()[:, None]
    x[17] = 3 * torch.randn(1, 40, generator=torch.Generator().manual_seed(0))
    messages: list[str] = []
    recipe = AE(warp=CosineTime(), n_content=2, net=Net(channels=8))
    model = recipe.build((1, 40), seed=0).eval()
    group = Grouping.of(model, Dataset(x), SERIES, "spectral", notify=messages.append)
    assert group.outliers is not None and group.outliers[17] and group.outliers.sum() <= 2
    assert len(group.labels) == 40 and group.labels.max() < len(group.clusters.centers)
    assert messages[0].startswith("clusters: ") and "by the largest gap" in messages[0]
    assert "17" in messages[1]


def test_known_classes_set_the_number() -> None:
    """Classes, if there are labels, say how many clusters; nothing is suggested then."""
    messages: list[str] = []
    data = Dataset(torch.from_numpy(series()).float()[:, None], labels=np.arange(24) % 4)
    model = AE(warp=CosineTime(), n_content=2, net=Net(channels=8)).build((1, 40), seed=0).eval()
    group = Grouping.of(model, data, SERIES, "spectral", notify=messages.append)
    assert len(group.clusters.centers) == 4
    assert not [line for line in messages if line.startswith("clusters")]


@pytest.mark.parametrize("method", ["auto", "kmeans", "spectral"])
def test_one_stage_models_have_clusters(method: str) -> None:
    """An encoder without a content network of its own groups its series, too."""
    X = np.random.default_rng(0).normal(size=(20, 30)).cumsum(1)
    recipe = AE(warp=CosineTime(), encoder="one-stage", net=Net(channels=8))
    model = Unwarper(recipe=recipe, clusters=method, n_clusters=3, max_steps=2).fit(X)
    assert model.predict(X).shape == (20,) and np.array_equal(model.predict(X), model.labels_)
