"""Likelihood of samples, bounds of the likelihood, and the use of latents.

Log-weights (K, N) are `log p(x, z_k) - log q(z_k | x)` in nats, for K draws z_k from the encoder's
posterior q(z | x) of each of N samples. The rate is the KL divergence of this posterior from the
prior.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function

SAMPLES_PER_BLOCK = 500
"""Number of draws that are compared with all posteriors at a time, so that memory is bounded."""


@score_function
def log_likelihood(log_weights: Array) -> float:
    """Importance-sampling estimate of log p(x), mean over samples.

    `log 1/K sum_k w_k`, with the importance weights w_k of all K draws. Its expectation is a lower
    bound of log p(x) for any K. It is exact if the encoder's posterior is the true posterior.
    Compare models at equal K.

    Args:
        log_weights: Log importance weights (K, N).

    Returns:
        Nats; higher is better.

    Raises:
        DataError: `log_weights` is not a table (K, N), or a sample has NaN, inf, or only -inf
            (weights of zero).

    Source:
        Burda, Grosse, Salakhutdinov (2016), Importance weighted autoencoders.
    """
    weights = _checked_weights(log_weights)
    return float((logsumexp(weights, 0) - np.log(len(weights))).mean())


@score_function
def elbo(log_weights: Array) -> float:
    """Evidence lower bound (ELBO): the mean log-weight.

    It is the objective of a variational autoencoder with beta = 1. In expectation, it is below
    log p(x) by the KL divergence of the encoder's posterior from the true posterior.

    Args:
        log_weights: Log importance weights (K, N).

    Returns:
        Nats; higher is better.

    Raises:
        DataError: As for `log_likelihood`.
    """
    return float(_checked_weights(log_weights).mean())


def iwae(log_weights: Array, k: int) -> float:
    """Importance-weighted bound of k draws, averaged over groups of draws.

    `log 1/k sum_i w_i`, mean over the K / k groups of consecutive draws and over samples (Burda et
    al. 2016). For the same weights, a multiple of k never gives a lower bound, because the log of a
    mean is at least the mean of the logs (Jensen's inequality).

    Args:
        log_weights: Log importance weights (K, N).
        k: Number of draws in a group, a divisor of K. 1 gives the ELBO, K gives `log_likelihood`.

    Returns:
        Nats; higher is better.

    Raises:
        ConfigError: `k` does not divide K.
        DataError: As for `log_likelihood`.
    """
    weights = _checked_weights(log_weights)
    if k < 1 or len(weights) % k:
        raise ConfigError(
            f"k={k} must divide the {len(weights)} log-weights of each sample; choose one of its "
            "divisors, or draw another number of weights"
        )
    groups = weights.reshape(-1, k, weights.shape[1])
    return float((logsumexp(groups, 1) - np.log(k)).mean())


@score_function
def effective_sample_size(log_weights: Array) -> float:
    """Effective sample size of the draws, as a fraction of K.

    `(sum w)^2 / (K sum w^2)` (Kong 1992), mean over samples. A value near 1 / K means that one draw
    dominates, so that `log_likelihood` is a loose bound: use more draws.

    Args:
        log_weights: Log importance weights (K, N).

    Returns:
        1 / K to 1; 1 if all draws have the same weight, as from the true posterior.

    Raises:
        DataError: As for `log_likelihood`.
    """
    weights = _checked_weights(log_weights)
    log_size = 2 * logsumexp(weights, 0) - logsumexp(2 * weights, 0)
    return float(np.exp(log_size - np.log(len(weights))).mean())


def bits_per_dimension(log_likelihood: float, n_features: int, levels: int = 1) -> float:
    """Negative log-likelihood per feature, in bits.

    `log2(levels) - log p(x) / (n_features log 2)`. If grey levels are scaled to [0, 1], the density
    is larger by the factor `levels` per feature; the first term takes the scaling back (Theis et
    al. 2016, A note on the evaluation of generative models).

    Args:
        log_likelihood: log p(x) of one sample in nats.
        n_features: Number of features of a sample.
        levels: Number of grey levels that were scaled to [0, 1], such as 256 for uint8; 1 for
            values without scaling and for discrete data.

    Returns:
        Bits per feature; lower is better.

    >>> float(bits_per_dimension(784 * np.log(0.5), 784))
    1.0
    """
    return float(np.log2(levels) - log_likelihood / (n_features * np.log(2)))


@score_function
def active_units(content_mean: Array, threshold: float = 0.01) -> float:
    """Number of active latents, those with `Var_x E[z | x] > threshold`.

    The posterior mean of an inactive latent hardly depends on the sample (Burda et al. 2016).

    Args:
        content_mean: Posterior means (N, D).
        threshold: A latent is active if the variance of its posterior mean over samples is above
            this number. The prior has variance 1.

    Returns:
        0 to D; D if all latents are used.
    """
    return float((np.asarray(content_mean).var(0) > threshold).sum())


def rate_per_dimension(content_mean: Array, content_log_sd: Array) -> Array:
    """Rate of each latent: KL divergence of its posterior from N(0, 1).

    `(mu^2 + sigma^2 - 1 - log sigma^2) / 2`, mean over samples.

    Args:
        content_mean: Posterior means mu (N, D).
        content_log_sd: Log standard deviations, log sigma (N, D).

    Returns:
        Nats (D,), 0 or more; 0 for a collapsed latent, with the prior as posterior of all samples.

    Raises:
        DataError: The arguments are not tables of the same shape.
    """
    mean, log_sd = _checked_posterior(content_mean, content_log_sd)
    return np.asarray((mean**2 + np.expm1(2 * log_sd) - 2 * log_sd).mean(0) / 2)


@score_function
def content_rate(content_mean: Array, content_log_sd: Array) -> float:
    """Rate of the content: KL divergence of its posterior from N(0, I).

    It is the sum of `rate_per_dimension`, and an upper bound of the mutual information of content
    and sample (see `content_information`).

    Args:
        content_mean: Posterior means (N, D).
        content_log_sd: Log standard deviations (N, D).

    Returns:
        Nats, 0 or more; 0 if the posterior has collapsed to the prior.

    Raises:
        DataError: As for `rate_per_dimension`.
    """
    return float(rate_per_dimension(content_mean, content_log_sd).sum())


@score_function
def content_information(content_mean: Array, content_log_sd: Array, seed: int = 0) -> float:
    """Mutual information of content and sample, from one draw per sample.

    `E [log q(z | x) - log 1/N sum_j q(z | x_j)]`. It is the rate minus the KL divergence of the
    aggregated posterior, `1/N sum_j q(z | x_j)`, from the prior (Hoffman and Johnson 2016, ELBO
    surgery). The estimate cannot exceed log N: a value near log N only means that the information
    is at least as large. A value far below both log N and the rate means that all samples have
    nearly the same posterior. Time is O(N^2 D).

    Args:
        content_mean: Posterior means (N, D).
        content_log_sd: Posterior log standard deviations (N, D).
        seed: Seed of the draws.

    Returns:
        Nats, about 0 to log N.

    Raises:
        DataError: As for `rate_per_dimension`.
    """
    mean, log_sd = _checked_posterior(content_mean, content_log_sd)
    noise = np.random.default_rng(seed).normal(size=mean.shape)
    z = mean + np.exp(log_sd) * noise
    # both log densities leave out log(2 pi) D / 2, which cancels in their difference
    log_posterior = -(noise**2 / 2 + log_sd).sum(1)
    # log density of each draw under each posterior; its square is expanded into matrix products
    precision = np.exp(-2 * log_sd)
    terms_without_z = (mean**2 * precision / 2 + log_sd).sum(1)
    log_aggregate = []
    n_blocks = -(-len(z) // SAMPLES_PER_BLOCK)  # rounded up
    for part in np.array_split(z, n_blocks):
        log_densities = part @ (mean * precision).T - part**2 @ precision.T / 2 - terms_without_z
        log_aggregate.append(logsumexp(log_densities, 1) - np.log(len(z)))
    return float((log_posterior - np.concatenate(log_aggregate)).mean())


def _checked_weights(log_weights: Array) -> Array:
    """Log-weights (K, N) in double precision, refused if a column has no finite mean weight."""
    weights = np.asarray(log_weights, np.float64)
    if weights.ndim != 2 or not weights.size:
        raise DataError(
            f"log_weights must be of shape (K, N), got {weights.shape}; put the draws of a sample "
            "into one column"
        )
    largest = weights.max(0)
    is_invalid = np.isnan(weights).any(0) | (largest == np.inf) | (largest == -np.inf)
    if is_invalid.any():
        raise DataError(
            f"log_weights of samples {np.flatnonzero(is_invalid)[:5].tolist()} hold NaN or inf, or "
            "are all -inf; check the log densities from which they are computed"
        )
    return weights


def _checked_posterior(mean: Array, log_sd: Array) -> tuple[Array, Array]:
    """Posterior means and log standard deviations (N, D) in double precision."""
    mean, log_sd = np.asarray(mean, np.float64), np.asarray(log_sd, np.float64)
    if mean.ndim != 2 or not mean.size or mean.shape != log_sd.shape:
        raise DataError(
            "content_mean and content_log_sd must both be of shape (N, D), got "
            f"{mean.shape} and {log_sd.shape}; give one row for each sample"
        )
    return mean, log_sd
