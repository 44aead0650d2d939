"""Reconstruction: sums over features, means over samples, shares of variance."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.metrics.reconstruction import explained, reconstruction_error

X = np.random.default_rng(0).random((20, 2, 5, 6))


def test_perfect_reconstruction() -> None:
    """A perfect reconstruction has no error and explains all variance."""
    assert reconstruction_error(X, X) == 0.0
    assert explained(X, X) == 1.0


def test_error_sums_features() -> None:
    """Errors are summed over features and averaged over samples."""
    assert reconstruction_error(X, X + 0.5) == pytest.approx(0.25 * 60)
    assert reconstruction_error(X.repeat(3, -1), X.repeat(3, -1) + 0.5) == pytest.approx(
        3 * 0.25 * 60
    )
    assert reconstruction_error(X.repeat(3, 0), X.repeat(3, 0) + 0.5) == pytest.approx(0.25 * 60)


def test_mean_sample_explains_nothing() -> None:
    """The mean sample explains 0, worse is negative."""
    assert explained(X, np.broadcast_to(X.mean(0), X.shape)) == pytest.approx(0.0)
    assert explained(X, X.mean(0) + 2 * (X - X.mean(0)) * -1) < 0


def test_explained_by_hand() -> None:
    """Half the deviation explains three quarters of the variance."""
    assert explained(X, (X + X.mean(0)) / 2) == pytest.approx(0.75)


def test_explained_ignores_unit() -> None:
    """The share does not depend on unit and offset."""
    guess = X[::-1]
    assert explained(255 * X + 7, 255 * guess + 7) == pytest.approx(explained(X, guess))


def test_constant_samples_have_no_share() -> None:
    """Equal samples have no variance to explain."""
    assert np.isnan(explained(np.ones((3, 4)), np.ones((3, 4))))
