"""Clusters against classes: the best matching, mutual information, and relabelling."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from unwarp.core import Labels
from unwarp.metrics.clustering import accuracy, kmeans, nmi, template_kmeans

RELABEL = np.array([30, -2, 7, 11])


def noisy_clusters(n: int = 60, k: int = 4, seed: int = 0) -> tuple[Labels, Labels]:
    """Clusters that agree with random labels for 60 % of the samples, and the labels."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, k, n)
    return np.where(generator.random(n) < 0.6, labels, generator.integers(0, k, n)), labels


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_clusters", [2, 4, 5])
def test_accuracy_of_best_matching(n_clusters: int, seed: int) -> None:
    """Accuracy is that of the best of all one-to-one matchings."""
    clusters, labels = noisy_clusters(seed=seed)
    clusters = np.where(clusters >= n_clusters, 0, clusters) + (n_clusters == 5) * (
        np.arange(60) % 7 == 0
    )
    wide = max(4, n_clusters)
    best = max(np.mean(np.array(p)[clusters] == labels) for p in permutations(range(wide)))
    assert accuracy(clusters, labels) == pytest.approx(best)


def test_scores_ignore_names() -> None:
    """Renamed clusters and classes score the same."""
    clusters, labels = noisy_clusters()
    assert accuracy(RELABEL[clusters], RELABEL[::-1][labels]) == accuracy(clusters, labels) < 1
    assert nmi(RELABEL[clusters], RELABEL[::-1][labels]) == pytest.approx(nmi(clusters, labels))


def test_same_partition_is_perfect() -> None:
    """Clusters that are the classes score 1."""
    _, labels = noisy_clusters()
    assert accuracy(RELABEL[labels], labels) == 1.0
    assert nmi(RELABEL[labels], labels) == pytest.approx(1.0)


def test_single_cluster() -> None:
    """One cluster for all scores the largest class and carries no information."""
    labels = np.repeat([0, 1, 2], [5, 3, 2])
    assert accuracy(np.zeros(10, int), labels) == 0.5
    assert nmi(np.zeros(10, int), labels) == 0.0


def test_independent_partitions_are_chance() -> None:
    """Random clusters have chance accuracy and no mutual information."""
    generator = np.random.default_rng(0)
    clusters, labels = generator.integers(0, 4, (2, 20_000))
    assert accuracy(clusters, labels) == pytest.approx(0.25, abs=0.02)
    assert nmi(clusters, labels) == pytest.approx(0.0, abs=0.002)


def test_nmi_formula() -> None:
    """It is the mutual information over the mean of the two entropies."""
    clusters, labels = noisy_clusters()
    joint = np.histogram2d(clusters, labels, bins=(4, 4))[0] / len(labels)
    a, b = joint.sum(1), joint.sum(0)
    information = sum(p * np.log(p / (a[i] * b[j])) for (i, j), p in np.ndenumerate(joint) if p)
    entropy = -(a * np.log(a)).sum(), -(b * np.log(b)).sum()
    assert nmi(clusters, labels) == pytest.approx(information / np.mean(entropy))


def test_kmeans_on_blobs_and_noise() -> None:
    """Separate classes are recovered, noise scores low."""
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 4
    codes = 5 * np.eye(4)[labels] + generator.normal(size=(300, 4)) * 0.2
    assert kmeans(codes[:200], codes[200:], labels[200:]) == pytest.approx({"acc": 1.0, "nmi": 1.0})
    noise = generator.normal(size=(300, 4))
    scores = kmeans(noise[:200], noise[200:], labels[200:])
    assert scores["acc"] < 0.45 and scores["nmi"] < 0.15


def test_kmeans_ignores_class_names() -> None:
    """Renamed classes leave the scores of k-means unchanged."""
    generator = np.random.default_rng(0)
    codes, labels = generator.normal(size=(100, 3)), np.arange(100) % 4
    assert kmeans(codes, codes, labels, n_init=3) == pytest.approx(
        kmeans(codes, codes, RELABEL[labels], n_init=3)
    )


def test_template_kmeans_of_few_pixels() -> None:
    """With few pixels the scores are those of k-means on flat templates."""
    generator = np.random.default_rng(0)
    templates, labels = generator.normal(size=(90, 1, 4, 5)), np.arange(90) % 3
    flat = kmeans(templates.reshape(90, -1), templates.reshape(90, -1), labels, n_init=3)
    scores = template_kmeans(templates, templates, labels, n_init=3)
    assert scores == {"template_acc": flat["acc"], "template_nmi": flat["nmi"]}
