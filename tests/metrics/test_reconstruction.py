"""Reconstruction: sums over features, means over samples, shares of variance."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.metrics.reconstruction import explained, reconstruction_error

X = np.random.default_rng(0).random((20, 2, 5, 6))


def test_perfect_reconstructions() -> None:
    assert reconstruction_error(X, X) == 0.0
    assert explained(X, X) == 1.0


def test_the_error_is_summed_over_features_and_averaged_over_samples() -> None:
    assert reconstruction_error(X, X + 0.5) == pytest.approx(0.25 * 60)
    assert reconstruction_error(X.repeat(3, -1), X.repeat(3, -1) + 0.5) == pytest.approx(
        3 * 0.25 * 60
    )
    assert reconstruction_error(X.repeat(3, 0), X.repeat(3, 0) + 0.5) == pytest.approx(0.25 * 60)


def test_the_mean_sample_explains_nothing_and_worse_is_negative() -> None:
    assert explained(X, np.broadcast_to(X.mean(0), X.shape)) == pytest.approx(0.0)
    assert explained(X, X.mean(0) + 2 * (X - X.mean(0)) * -1) < 0


def test_half_the_deviation_explains_three_quarters() -> None:
    assert explained(X, (X + X.mean(0)) / 2) == pytest.approx(0.75)


def test_the_share_ignores_units() -> None:
    guess = X[::-1]
    assert explained(255 * X + 7, 255 * guess + 7) == pytest.approx(explained(X, guess))


def test_no_variance_is_no_share() -> None:
    assert np.isnan(explained(np.ones((3, 4)), np.ones((3, 4))))
