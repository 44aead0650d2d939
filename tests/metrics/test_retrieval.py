"""Retrieval: average precision by hand, by scikit-learn, and at its extremes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.retrieval import (
    Distance,
    average_precision,
    retrieval_by_chunk,
    retrieval_map,
)

K = 4


def blobs(n: int, seed: int, spread: float = 1.0) -> tuple[Array, NDArray[np.integer]]:
    """Codes (n, K) about K corners, and their classes."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % K
    return 3 * np.eye(K)[labels] + spread * generator.normal(size=(n, K)), labels


@pytest.mark.parametrize(
    ("relevant", "expected"),
    [
        ([1, 1, 0, 0], 1.0),
        ([1, 0, 1, 0], (1 + 2 / 3) / 2),
        ([0, 0, 1, 1], (1 / 3 + 2 / 4) / 2),
        ([0, 0, 0, 1], 1 / 4),
        ([1, 1, 1, 1], 1.0),
    ],
)
def test_average_precision_by_hand(relevant: list[int], expected: float) -> None:
    """Rankings of four items, in any order of the gallery."""
    shuffled = np.array([2, 0, 3, 1])
    distance, hit = np.arange(4.0)[None, shuffled], np.array(relevant, bool)[None, shuffled]
    assert average_precision(distance, hit) == pytest.approx([expected])


def test_ties_have_no_order() -> None:
    """Items at equal distance count together."""
    hit = np.array([[True, False, False, True, False]])
    assert average_precision(np.ones((1, 5)), hit) == pytest.approx([2 / 5])
    assert average_precision(np.array([[0.0, 0.0, 1.0, 2.0, 2.0]]), hit) == pytest.approx(
        [(1 / 2 + 2 / 5) / 2]
    )


def test_precision_agrees_with_sklearn() -> None:
    """Each row agrees with scikit-learn."""
    generator = np.random.default_rng(0)
    distance, hit = (
        generator.integers(0, 12, (30, 50)).astype(float),
        generator.random((30, 50)) < 0.2,
    )
    published = [
        average_precision_score(row, -distances)
        for row, distances in zip(hit, distance, strict=True)
    ]
    assert average_precision(distance, hit) == pytest.approx(published)


def test_no_relevant_item_is_nan() -> None:
    """A query without a relevant item has no precision."""
    assert np.isnan(average_precision(np.arange(3.0)[None], np.zeros((1, 3), bool))).all()


def test_map_by_hand() -> None:
    """The score is the mean over two queries."""
    gallery, classes = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 1, 1])
    assert retrieval_map(gallery, classes, np.array([[0.1]]), np.array([0])) == 1.0
    assert retrieval_map(gallery, classes, np.array([[0.1]]), np.array([1])) == pytest.approx(
        (1 / 3 + 2 / 4) / 2
    )
    mean = retrieval_map(gallery, classes, np.array([[0.1], [0.1]]), np.array([0, 1]))
    assert mean == pytest.approx((1 + 5 / 12) / 2)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_map_of_perfect_code_and_noise(distance: Distance) -> None:
    """A perfect code scores 1, noise the share of a class."""
    arrays = *blobs(200, 0, 0.05), *blobs(80, 1, 0.05)
    assert retrieval_map(*arrays, distance=distance) == 1.0
    generator = np.random.default_rng(0)
    labels = np.arange(800) % K
    noise = generator.normal(size=(2, 800, 6))
    score = retrieval_map(noise[0], labels, noise[1], labels, distance=distance)
    assert score == pytest.approx(1 / K, abs=0.02)


def test_constant_code_is_chance() -> None:
    """A constant code scores chance, also for a sorted gallery."""
    labels = np.sort(np.arange(400) % K)
    assert retrieval_map(np.zeros((400, 2)), labels, np.zeros((400, 2)), labels) == pytest.approx(
        1 / K
    )


def test_map_ignores_rigid_motion() -> None:
    """Rotation, offset and scale of the whole code change nothing."""
    (gallery, classes), (codes, labels) = blobs(120, 0), blobs(60, 1)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(K, K)))[0]
    score = retrieval_map(7 * gallery @ rotation + 3, classes, 7 * codes @ rotation + 3, labels)
    assert 0.5 < score < 1
    assert score == pytest.approx(retrieval_map(gallery, classes, codes, labels))


def test_cosine_ignores_norm() -> None:
    """The cosine distance ignores the norm of codes, the Euclidean one does not."""
    (gallery, classes), (codes, labels) = blobs(120, 0), blobs(60, 1)
    longer = codes * np.linspace(0.1, 50, 60)[:, None]
    assert retrieval_map(gallery, classes, longer, labels, "cosine") == pytest.approx(
        retrieval_map(gallery, classes, codes, labels, "cosine")
    )
    assert retrieval_map(gallery, classes, longer, labels) != pytest.approx(
        retrieval_map(gallery, classes, codes, labels)
    )


def test_blocks_agree_with_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blocks change nothing; a sample of queries is near the whole."""
    (gallery, classes), (codes, labels) = blobs(120, 0, 2.0), blobs(400, 1, 2.0)
    whole = retrieval_map(gallery, classes, codes, labels)
    assert retrieval_map(gallery, classes, codes, labels, max_queries=200) == pytest.approx(
        whole, abs=0.03
    )
    monkeypatch.setattr("unwarp.metrics.retrieval.MAX_DISTANCES_PER_BLOCK", 500)
    assert retrieval_map(gallery, classes, codes, labels) == pytest.approx(whole)


def test_absent_classes_are_left_out() -> None:
    """Queries without a relevant item do not count; they cannot be all."""
    gallery, classes = blobs(40, 0, 0.05)
    codes, labels = blobs(20, 1, 0.05)
    assert (
        retrieval_map(gallery, classes, np.vstack([codes, codes]), np.r_[labels, np.full(20, 99)])
        == 1.0
    )
    with pytest.raises(DataError, match="no query has an item of its class"):
        retrieval_map(gallery, classes, codes, labels + 50)


def test_chunks_hold_their_factors() -> None:
    """A factor is retrieved from its chunk, and by chance from the rest."""
    generator = np.random.default_rng(0)
    values = generator.integers(0, 3, (400, 2))
    code = np.hstack([np.eye(3)[values[:, 1]], generator.normal(size=(400, 2)), values[:, :1]])
    table = retrieval_by_chunk(code[:200], values[:200], code[200:], values[200:], (3, 2, 1))
    assert table.shape == (3, 2)
    assert (table[0, 1], table[2, 0]) == (1.0, 1.0)
    remainder = [table[0, 0], table[1, 0], table[1, 1], table[2, 1]]
    assert remainder == pytest.approx([1 / 3] * 4, abs=0.06)


def test_invalid_arguments_are_refused() -> None:
    """The error names the argument that does not fit."""
    gallery, classes = blobs(40, 0)
    with pytest.raises(DataError, match="must share D >= 1"):
        retrieval_map(gallery, classes, gallery[:, :2], classes)
    with pytest.raises(DataError, match="codes has 40 rows, labels 39"):
        retrieval_map(gallery, classes, gallery, classes[1:])
    with pytest.raises(DataError, match="train_codes has 40 rows, train_labels 39"):
        retrieval_map(gallery, classes[1:], gallery, classes)
    with pytest.raises(ConfigError, match="distance='dot' is unknown"):
        retrieval_map(gallery, classes, gallery, classes, "dot")  # type: ignore[arg-type]
    for chunks in ((2, 1), (), (5, -1)):
        with pytest.raises(ConfigError, match="sum to D = 4"):
            retrieval_by_chunk(gallery, classes[:, None], gallery, classes[:, None], chunks)
