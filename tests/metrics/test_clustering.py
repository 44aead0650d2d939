"""Clusters against classes: the best matching, mutual information, and what a relabelling cannot change."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from unwarp.core import Labels
from unwarp.metrics.clustering import accuracy, kmeans, nmi, template_kmeans

RELABEL = np.array([30, -2, 7, 11])


def labelled(n: int = 60, k: int = 4, seed: int = 0) -> tuple[Labels, Labels]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    return np.where(random.random(n) < 0.6, labels, random.integers(0, k, n)), labels


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_clusters", [2, 4, 5])
def test_accuracy_is_the_best_of_all_matchings(n_clusters: int, seed: int) -> None:
    clusters, labels = labelled(seed=seed)
    clusters = np.where(clusters >= n_clusters, 0, clusters) + (n_clusters == 5) * (
        np.arange(60) % 7 == 0
    )
    wide = max(4, n_clusters)
    best = max(np.mean(np.array(p)[clusters] == labels) for p in permutations(range(wide)))
    assert accuracy(clusters, labels) == pytest.approx(best)


def test_names_of_clusters_and_classes_mean_nothing() -> None:
    clusters, labels = labelled()
    assert accuracy(RELABEL[clusters], RELABEL[::-1][labels]) == accuracy(clusters, labels) < 1
    assert nmi(RELABEL[clusters], RELABEL[::-1][labels]) == pytest.approx(nmi(clusters, labels))


def test_the_same_partition_scores_one() -> None:
    _, labels = labelled()
    assert accuracy(RELABEL[labels], labels) == 1.0
    assert nmi(RELABEL[labels], labels) == pytest.approx(1.0)


def test_one_cluster_for_all_scores_the_largest_class_and_tells_nothing() -> None:
    labels = np.repeat([0, 1, 2], [5, 3, 2])
    assert accuracy(np.zeros(10, int), labels) == 0.5
    assert nmi(np.zeros(10, int), labels) == 0.0


def test_independent_partitions_score_chance() -> None:
    random = np.random.default_rng(0)
    clusters, labels = random.integers(0, 4, (2, 20_000))
    assert accuracy(clusters, labels) == pytest.approx(0.25, abs=0.02)
    assert nmi(clusters, labels) == pytest.approx(0.0, abs=0.002)


def test_nmi_agrees_with_its_formula() -> None:
    clusters, labels = labelled()
    joint = np.histogram2d(clusters, labels, bins=(4, 4))[0] / len(labels)
    a, b = joint.sum(1), joint.sum(0)
    information = sum(p * np.log(p / (a[i] * b[j])) for (i, j), p in np.ndenumerate(joint) if p)
    entropy = -(a * np.log(a)).sum(), -(b * np.log(b)).sum()
    assert nmi(clusters, labels) == pytest.approx(information / np.mean(entropy))


def test_kmeans_finds_classes_that_lie_apart_and_not_those_that_do_not() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 4
    code = 5 * np.eye(4)[labels] + random.normal(size=(300, 4)) * 0.2
    assert kmeans(code[:200], code[200:], labels[200:]) == pytest.approx({"acc": 1.0, "nmi": 1.0})
    noise = random.normal(size=(300, 4))
    found = kmeans(noise[:200], noise[200:], labels[200:])
    assert found["acc"] < 0.45 and found["nmi"] < 0.15


def test_kmeans_does_not_see_the_names_of_the_classes() -> None:
    random = np.random.default_rng(0)
    code, labels = random.normal(size=(100, 3)), np.arange(100) % 4
    assert kmeans(code, code, labels, n_init=3) == pytest.approx(
        kmeans(code, code, RELABEL[labels], n_init=3)
    )


def test_templates_are_clustered_as_flat_pixels() -> None:
    random = np.random.default_rng(0)
    templates, labels = random.normal(size=(90, 1, 4, 5)), np.arange(90) % 3
    flat = kmeans(templates.reshape(90, -1), templates.reshape(90, -1), labels, n_init=3)
    found = template_kmeans(templates, templates, labels, n_init=3)
    assert found == {"template_acc": flat["acc"], "template_nmi": flat["nmi"]}
