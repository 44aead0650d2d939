"""Scores of alignment: perfect where it is perfect, chance on noise, and what is left of variance is a share."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.metrics.separation import nearest, nearest_centroids, separation, variance_left

RANDOM = np.random.default_rng(0)


def classes(n: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Series (n, 1, 40) of two classes, a step up and a step down, and the classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    step = np.where(np.arange(40) < 20, -1.0, 1.0)
    return (2 * labels[:, None, None] - 1) * step + noise * random.normal(size=(n, 1, 40)), labels


def test_classes_that_lie_apart_are_told_apart() -> None:
    found = separation(*classes(40, 0.1, 0), *classes(20, 0.1, 1))
    assert found == {"1nn": 1.0, "centroid": 1.0, "acc": 1.0, "nmi": pytest.approx(1.0)}


def test_noise_is_chance() -> None:
    labels = RANDOM.integers(0, 2, 400)
    found = nearest(RANDOM.normal(size=(400, 5)), labels, RANDOM.normal(size=(400, 5)), RANDOM.integers(0, 2, 400))
    assert all(abs(value - 0.5) < 0.1 for value in found.values())


def test_a_neighbour_sees_a_class_in_two_parts_and_a_mean_does_not() -> None:
    train, labels = np.array([[-1.0], [1.0], [-0.1], [0.1]]), np.array([0, 0, 1, 1])
    found = nearest(train, labels, np.array([[-0.9], [0.9], [-0.08], [0.08]]), labels)
    assert found["1nn"] == 1.0 and found["centroid"] <= 0.75


def test_variance_left_is_the_share_of_what_was_there() -> None:
    x, clusters = RANDOM.normal(size=(12, 2, 30)), np.arange(12) % 3
    means = np.stack([x[clusters == k].mean(0) for k in range(3)])[clusters]
    assert variance_left(x, x, clusters) == pytest.approx(1)
    assert variance_left(x, means, clusters) == pytest.approx(0)
    assert variance_left(x, means + 0.5 * (x - means), clusters) == pytest.approx(0.25)
    assert np.isnan(variance_left(np.ones((3, 1, 4)), np.ones((3, 1, 4)), np.zeros(3)))


def test_more_means_a_class_see_a_class_in_two_parts() -> None:
    train, labels = np.array([[-1.0], [1.0], [-0.1], [0.1]]), np.array([0, 0, 1, 1])
    test, known = np.array([[-0.9], [0.9], [-0.08], [0.08]]), labels
    assert nearest_centroids(train, labels, test, known) == nearest(train, labels, test, known)["centroid"]
    assert nearest_centroids(train, labels, test, known, each=2) == 1.0
    assert nearest_centroids(train, labels, test, known, each=9) == 1.0
