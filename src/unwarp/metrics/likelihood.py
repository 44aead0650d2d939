"""What a latent-variable model says of data: log p(x) by importance sampling, its bounds, and which latents it uses.

Log-weights (K, N) are `log p(x, z_k) - log q(z_k | x)` in nats for K draws from the posterior of each of N samples.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from unwarp.core import Array
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.registry import score_function


@score_function
def log_likelihood(log_weights: Array) -> float:
    """Estimate of log p(x) in nats, mean over samples: `log 1/K sum_k w_k`.

    Burda et al. 2016, "Importance weighted autoencoders". In expectation a lower bound for any K; exact where the proposal is the true posterior.

    Raises:
        DataError: `log_weights` is not a table (K, N), or a sample has NaN, inf or nothing but -inf (a weight of zero).
    """
    weights = _weights(log_weights)
    return float((logsumexp(weights, 0) - np.log(len(weights))).mean())


@score_function
def elbo(log_weights: Array) -> float:
    """The evidence lower bound in nats: the mean log-weight."""
    return float(_weights(log_weights).mean())


def iwae(log_weights: Array, k: int) -> float:
    """The importance-weighted bound of `k` draws in nats, averaged over the K / k groups of consecutive draws.

    `k=1` is the ELBO, `k=K` is `log_likelihood`. On one set of weights the bound rises with k without exception wherever
    one k divides the next: the log of a mean is at least the mean of logs (Jensen).

    Raises:
        ConfigError: `k` does not divide K.
        DataError: As for `log_likelihood`.
    """
    weights = _weights(log_weights)
    if k < 1 or len(weights) % k:
        raise ConfigError(f"k={k} must divide the {len(weights)} log-weights of each sample")
    groups = weights.reshape(-1, k, weights.shape[1])
    return float((logsumexp(groups, 1) - np.log(k)).mean())


@score_function
def effective_sample_size(log_weights: Array) -> float:
    """`(sum w)^2 / (K sum w^2)`, mean over samples: from 1 / K (one draw decides) to 1 (an exact posterior); Kong 1992.

    Where it is near 1 / K, `log_likelihood` is a loose bound: take more draws.
    """
    weights = _weights(log_weights)
    share = 2 * logsumexp(weights, 0) - logsumexp(2 * weights, 0)
    return float(np.exp(share - np.log(len(weights))).mean())


def bits_per_dimension(log_likelihood: float, n_features: int, levels: int = 1) -> float:
    """`-log2 p(x)` per feature.

    Args:
        log_likelihood: log p(x) of one sample in nats.
        n_features: Features of a sample.
        levels: Grey levels of dequantised data that were divided by it into [0, 1] (256 for uint8): the density is taken
            back to levels (Theis et al. 2016, "A note on the evaluation of generative models"). 1 for discrete data.
    """
    return float(np.log2(levels) - log_likelihood / (n_features * np.log(2)))


@score_function
def active_units(content_mean: Array, threshold: float = 0.01) -> float:
    """How many latents answer to the data: those with `Var_x E[z | x] > threshold` (Burda et al. 2016).

    Args:
        content_mean: Posterior means (N, D).
        threshold: In squared units of a standard normal prior.
    """
    return float((np.asarray(content_mean).var(0) > threshold).sum())


def rate_per_dimension(content_mean: Array, content_log_sd: Array) -> Array:
    """KL of each latent's posterior from N(0, 1) in nats, mean over samples (N, D) -> (D,): 0 for a collapsed one."""
    mean, log_sd = _posterior(content_mean, content_log_sd)
    return np.asarray((mean**2 + np.expm1(2 * log_sd) - 2 * log_sd).mean(0) / 2)


@score_function
def content_rate(content_mean: Array, content_log_sd: Array) -> float:
    """Rate of the content in nats: the sum of `rate_per_dimension`."""
    return float(rate_per_dimension(content_mean, content_log_sd).sum())


@score_function
def content_information(content_mean: Array, content_log_sd: Array, seed: int = 0) -> float:
    """Mutual information of content and sample in nats: `E log q(z | x) - log 1/N sum_j q(z | x_j)`, one draw a sample.

    The part of the rate that is not a mismatch of prior and aggregated posterior (Hoffman and Johnson 2016, "ELBO
    surgery"). From N samples it cannot be told beyond log N: a value near that is a lower bound, one far below it and
    below the rate is a collapsed posterior.

    Args:
        content_mean: Posterior means (N, D).
        content_log_sd: Their log standard deviations (N, D).
        seed: Of the draws.
    """
    mean, log_sd = _posterior(content_mean, content_log_sd)
    noise = np.random.default_rng(seed).normal(size=mean.shape)
    z = mean + np.exp(log_sd) * noise
    own = -(noise**2 / 2 + log_sd).sum(1)
    precision = np.exp(-2 * log_sd)
    constant = (mean**2 * precision / 2 + log_sd).sum(1)
    mixture = []
    for part in np.array_split(z, -(-len(z) // 500)):
        terms = part @ (mean * precision).T - part**2 @ precision.T / 2 - constant
        mixture.append(logsumexp(terms, 1) - np.log(len(z)))
    return float((own - np.concatenate(mixture)).mean())


def _weights(log_weights: Array) -> Array:
    weights = np.asarray(log_weights, np.float64)
    if weights.ndim != 2 or not weights.size:
        raise DataError(
            f"log_weights must be of shape (K, N), got {weights.shape}; put the draws of a sample in a column"
        )
    bad = np.isnan(weights).any(0) | (weights.max(0) == np.inf) | (weights.max(0) == -np.inf)
    if bad.any():
        raise DataError(
            f"log_weights of samples {np.flatnonzero(bad)[:5].tolist()} hold NaN or inf, or are all -inf"
        )
    return weights


def _posterior(mean: Array, log_sd: Array) -> tuple[Array, Array]:
    mean, log_sd = np.asarray(mean, np.float64), np.asarray(log_sd, np.float64)
    if mean.ndim != 2 or not mean.size or mean.shape != log_sd.shape:
        raise DataError(
            f"content_mean and content_log_sd must both be of shape (N, D), got {mean.shape} and {log_sd.shape}"
        )
    return mean, log_sd
