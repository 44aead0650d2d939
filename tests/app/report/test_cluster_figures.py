"""Clusters of pictures show their means before and after alignment, and their templates."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.app.outcome import Outcome
from unwarp.app.report import cluster_figures
from unwarp.app.report.cluster_figures import clusters, clusters_caption
from unwarp.app.report.examples import overview_clusters, overview_samples


def test_clusters_show_means(image_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first row holds the mean images of the clusters, and captions their sizes."""
    monkeypatch.setattr(cluster_figures, "MAX_CLUSTERS_OF_PICTURES", 3)
    figure = clusters(image_run)
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["mean before", "mean after", "template"]
    numbers, sizes = np.unique(overview_clusters(image_run), return_counts=True)
    texts = [text.get_text().split("\n") for text in figure.axes[2].get_xticklabels()]
    assert len(texts) == 3 == len(figure.axes[0].images)
    for image, (name, size, *_) in zip(figure.axes[0].images, texts, strict=True):
        number = int(name.removeprefix("cluster "))
        assert int(size) == sizes[numbers == number][0]
        members = torch.from_numpy(overview_clusters(image_run) == number)
        mean = overview_samples(image_run)[members].mean(0)[0].clamp(0, 1)
        np.testing.assert_allclose(image.get_array(), mean, atol=1e-5)
    assert "since few are held out" in clusters_caption(image_run)


def test_symmetries_are_captions(image_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that looks alike after half a turn is marked below its picture."""
    monkeypatch.setattr(cluster_figures, "symmetry_names", lambda run: ["2-fold"] * 20)
    texts = [text.get_text() for text in clusters(image_run).axes[2].get_xticklabels()]
    assert all(text.endswith("\n2-fold") for text in texts)
