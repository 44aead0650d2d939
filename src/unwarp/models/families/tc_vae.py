"""The beta-TCVAE: a VAE with a weighted total correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import gaussian_log_density
from unwarp.models.model import Model
from unwarp.models.posterior import Posterior
from unwarp.waiting import send_like


@dataclass(frozen=True)
class TCVAE(Variational):
    """beta-TCVAE (Chen et al. 2018), a VAE with independent content columns.

    Source: Chen, Li, Grosse and Duvenaud 2018, Isolating sources of disentanglement in VAEs. The
    mean KL divergence of the content code z from its prior is the sum of three terms:

        E_x KL(q(z | x) || p(z)) = I(x; z)                              mutual information
                                 + KL(q(z) || prod_d q(z_d))            total correlation
                                 + sum_d KL(q(z_d) || p(z_d))           dimension-wise KL divergence

    The total correlation is 0 if the columns z_d are independent. Training minimises the negative
    evidence lower bound with the total correlation multiplied by `beta`. Columns become independent
    with less loss of information about x than with `BetaVAE`, which also multiplies the mutual
    information. The KL divergence of the deformation keeps the weight 1. Training takes about as
    long as that of a `VAE`. The three terms are estimated from the batch, which should be large;
    see `decompose_rate`.

    Attributes:
        beta: Weight of the total correlation, at least 0; 1 gives the evidence lower bound.
        n_samples: Size of the training set, for estimates by minibatch stratified sampling; None,
            the default, for minibatch weighted sampling, which does not need the size.

    Raises:
        ConfigError: `beta` is negative or `n_samples` is below 1.

    Example:
        >>> recipe = TCVAE(n_content=4, beta=6.0)
        >>> model = recipe.build((1, 8, 8)).eval()
        >>> posterior = model.encode(torch.zeros(3, 1, 8, 8))
        >>> sorted(recipe.regularisers(posterior, model, step=0))
        ['dimension_rate', 'mutual_information', 'total_correlation']
    """

    family: ClassVar[str] = "beta-tcvae"
    beta: float = 6.0
    n_samples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_fields(
            beta=("0 or more", self.beta >= 0),
            n_samples=("at least 1, or None", self.n_samples is None or self.n_samples >= 1),
        )

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The weighted KL terms of a batch.

        Args:
            posterior: Posterior of the batch (N) with sampled content codes.
            model: The model that encoded the batch.
            step: Number of the training step; ignored here.

        Returns:
            `mutual_information`, `total_correlation` times `beta`, `dimension_rate` (the
            dimension-wise KL divergence) and, if the deformation has a posterior,
            `deformation_rate` (its KL divergence): scalars in nats, means over the batch.
        """
        log_sd = posterior.content_log_sd
        assert log_sd is not None
        parts = decompose_rate(posterior.content, posterior.content_mean, log_sd, self.n_samples)
        costs = {name: part.mean() for name, part in parts.items()}
        costs["total_correlation"] = self.beta * costs["total_correlation"]
        deformation_costs = {
            name: rate.mean()
            for name, rate in rates(posterior, model).items()
            if name != "content_rate"
        }
        return costs | deformation_costs


def decompose_rate(
    z: Tensor, mean: Tensor, log_sd: Tensor, n_samples: int | None = None
) -> dict[str, Tensor]:
    """Mutual information, total correlation and dimension-wise KL divergence of codes.

    The three numbers of a row sum to log q(z | x) - log p(z) at its sampled code z. Their means
    over the batch estimate the three terms in the docstring of `TCVAE`.

    The densities q(z) and q(z_d) of the data set are estimated from the N posteriors of the batch.
    Minibatch weighted sampling (`n_samples=None`) takes the mean of their densities. The estimate
    in the paper is this mean divided by the size of the data set, which only changes the terms by
    constants. Minibatch stratified sampling (a number `n_samples`) takes a weighted mean, see
    `log_importance_weights`, and is unbiased for q(z). The estimated mutual information is at most
    log N with weighted sampling, and at most log `n_samples` with stratified sampling. Time and
    memory grow with N^2 D.

    Args:
        z: Sampled codes (N, D), one from each posterior.
        mean: Means of the Gaussian posteriors (N, D).
        log_sd: Log standard deviations of the posteriors (N, D).
        n_samples: Size of the data set that contains the batch; a number below N counts as N. None
            for weighted sampling.

    Returns:
        `mutual_information`, `total_correlation` and `dimension_rate` (the dimension-wise KL
        divergence), (N,) each, in nats.
    """
    log_q = gaussian_log_density(z[:, None], mean, log_sd)  # (N, N, D): code i under posterior j
    weights = send_like(log_importance_weights(len(z), n_samples), z)
    log_joint = torch.logsumexp(log_q.sum(-1) + weights, 1)
    log_marginals = torch.logsumexp(log_q + weights[..., None], 1).sum(-1)
    zero = z.new_zeros(())
    log_posterior = gaussian_log_density(z, mean, log_sd).sum(-1)
    log_prior = gaussian_log_density(z, zero, zero).sum(-1)
    return {
        "mutual_information": log_posterior - log_joint,
        "total_correlation": log_joint - log_marginals,
        "dimension_rate": log_marginals - log_prior,
    }


def log_importance_weights(n: int, n_samples: int | None = None) -> Tensor:
    """Log weights of a batch's posteriors in the estimate of q(z).

    The estimate of q(z) at code i is the sum over posteriors j of the weight in row i and column j
    times the density of posterior j. Weighted sampling has the weight 1 / n everywhere. Stratified
    sampling follows appendix C.2 of the paper, with N = `n_samples` and M = n - 1. The weight is
    1 / N for j = i, the posterior from which the code was sampled; (N - M) / (N M) for one other
    posterior; and 1 / M for the rest. The authors' code has the weight 1 / N in the first column
    instead of the diagonal.

    Args:
        n: Size of the batch.
        n_samples: Size of the data set; a number below `n` counts as `n`. None for weighted
            sampling.

    Returns:
        Log weights (n, n); the weights of a row sum to 1.
    """
    if n_samples is None or n == 1:
        return torch.full((n, n), -math.log(n))
    n_others, size = n - 1, max(n, n_samples)
    weights, rows = torch.full((n, n), 1 / n_others), torch.arange(n)
    weights[rows, rows] = 1 / size
    weights[rows, rows.roll(-1)] = (size - n_others) / (size * n_others)
    return weights.log()
