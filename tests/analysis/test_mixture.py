"""A mixture over latents: draws have the moments of the data."""

from __future__ import annotations

import numpy as np

from unwarp.analysis.mixture import Mixture


def two_clusters(n: int = 3000) -> np.ndarray:
    """Latents (n + n / 3, 3) of two Gaussians."""
    generator = np.random.default_rng(0)
    left = generator.normal(size=(n, 3)) @ np.array(
        [[1.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.1]]
    )
    return np.concatenate(
        [left, np.array([8.0, 0.0, 1.0]) + 0.5 * generator.normal(size=(n // 3, 3))]
    )


def test_draws_have_moments_of_data() -> None:
    """Draws have the mean, covariance and shares of the latents."""
    latents = two_clusters()
    draws = Mixture.fit(latents, 2).sample(40_000)
    np.testing.assert_allclose(draws.mean(0), latents.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(draws.T), np.cov(latents.T), atol=0.25)
    assert abs(np.mean(draws[:, 0] > 5) - 0.25) < 0.02


def test_same_seed_same_draws() -> None:
    """Draws follow from the seed."""
    mixture = Mixture.fit(two_clusters(300), 2)
    assert np.array_equal(mixture.sample(5, seed=3), mixture.sample(5, seed=3))
    assert not np.array_equal(mixture.sample(5, seed=3), mixture.sample(5, seed=4))


def test_few_samples_are_fitted() -> None:
    """Few samples and constant columns give finite draws."""
    latents = np.column_stack([np.arange(4.0), np.ones(4)])
    draws = Mixture.fit(latents, 10).sample(50)
    assert np.isfinite(draws).all()
    np.testing.assert_allclose(draws[:, 1], 1, atol=0.02)
