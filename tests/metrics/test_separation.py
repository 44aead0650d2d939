"""Separation of classes: perfect classes, noise, and the remaining share of variance."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.core import Array, Labels
from unwarp.errors import DataError
from unwarp.metrics.separation import (
    class_separation,
    codes_separation,
    nearest_accuracy,
    nearest_centroids,
    variance_left,
    variance_ratio,
)

RANDOM = np.random.default_rng(0)


def classes(n: int, noise: float, seed: int) -> tuple[Array, Labels]:
    """Series (n, 1, 40) of two classes, a step up and a step down, and the classes."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    step = np.where(np.arange(40) < 20, -1.0, 1.0)
    return (2 * labels[:, None, None] - 1) * step + noise * generator.normal(
        size=(n, 1, 40)
    ), labels


def test_separate_classes_score_one() -> None:
    """Separate classes are read without error."""
    scores = class_separation(*classes(40, 0.1, 0), *classes(20, 0.1, 1))
    assert scores == {"1nn": 1.0, "centroid": 1.0, "acc": 1.0, "nmi": pytest.approx(1.0)}


def test_noise_is_chance() -> None:
    """Noise has the accuracy of a guess."""
    labels = RANDOM.integers(0, 2, 400)
    scores = nearest_accuracy(
        RANDOM.normal(size=(400, 5)),
        labels,
        RANDOM.normal(size=(400, 5)),
        RANDOM.integers(0, 2, 400),
    )
    assert all(abs(value - 0.5) < 0.1 for value in scores.values())


def test_neighbour_reads_class_in_two_parts() -> None:
    """The nearest neighbour reads a class in two parts, the nearest mean does not."""
    train, labels = np.array([[-1.0], [1.0], [-0.1], [0.1]]), np.array([0, 0, 1, 1])
    scores = nearest_accuracy(train, labels, np.array([[-0.9], [0.9], [-0.08], [0.08]]), labels)
    assert scores["1nn"] == 1.0 and scores["centroid"] <= 0.75


def test_variance_ratio_by_hand() -> None:
    """The ratio is the share of the variance that remains."""
    x, clusters = RANDOM.normal(size=(12, 2, 30)), np.arange(12) % 3
    means = np.stack([x[clusters == k].mean(0) for k in range(3)])[clusters]
    assert variance_ratio(x, x, clusters) == pytest.approx(1)
    assert variance_ratio(x, means, clusters) == pytest.approx(0)
    assert variance_ratio(x, means + 0.5 * (x - means), clusters) == pytest.approx(0.25)
    assert np.isnan(variance_ratio(np.ones((3, 1, 4)), np.ones((3, 1, 4)), np.zeros(3)))


def test_variance_left_of_nearest_clusters() -> None:
    """A series belongs to the centre nearest to its code; constant ones have no score."""
    x, clusters, centers = RANDOM.normal(size=(12, 2, 30)), np.arange(12) % 3, 5 * np.eye(3)
    codes = centers[clusters] + 0.1 * RANDOM.normal(size=(12, 3))
    aligned = x + RANDOM.normal(size=x.shape)
    scores = variance_left(x, aligned, codes, centers)
    assert scores == {"variance_left": variance_ratio(x, aligned, clusters)}
    assert variance_left(np.ones((12, 1, 4)), np.ones((12, 1, 4)), codes, centers) == {}


def test_codes_need_row_for_each_series() -> None:
    """Other numbers of codes and series are refused."""
    codes, labels = np.eye(4), np.arange(4) % 2
    with pytest.raises(DataError, match="codes has 4 rows, series 3"):
        codes_separation(codes, labels, codes, labels, np.zeros((3, 1, 8)))


def test_more_means_read_class_in_two_parts() -> None:
    """Two means read a class in two parts, one does not."""
    train, labels = np.array([[-1.0], [1.0], [-0.1], [0.1]]), np.array([0, 0, 1, 1])
    test = np.array([[-0.9], [0.9], [-0.08], [0.08]])
    assert (
        nearest_centroids(train, labels, test, labels)
        == nearest_accuracy(train, labels, test, labels)["centroid"]
    )
    assert nearest_centroids(train, labels, test, labels, n_means=2) == 1.0
    assert nearest_centroids(train, labels, test, labels, n_means=9) == 1.0
