"""Nearest neighbours and the linear probe: perfect codes, noise, and what they ignore."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.core import Array, Labels
from unwarp.metrics import Score
from unwarp.metrics.neighbours import linear, neighbours

K = 4


def blobs(n: int, seed: int, spread: float = 0.1) -> tuple[Array, Labels]:
    random = np.random.default_rng(seed)
    labels = np.arange(n) % K
    return 3 * np.eye(K)[labels] + spread * random.normal(size=(n, K)), labels


@pytest.mark.parametrize("score", [neighbours, linear])
def test_one_on_a_perfect_code(score: Score) -> None:
    assert score(*blobs(200, 0), *blobs(80, 1)) == 1.0


@pytest.mark.parametrize("score", [neighbours, linear])
def test_chance_on_noise(score: Score) -> None:
    random = np.random.default_rng(0)
    (_, train_labels), (_, labels) = blobs(800, 0), blobs(800, 1)
    found = score(random.normal(size=(800, 6)), train_labels, random.normal(size=(800, 6)), labels)
    assert found == pytest.approx(1 / K, abs=0.06)


def test_the_probe_ignores_offset_and_scale_of_every_column() -> None:
    (train, train_labels), (codes, labels) = blobs(200, 0, 1.5), blobs(200, 1, 1.5)
    scale, offset = np.array([1e-3, 1.0, 50.0, 1e4]), np.array([5.0, -3.0, 0.0, 100.0])
    moved = linear(train * scale + offset, train_labels, codes * scale + offset, labels)
    assert 0.4 < moved < 1
    assert moved == pytest.approx(linear(train, train_labels, codes, labels), abs=0.01)


def test_neighbours_ignore_a_rotation_of_the_code() -> None:
    (train, train_labels), (codes, labels) = blobs(200, 0, 2.0), blobs(200, 1, 2.0)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(K, K)))[0]
    assert neighbours(train @ turn, train_labels, codes @ turn, labels) == neighbours(
        train, train_labels, codes, labels
    )


def test_neighbours_agree_with_a_vote_by_hand() -> None:
    (train, train_labels), (codes, labels) = blobs(60, 0, 2.0), blobs(40, 1, 2.0)
    nearest = np.argsort(np.square(codes[:, None] - train).sum(-1), axis=1)[:, :5]
    votes = [np.bincount(train_labels[row], minlength=K).argmax() for row in nearest]
    assert neighbours(train, train_labels, codes, labels) == np.mean(votes == labels)


def test_fewer_training_codes_than_neighbours_still_vote() -> None:
    train = np.array([[0.0], [0.1], [5.0]])
    assert neighbours(train, np.array([1, 1, 0]), np.array([[4.0]]), np.array([1])) == 1.0
