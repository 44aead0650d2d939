"""Nearest neighbours and the linear probe: perfect codes, noise, invariances."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.core import Array, Labels
from unwarp.metrics import Score
from unwarp.metrics.neighbours import linear, neighbours

K = 4


def blobs(n: int, seed: int, spread: float = 0.1) -> tuple[Array, Labels]:
    """Codes (n, K) about K corners, and their classes."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % K
    return 3 * np.eye(K)[labels] + spread * generator.normal(size=(n, K)), labels


@pytest.mark.parametrize("score", [neighbours, linear])
def test_perfect_code_scores_one(score: Score) -> None:
    """Separate classes are read without error."""
    assert score(*blobs(200, 0), *blobs(80, 1)) == 1.0


@pytest.mark.parametrize("score", [neighbours, linear])
def test_noise_is_chance(score: Score) -> None:
    """Noise has the accuracy of a guess."""
    generator = np.random.default_rng(0)
    (_, train_labels), (_, labels) = blobs(800, 0), blobs(800, 1)
    accuracy = score(
        generator.normal(size=(800, 6)), train_labels, generator.normal(size=(800, 6)), labels
    )
    assert accuracy == pytest.approx(1 / K, abs=0.06)


def test_linear_ignores_scale() -> None:
    """The linear probe ignores offset and scale of each column."""
    (train, train_labels), (codes, labels) = blobs(200, 0, 1.5), blobs(200, 1, 1.5)
    scale, offset = np.array([1e-3, 1.0, 50.0, 1e4]), np.array([5.0, -3.0, 0.0, 100.0])
    rescaled = linear(train * scale + offset, train_labels, codes * scale + offset, labels)
    assert 0.4 < rescaled < 1
    assert rescaled == pytest.approx(linear(train, train_labels, codes, labels), abs=0.01)


def test_neighbours_ignore_rotation() -> None:
    """A rotated code has the same neighbours."""
    (train, train_labels), (codes, labels) = blobs(200, 0, 2.0), blobs(200, 1, 2.0)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(K, K)))[0]
    assert neighbours(train @ rotation, train_labels, codes @ rotation, labels) == neighbours(
        train, train_labels, codes, labels
    )


def test_neighbours_by_hand() -> None:
    """The score is that of a majority vote of the five nearest codes."""
    (train, train_labels), (codes, labels) = blobs(60, 0, 2.0), blobs(40, 1, 2.0)
    nearest = np.argsort(np.square(codes[:, None] - train).sum(-1), axis=1)[:, :5]
    votes = [np.bincount(train_labels[row], minlength=K).argmax() for row in nearest]
    assert neighbours(train, train_labels, codes, labels) == np.mean(votes == labels)


def test_few_training_codes_vote() -> None:
    """If there are fewer training codes than neighbours, all of them vote."""
    train = np.array([[0.0], [0.1], [5.0]])
    assert neighbours(train, np.array([1, 1, 0]), np.array([[4.0]]), np.array([1])) == 1.0
