"""A mixture over latents: what it draws has the moments of what it was fitted to."""

from __future__ import annotations

import numpy as np

from unwarp.analysis.mixture import Mixture


def two_heaps(n: int = 3000) -> np.ndarray:
    generator = np.random.default_rng(0)
    left = generator.normal(size=(n, 3)) @ np.array(
        [[1.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.1]]
    )
    return np.concatenate(
        [left, np.array([8.0, 0.0, 1.0]) + 0.5 * generator.normal(size=(n // 3, 3))]
    )


def test_draws_have_the_moments_of_the_data() -> None:
    latents = two_heaps()
    drawn = Mixture.fit(latents, 2).sample(40_000)
    np.testing.assert_allclose(drawn.mean(0), latents.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(latents.T), atol=0.25)
    assert abs(np.mean(drawn[:, 0] > 5) - 0.25) < 0.02


def test_same_seed_same_draws() -> None:
    found = Mixture.fit(two_heaps(300), 2)
    assert np.array_equal(found.sample(5, seed=3), found.sample(5, seed=3))
    assert not np.array_equal(found.sample(5, seed=3), found.sample(5, seed=4))


def test_few_samples_and_constant_columns_are_no_obstacle() -> None:
    latents = np.column_stack([np.arange(4.0), np.ones(4)])
    drawn = Mixture.fit(latents, 10).sample(50)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn[:, 1], 1, atol=0.02)
