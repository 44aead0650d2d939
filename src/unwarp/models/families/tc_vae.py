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


@dataclass(frozen=True)
class TCVAE(Variational):
    """beta-TCVAE (Chen et al. 2018), a VAE with independent content dimensions.

    Source: Chen, Li, Grosse and Duvenaud 2018, Isolating sources of disentanglement in VAEs. The
    rate of the content is a sum of three terms, and only the second one keeps factors entangled:

        E_x KL(q(z | x) || p(z)) = I(x; z)                              mutual information
                                 + KL(q(z) || prod_d q(z_d))            total correlation
                                 + sum_d KL(q(z_d) || p(z_d))           dimension-wise rate

    Training minimises the negative evidence lower bound with the total correlation multiplied by
    `beta`. So factors become independent at less cost in information than with `BetaVAE`, at about
    the time of a VAE. The deformation pays its plain rate. All terms are estimated within the
    batch, which should be large: see `decompose_rate`.

    Attributes:
        beta: Weight of the total correlation, at least 0; 1 gives the evidence lower bound.
        n_samples: Size of the training set, for minibatch stratified sampling; None, the default,
            for minibatch weighted sampling, which does not need the size.

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
        """The three parts of the content rate, and the deformation rate.

        Args:
            posterior: Posterior of the batch (N), with a draw of the content.
            model: The model that gave it.
            step: Number of the training step; ignored here.

        Returns:
            `mutual_information`, `total_correlation` (weighted), `dimension_rate` and, if the
            encoder samples the deformation, `deformation_rate`: scalars in nats, means over the
            batch.
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
    """Mutual information, total correlation and dimension-wise rate of a batch.

    They are the three parts of log q(z | x) - log p(z) at the draws of the batch.

    The densities q(z) and q(z_d) are estimated from the batch. Weighted sampling
    (`n_samples=None`) averages over the posteriors of the batch; the published estimate of q(z) is
    lower by the log of the size of the data set, a constant without gradient. Stratified sampling
    weights the posterior of the draw's own sample by 1 / `n_samples` and is unbiased for q(z). The
    mutual information in a batch of N is at most log N with weighted sampling, and at most
    log `n_samples` with stratified sampling. Time and memory grow with N^2 D.

    Args:
        z: Draws (N, D), one from each Gaussian posterior.
        mean: Means of the posteriors (N, D).
        log_sd: Log standard deviations of the posteriors (N, D).
        n_samples: Size of the data set from which the batch was drawn; a number below N counts as
            N, None selects weighted sampling.

    Returns:
        `mutual_information`, `total_correlation` and `dimension_rate`, (N,) each, in nats. Their
        means over the batch estimate the three parts.
    """
    log_q = gaussian_log_density(z[:, None], mean, log_sd)  # (N, N, D): draw i under posterior j
    weights = log_importance_weights(len(z), n_samples).to(z)
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

    Row i holds the weights for draw i. Weighted sampling gives 1 / n everywhere. Stratified
    sampling follows appendix C.2 of the paper, with N = `n_samples` and M = n - 1: 1 / N for the
    draw's own posterior, (N - M) / (N M) for one other posterior, and 1 / M for the rest. The
    authors' code puts the weight 1 / N into the first column; here it is on the diagonal.

    Args:
        n: Size of the batch.
        n_samples: Size of the data set; a number below `n` counts as `n`, None selects weighted
            sampling.

    Returns:
        Logs of the weights (n, n); the weights of a row sum to 1.
    """
    if n_samples is None or n == 1:
        return torch.full((n, n), -math.log(n))
    n_others, size = n - 1, max(n, n_samples)
    weights, rows = torch.full((n, n), 1 / n_others), torch.arange(n)
    weights[rows, rows] = 1 / size
    weights[rows, rows.roll(-1)] = (size - n_others) / (size * n_others)
    return weights.log()
