"""Ranks of methods over data sets: Demsar's published example, and diagrams that can be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.ranks import alike, critical_difference, diagram, mean_ranks

# Demsar 2006, Statistical comparisons of classifiers over multiple data sets, table 6:
# AUC of C4.5 with four settings
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
    ]
)  # fmt: skip


def test_ranks_equal_published_ones() -> None:
    """Mean ranks and critical difference of the published example."""
    np.testing.assert_allclose(mean_ranks(DEMSAR), [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_runs_join_equal_methods() -> None:
    """Runs join methods whose ranks differ by less than the critical difference."""
    assert alike(np.array([1.0, 1.5, 3.0, 3.4]), 1.0) == [(1.0, 1.5), (3.0, 3.4)]
    assert alike(np.array([1.0, 1.8, 2.6]), 1.0) == [(1.0, 1.8), (1.8, 2.6)]
    assert alike(np.array([1.0, 3.0, 5.0]), 1.0) == []
    assert alike(np.array([1.0, 1.2, 1.4]), 1.0) == [(1.0, 1.4)]


def test_diagram_names_methods() -> None:
    """The diagram shows the name and the rank of every method."""
    words = [text.get_text() for text in diagram(DEMSAR, list("abcd")).axes[0].texts]
    assert {"a  3.14", "b  2.00", "c  2.89", "d  1.96", "critical difference 1.25"} <= set(words)
