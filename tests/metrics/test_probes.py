"""Preparation of probes: standardised columns and random splits."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.metrics.probes import split_rows, standardise


def test_standardise_uses_training_rows() -> None:
    """Training columns have mean 0 and deviation 1; held-out ones follow the same map."""
    generator = np.random.default_rng(0)
    train, test = 5 + 3 * generator.normal(size=(50, 2)), generator.normal(size=(20, 2))
    scaled, held_out = standardise(train, test)
    assert scaled.mean(0) == pytest.approx([0, 0]) and scaled.std(0) == pytest.approx([1, 1])
    assert held_out * train.std(0) + train.mean(0) == pytest.approx(test)


def test_standardised_constants_are_zero() -> None:
    """A column that is constant in training becomes 0, also on other held-out values."""
    scaled, held_out = standardise(np.full((4, 1), 7.0), np.array([[7.0], [9.0]]))
    assert not scaled.any() and not held_out.any()


def test_split_is_a_seeded_partition() -> None:
    """Every row is in one part, two thirds in the first; the seed decides."""
    train, test = split_rows(100, seed=3)
    assert len(train) == 66 and sorted([*train, *test]) == list(range(100))
    assert (split_rows(100, seed=3)[0] == train).all()
    assert (split_rows(100, seed=4)[0] != train).any()
