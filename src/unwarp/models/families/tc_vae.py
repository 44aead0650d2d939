"""beta-TCVAE (Chen, Li, Grosse and Duvenaud 2018, Isolating sources of disentanglement in VAEs), with or without a warp.

The content's rate is three things, and only the second keeps factors entangled:

    E_x KL(q(z | x) || p(z)) = I(x; z) + KL(q(z) || prod_d q(z_d)) + sum_d KL(q(z_d) || p(z_d))
                               index-code mutual information, total correlation, dimension-wise rate
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.models.encoders import Posterior
from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import gaussian_log_density
from unwarp.models.model import Model


@dataclass(frozen=True)
class TCVAE(Variational):
    """VAE that pays `beta` for the total correlation of its content, and the plain rate for the rest.

    The deformation, whose columns are named beforehand, pays its plain rate.

    Attributes:
        beta: Weight of the total correlation; 1 gives the evidence lower bound.
        n_samples: Size of the training set, for stratified sampling; None for weighted sampling, which needs none. See
            `decompose`.
    """

    family: ClassVar[str] = "beta-tcvae"
    beta: float = 6.0
    n_samples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beta < 0:
            raise ConfigError(f"TCVAE: beta must be 0 or more, got {self.beta!r}")
        if self.n_samples is not None and self.n_samples < 1:
            raise ConfigError(
                f"TCVAE: n_samples must be at least 1, or None, got {self.n_samples!r}"
            )

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        log_sd = posterior.content_log_sd
        assert log_sd is not None
        parts = decompose(posterior.content, posterior.content_mean, log_sd, self.n_samples)
        costs = {name: part.mean() for name, part in parts.items()}
        costs["total_correlation"] = self.beta * costs["total_correlation"]
        others = {
            name: rate.mean()
            for name, rate in rates(posterior, model).items()
            if name != "content_rate"
        }
        return costs | others


def decompose(
    z: Tensor, mean: Tensor, log_sd: Tensor, n_samples: int | None = None
) -> dict[str, Tensor]:
    """The three parts of log q(z | x) - log p(z) of a batch of draws, in nats, (N,) each.

    q(z) and q(z_d) are estimated from the batch. Weighted sampling (`n_samples=None`) takes the mean over its posteriors;
    the published estimate is lower by the log of the size of the data set, a constant without gradient. Stratified sampling
    counts a draw's own posterior once in `n_samples`, and is unbiased for q(z). The information that a batch of N can show
    is bounded: by log N where weighted, by the log of `n_samples` where stratified.

    Args:
        z: Draws (N, D) from the Gaussian posteriors.
        mean: Their means (N, D).
        log_sd: Their log standard deviations (N, D).
        n_samples: Size of the data set that the batch was drawn from; one below N counts as N.
    """
    each = gaussian_log_density(z[:, None], mean, log_sd)
    weights = log_shares(len(z), n_samples).to(z)
    joint = torch.logsumexp(each.sum(-1) + weights, 1)
    columns = torch.logsumexp(each + weights[..., None], 1).sum(-1)
    zero = z.new_zeros(())
    given, prior = (
        gaussian_log_density(z, mean, log_sd).sum(-1),
        gaussian_log_density(z, zero, zero).sum(-1),
    )
    return {
        "mutual_information": given - joint,
        "total_correlation": joint - columns,
        "dimension_rate": columns - prior,
    }


def log_shares(n: int, n_samples: int | None = None) -> Tensor:
    """Log weights (n, n) of the posteriors of a batch in the estimate of q(z) at each of its draws; rows sum to 1.

    Stratified as in appendix C.2 of the paper: 1 / N for the draw's own posterior, (N - M) / (N M) for one other and 1 / M
    for the rest, with M = n - 1. (The authors' code puts the first weight into the first column; here on the diagonal.)
    """
    if n_samples is None or n == 1:
        return torch.full((n, n), -math.log(n))
    others, size = n - 1, max(n, n_samples)
    shares, rows = torch.full((n, n), 1 / others), torch.arange(n)
    shares[rows, rows] = 1 / size
    shares[rows, rows.roll(-1)] = (size - others) / (size * others)
    return shares.log()
