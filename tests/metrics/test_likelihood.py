"""Likelihoods against models where log p(x) is known, and the diagnostics against their closed forms."""

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
        random = np.random.default_rng(0)
        self.W, self.mu = random.normal(size=(4, 2)), random.normal(size=4)
        self.x = (
            self.mu + random.normal(size=(30, 2)) @ self.W.T + SIGMA * random.normal(size=(30, 4))
        )
        precision = np.eye(2) + self.W.T @ self.W / SIGMA**2
        self.cov = np.linalg.inv(precision)
        self.mean = (self.x - self.mu) @ self.W @ self.cov / SIGMA**2

    @property
    def truth(self) -> float:
        """Mean log p(x) over the samples, in closed form."""
        marginal = multivariate_normal(self.mu, self.W @ self.W.T + SIGMA**2 * np.eye(4))
        return float(marginal.logpdf(self.x).mean())

    def log_weights(self, K: int, wider: float = 1.0, off: float = 0.0, seed: int = 1) -> Array:
        """Log-weights (K, N) of the exact posterior, or of one that is `wider` and `off` its mean."""
        cov = wider * self.cov
        noise = (
            np.random.default_rng(seed).normal(size=(K, len(self.x), 2)) @ np.linalg.cholesky(cov).T
        )
        z = self.mean + off + noise
        prior = multivariate_normal(np.zeros(2)).logpdf(z)
        seen = multivariate_normal(np.zeros(4), SIGMA**2).logpdf(self.x - self.mu - z @ self.W.T)
        drawn = multivariate_normal(np.zeros(2), cov).logpdf(z - self.mean - off)
        return np.asarray(prior + seen - drawn).reshape(K, -1)


@pytest.mark.parametrize("K", [1, 2, 16])
def test_the_exact_posterior_gives_the_exact_likelihood_for_any_number_of_draws(K: int) -> None:
    model = LinearGaussian()
    weights = model.log_weights(K)
    for found in (log_likelihood(weights), elbo(weights), iwae(weights, K)):
        assert found == pytest.approx(model.truth, abs=1e-9)
    assert effective_sample_size(weights) == pytest.approx(1.0)


def test_a_worse_proposal_gives_bounds_that_rise_to_the_truth() -> None:
    model = LinearGaussian()
    weights = model.log_weights(4096, wider=1.5, off=0.2)
    bounds = [iwae(weights, k) for k in (1, 4, 16, 64, 4096)]
    assert bounds == sorted(bounds)
    assert bounds[0] < model.truth - 0.3
    assert bounds[-1] == pytest.approx(model.truth, abs=0.01)
    assert 1 / 4096 < effective_sample_size(weights) < 0.9


def test_the_elbo_misses_the_divergence_of_the_proposal_from_the_posterior() -> None:
    model, wider, off = LinearGaussian(), 1.5, 0.2
    shift = np.full(2, off)
    gap = (2 * wider + shift @ np.linalg.solve(model.cov, shift) - 2 - 2 * np.log(wider)) / 2
    assert elbo(model.log_weights(8_000, wider, off)) == pytest.approx(model.truth - gap, abs=0.01)


def test_the_bound_rises_with_k_on_any_weights_whatsoever() -> None:
    """Jensen on nested partitions: exact on one set of weights, no expectation taken."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        weights = random.normal(size=(48, 3)) * 10 ** random.uniform(-3, 3)
        bounds = [iwae(weights, k) for k in (1, 2, 4, 8, 16, 48)]
        assert np.diff(bounds).min() > 0
        assert bounds[0] == pytest.approx(elbo(weights))
        assert bounds[-1] == pytest.approx(log_likelihood(weights))


def test_a_constant_factor_of_the_weights_shifts_every_bound_and_no_share() -> None:
    weights = np.random.default_rng(0).normal(size=(8, 5))
    for measure in (log_likelihood, elbo, lambda w: iwae(w, 4)):
        assert measure(weights - 1e4) == pytest.approx(measure(weights) - 1e4)
    assert effective_sample_size(weights - 1e4) == pytest.approx(effective_sample_size(weights))


def test_effective_sample_size_is_the_share_of_draws_that_count() -> None:
    weights = np.full((8, 2), -np.inf)
    weights[:2, 0], weights[0, 1] = 3.0, -5.0
    assert effective_sample_size(weights) == pytest.approx((2 / 8 + 1 / 8) / 2)


def test_bits_per_dimension_of_fair_coins_and_of_uniform_bytes() -> None:
    assert bits_per_dimension(784 * np.log(0.5), 784) == pytest.approx(1.0)
    assert bits_per_dimension(0.0, 784, levels=256) == pytest.approx(8.0)


def test_active_units_are_those_whose_mean_answers_to_the_data() -> None:
    sds = np.array([1.0, 0.11, 0.09, 0.0])
    mean = 7 + np.random.default_rng(0).normal(size=(20_000, 4)) * sds
    assert active_units(mean) == 2
    assert active_units(mean, threshold=0.005) == 3


def test_rates_are_the_divergence_of_gaussians() -> None:
    random = np.random.default_rng(0)
    mean, log_sd = random.normal(size=(50, 3)), random.normal(size=(50, 3)) - 1
    q = torch.distributions.Normal(torch.as_tensor(mean), torch.as_tensor(log_sd).exp())
    truth = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean(0)
    rates = rate_per_dimension(mean, log_sd)
    assert rates == pytest.approx(truth.numpy())
    assert rates.sum() == pytest.approx(
        float(gaussian_rate(torch.as_tensor(mean), torch.as_tensor(log_sd)).mean())
    )


def test_a_collapsed_posterior_has_no_rate_and_no_information() -> None:
    posterior = np.zeros((100, 4)), np.zeros((100, 4))
    assert content_rate(*posterior) == pytest.approx(0)
    assert content_information(*posterior) == pytest.approx(0, abs=1e-12)


def test_a_posterior_that_ignores_its_sample_has_a_rate_without_information() -> None:
    posterior = np.full((100, 2), 3.0), np.zeros((100, 2))
    assert content_rate(*posterior) == pytest.approx(9.0)
    assert content_information(*posterior) == pytest.approx(0, abs=1e-9)


def test_codes_that_never_overlap_carry_the_log_of_their_number() -> None:
    mean = 100 * np.arange(700.0)[:, None]
    assert content_information(mean, np.zeros_like(mean)) == pytest.approx(np.log(700))


def test_information_through_a_gaussian_channel_is_shannons() -> None:
    """z = x + s e with x ~ N(0, 1 - s^2): the aggregate is the prior, and I = -log s for each dimension."""
    s = 0.4
    mean = np.sqrt(1 - s**2) * np.random.default_rng(3).normal(size=(4000, 2))
    posterior = mean, np.full_like(mean, np.log(s))
    assert content_information(*posterior) == pytest.approx(-2 * np.log(s), abs=0.05)
    assert content_rate(*posterior) == pytest.approx(-2 * np.log(s), abs=0.05)


def test_weights_and_posteriors_that_are_none_are_refused() -> None:
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
