"""Likelihoods of a model with known log p(x), and diagnostics in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.likelihood import (
    active_units,
    bits_per_dimension,
    content_information,
    content_rate,
    effective_sample_size,
    elbo,
    iwae,
    log_likelihood,
    rate_per_dimension,
)
from unwarp.models.losses import gaussian_rate

SIGMA = 0.5


class LinearGaussian:
    """Probabilistic PCA (Tipping and Bishop 1999): x = W z + mu + sigma e, z in R^2, x in R^4."""

    def __init__(self) -> None:
        """Thirty samples of a model with fixed weights, and its exact posterior."""
        generator = np.random.default_rng(0)
        self.W, self.mu = generator.normal(size=(4, 2)), generator.normal(size=4)
        self.x = (
            self.mu
            + generator.normal(size=(30, 2)) @ self.W.T
            + SIGMA * generator.normal(size=(30, 4))
        )
        precision = np.eye(2) + self.W.T @ self.W / SIGMA**2
        self.cov = np.linalg.inv(precision)
        self.mean = (self.x - self.mu) @ self.W @ self.cov / SIGMA**2

    @property
    def truth(self) -> float:
        """Mean log p(x) over the samples, in closed form."""
        marginal = multivariate_normal(self.mu, self.W @ self.W.T + SIGMA**2 * np.eye(4))
        return float(marginal.logpdf(self.x).mean())

    def log_weights(
        self, K: int, widening: float = 1.0, offset: float = 0.0, seed: int = 1
    ) -> Array:
        """Log-weights (K, N) of draws from the posterior, scaled and shifted.

        Args:
            K: Draws of each sample.
            widening: Factor of the covariance; 1 with no offset is the exact posterior.
            offset: Shift of the mean.
            seed: Seed of the draws.
        """
        cov = widening * self.cov
        noise = (
            np.random.default_rng(seed).normal(size=(K, len(self.x), 2)) @ np.linalg.cholesky(cov).T
        )
        z = self.mean + offset + noise
        prior = multivariate_normal(np.zeros(2)).logpdf(z)
        likelihood = multivariate_normal(np.zeros(4), SIGMA**2).logpdf(
            self.x - self.mu - z @ self.W.T
        )
        proposal = multivariate_normal(np.zeros(2), cov).logpdf(z - self.mean - offset)
        return np.asarray(prior + likelihood - proposal).reshape(K, -1)


@pytest.mark.parametrize("K", [1, 2, 16])
def test_exact_posterior_is_exact(K: int) -> None:
    """With the exact posterior every bound is log p(x), for any number of draws."""
    model = LinearGaussian()
    weights = model.log_weights(K)
    for estimate in (log_likelihood(weights), elbo(weights), iwae(weights, K)):
        assert estimate == pytest.approx(model.truth, abs=1e-9)
    assert effective_sample_size(weights) == pytest.approx(1.0)


def test_bounds_rise_to_truth() -> None:
    """With a worse proposal the bounds rise with k to log p(x)."""
    model = LinearGaussian()
    weights = model.log_weights(4096, widening=1.5, offset=0.2)
    bounds = [iwae(weights, k) for k in (1, 4, 16, 64, 4096)]
    assert bounds == sorted(bounds)
    assert bounds[0] < model.truth - 0.3
    assert bounds[-1] == pytest.approx(model.truth, abs=0.01)
    assert 1 / 4096 < effective_sample_size(weights) < 0.9


def test_elbo_gap_is_divergence() -> None:
    """The ELBO is below log p(x) by the divergence of the proposal."""
    model, widening, offset = LinearGaussian(), 1.5, 0.2
    shift = np.full(2, offset)
    gap = (2 * widening + shift @ np.linalg.solve(model.cov, shift) - 2 - 2 * np.log(widening)) / 2
    assert elbo(model.log_weights(8_000, widening, offset)) == pytest.approx(
        model.truth - gap, abs=0.01
    )


def test_bound_rises_with_k() -> None:
    """Jensen on nested partitions: exact on one set of weights, no expectation taken."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        weights = generator.normal(size=(48, 3)) * 10 ** generator.uniform(-3, 3)
        bounds = [iwae(weights, k) for k in (1, 2, 4, 8, 16, 48)]
        assert np.diff(bounds).min() > 0
        assert bounds[0] == pytest.approx(elbo(weights))
        assert bounds[-1] == pytest.approx(log_likelihood(weights))


