"""Losses as pure functions, in nats: summed over features, one value a sample (N,); the caller takes the batch mean."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.types import DataError


def gaussian_nll(x_hat: Tensor, x: Tensor, sigma: float) -> Tensor:
    """-log N(x; x_hat, sigma^2) summed over features, (N,), constant included."""
    constant = x[0].numel() * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    return squared_error(x_hat, x) / (2 * sigma**2) + constant


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Squared error summed over features, (N,)."""
    return (x_hat - x).square().flatten(1).sum(1)


def bernoulli_nll(x_hat: Tensor, x: Tensor) -> Tensor:
    """-log Bernoulli(x; x_hat) summed over features, (N,); `x` and `x_hat` in [0, 1].

    Raises:
        DataError: `x` leaves [0, 1].
    """
    if x.numel() and (x.amin() < 0 or x.amax() > 1):
        raise DataError(
            f"the Bernoulli likelihood needs values in [0, 1], got {x.amin():.3g} to {x.amax():.3g}; "
            "scale the data or use likelihood='gaussian'"
        )
    p = x_hat.float().clamp(1e-6, 1 - 1e-6)
    return -(x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1)


def gaussian_rate(mean: Tensor, log_sd: Tensor, scale: float = 1.0) -> Tensor:
    """KL(N(mean, sd^2) || N(0, scale^2)) summed over columns, (N,); Kingma and Welling 2014, appendix B."""
    ratio = log_sd - math.log(scale)
    return 0.5 * ((mean / scale).square() + (2 * ratio).exp() - 1 - 2 * ratio).sum(-1)


def gaussian_energy(mean: Tensor, scale: float = 1.0) -> Tensor:
    """-log N(mean; 0, scale^2) summed over columns, without its constant, (N,): the prior on a point estimate."""
    return 0.5 * (mean / scale).square().sum(-1)


def reparametrise(mean: Tensor, log_sd: Tensor, generator: torch.Generator) -> Tensor:
    """A draw from N(mean, sd^2) that carries gradients to both."""
    noise = torch.randn(mean.shape, generator=generator, device=generator.device).to(mean.device, mean.dtype)
    return mean + log_sd.exp() * noise


def stress(codes: Tensor, samples: Tensor) -> Tensor:
    """Squared difference between distances of codes (N, D) and of samples (N, ...), over N // 2 disjoint pairs."""
    half = len(codes) // 2
    between, known = (
        (x[:half] - x[half : 2 * half]).flatten(1).square().sum(1).clamp_min(1e-12).sqrt() for x in (codes, samples)
    )
    return (between - known).square()
