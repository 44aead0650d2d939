"""Preparation: opened and prepared samples stand for the samples themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from unwarp import Unwarper


def test_prepared_samples_stand_for_samples() -> None:
    """Methods return the same for samples, and for what `open` and `prepare_samples` return."""
    X = np.random.default_rng(0).normal(size=(8, 20))
    unwarper = Unwarper("time", max_steps=1, n_clusters=2, device="cpu").fit(X)
    forms = (X, unwarper.open(X), unwarper.prepare_samples(X))
    expected = unwarper.align(X)
    for form in forms:
        np.testing.assert_array_equal(unwarper.align(form), expected)
        assert torch.equal(unwarper.prepare(form), unwarper.prepare(X))
    assert unwarper.prepare_samples(forms[2]) is forms[2]


def test_prepare_needs_a_trained_model() -> None:
    """Samples have no scale before `fit`, but can be opened."""
    X = np.random.default_rng(0).normal(size=(8, 20))
    assert len(Unwarper().open(X)) == 8
    with pytest.raises(NotFittedError):
        Unwarper().prepare(X)