def test_bounds_shift_with_weights() -> None:
    """A factor of the weights shifts the bounds, not the effective sample size."""
    weights = np.random.default_rng(0).normal(size=(8, 5))
    for measure in (log_likelihood, elbo, lambda values: iwae(values, 4)):
        assert measure(weights - 1e4) == pytest.approx(measure(weights) - 1e4)
    assert effective_sample_size(weights - 1e4) == pytest.approx(effective_sample_size(weights))


def test_effective_sample_size_by_hand() -> None:
    """It is the share of equally weighted draws, averaged over samples."""
    weights = np.full((8, 2), -np.inf)
    weights[:2, 0], weights[0, 1] = 3.0, -5.0
    assert effective_sample_size(weights) == pytest.approx((2 / 8 + 1 / 8) / 2)


def test_bits_per_dimension_by_hand() -> None:
    """A fair coin has one bit, a uniform byte eight."""
    assert bits_per_dimension(784 * np.log(0.5), 784) == pytest.approx(1.0)
    assert bits_per_dimension(0.0, 784, levels=256) == pytest.approx(8.0)


def test_active_units_by_hand() -> None:
    """Units with a varying posterior mean are active."""
    sds = np.array([1.0, 0.11, 0.09, 0.0])
    mean = 7 + np.random.default_rng(0).normal(size=(20_000, 4)) * sds
    assert active_units(mean) == 2
    assert active_units(mean, threshold=0.005) == 3


def test_rates_are_divergences() -> None:
    """Rates are the KL of torch's Gaussians, and sum to the rate of the losses."""
    generator = np.random.default_rng(0)
    mean, log_sd = generator.normal(size=(50, 3)), generator.normal(size=(50, 3)) - 1
    q = torch.distributions.Normal(torch.as_tensor(mean), torch.as_tensor(log_sd).exp())
    truth = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean(0)
    rates = rate_per_dimension(mean, log_sd)
    assert rates == pytest.approx(truth.numpy())
    assert rates.sum() == pytest.approx(
        float(gaussian_rate(torch.as_tensor(mean), torch.as_tensor(log_sd)).mean())
    )


def test_collapsed_posterior() -> None:
    """A posterior that is the prior has no rate and no information."""
    posterior = np.zeros((100, 4)), np.zeros((100, 4))
    assert content_rate(*posterior) == pytest.approx(0)
    assert content_information(*posterior) == pytest.approx(0, abs=1e-12)


def test_constant_posterior() -> None:
    """A posterior that ignores its sample has a rate without information."""
    posterior = np.full((100, 2), 3.0), np.zeros((100, 2))
    assert content_rate(*posterior) == pytest.approx(9.0)
    assert content_information(*posterior) == pytest.approx(0, abs=1e-9)


def test_information_of_distinct_codes() -> None:
    """Codes that never overlap carry the log of their number."""
    mean = 100 * np.arange(700.0)[:, None]
    assert content_information(mean, np.zeros_like(mean)) == pytest.approx(np.log(700))


def test_information_of_gaussian_channel() -> None:
    """z = x + s e, x ~ N(0, 1 - s^2): the aggregate is the prior, I = -log s each."""
    s = 0.4
    mean = np.sqrt(1 - s**2) * np.random.default_rng(3).normal(size=(4000, 2))
    posterior = mean, np.full_like(mean, np.log(s))
    assert content_information(*posterior) == pytest.approx(-2 * np.log(s), abs=0.05)
    assert content_rate(*posterior) == pytest.approx(-2 * np.log(s), abs=0.05)


def test_invalid_arrays_are_refused() -> None:
    """Weights and posteriors of another shape, or without a value, are named."""
    weights = np.zeros((6, 3))
    with pytest.raises(ConfigError, match="k=4 must divide the 6"):
        iwae(weights, 4)
    with pytest.raises(DataError, match="shape"):
        log_likelihood(weights[0])
    for value in (np.nan, np.inf):
        broken = weights.copy()
        broken[2, 1] = value
        with pytest.raises(DataError, match=r"samples \[1\]"):
            elbo(broken)
    with pytest.raises(DataError, match="all -inf"):
        log_likelihood(np.full((6, 3), -np.inf))
    with pytest.raises(DataError, match="both be of shape"):
        rate_per_dimension(np.zeros((4, 2)), np.zeros((4, 3)))
