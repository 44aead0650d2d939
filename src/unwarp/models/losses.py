"""Losses as pure functions, in nats: summed over features, one value a sample (N,); the caller takes the batch mean."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.distributions import ContinuousBernoulli
from torch.nn import functional as F

from unwarp.errors import DataError
from unwarp.warps.missing import fill_from

AdversarialObjective = Literal["minimax", "non-saturating", "hinge"]


def gaussian_nll(x_hat: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """-log N(x; x_hat, sigma^2) summed over observed features, (N,), constant included; `sigma` may be a learned scalar."""
    log_sigma = sigma.log() if isinstance(sigma, Tensor) else math.log(sigma)
    observed = torch.isfinite(x).flatten(1).sum(1).to(x_hat)
    constant = observed * (log_sigma + 0.5 * math.log(2 * math.pi))
    return squared_error(x_hat, x) / (2 * sigma**2) + constant


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Squared error summed over features, (N,); where `x` is NaN nothing was observed, and nothing counts."""
    return (x_hat - fill_from(x, x_hat)).square().flatten(1).sum(1)


def bernoulli_nll(x_hat: Tensor, x: Tensor) -> Tensor:
    """-log Bernoulli(x; x_hat) summed over features, (N,); `x` and `x_hat` in [0, 1].

    Raises:
        DataError: `x` leaves [0, 1].
    """
    _check_unit(x, "Bernoulli")
    with torch.autocast(x_hat.device.type, enabled=False):
        p = (
            x_hat.clamp(1e-6, 1 - 1e-6)
            if x_hat.dtype == torch.float64
            else x_hat.float().clamp(1e-6, 1 - 1e-6)
        )
        return F.binary_cross_entropy(p, x.to(p), reduction="none").flatten(1).sum(1)


def continuous_bernoulli_nll(x_hat: Tensor, x: Tensor) -> Tensor:
    """-log of the continuous Bernoulli density with parameter `x_hat`, summed over features, (N,); both in [0, 1].

    Unlike the Bernoulli likelihood of grey values it is a density on [0, 1] (Loaiza-Ganem and Cunningham 2019, The
    continuous Bernoulli); `x_hat` is its parameter, of which the mean is a steep function.

    Raises:
        DataError: `x` leaves [0, 1].
    """
    _check_unit(x, "continuous Bernoulli")
    p = x_hat.float().clamp(1e-6, 1 - 1e-6)
    density = ContinuousBernoulli(probs=p, validate_args=False)
    return -torch.as_tensor(density.log_prob(x)).flatten(1).sum(1)  # type: ignore[no-untyped-call]


def _check_unit(x: Tensor, name: str) -> None:
    low, high = (float(end) for end in x.aminmax()) if x.numel() else (0.0, 0.0)
    if low < 0 or high > 1:
        raise DataError(
            f"the {name} likelihood needs values in [0, 1], got {low:.3g} to {high:.3g}; "
            "scale the data or use likelihood='gaussian'"
        )


def gaussian_log_density(x: Tensor, mean: Tensor, log_sd: Tensor) -> Tensor:
    """Log N(x; mean, sd^2) of every column, shape of `x`, in nats."""
    return -0.5 * ((x - mean) * (-log_sd).exp()).square() - log_sd - 0.5 * math.log(2 * math.pi)


def gaussian_rates(mean: Tensor, log_sd: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """KL(N(mean, sd^2) || N(0, scale^2)) of every column, shape of `mean`; Kingma and Welling 2014, appendix B."""
    ratio = log_sd - (scale.log() if isinstance(scale, Tensor) else math.log(scale))
    return 0.5 * ((mean / scale).square() + (2 * ratio).exp() - 1 - 2 * ratio)


def gaussian_rate(mean: Tensor, log_sd: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """KL(N(mean, sd^2) || N(0, scale^2)) summed over columns, (N,)."""
    return gaussian_rates(mean, log_sd, scale).sum(-1)


def gaussian_energy(mean: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """-log N(mean; 0, scale^2) summed over columns, without its constant, (N,): the prior on a point estimate."""
    return 0.5 * (mean / scale).square().sum(-1)


def reparametrise(mean: Tensor, log_sd: Tensor, generator: torch.Generator) -> Tensor:
    """A draw from N(mean, sd^2) that carries gradients to both."""
    noise = torch.randn(mean.shape, generator=generator, device=generator.device).to(
        mean.device, mean.dtype
    )
    return mean + log_sd.exp() * noise


def stress(codes: Tensor, samples: Tensor) -> Tensor:
    """Squared difference between distances of codes (N, D) and of samples (N, ...), over N // 2 disjoint pairs."""
    half = len(codes) // 2
    between, known = (
        (x[:half] - x[half : 2 * half]).flatten(1).square().sum(1).clamp_min(1e-12).sqrt()
        for x in (codes, samples)
    )
    return (between - known).square()


def critic_loss(real: Tensor, fake: Tensor, objective: AdversarialObjective) -> Tensor:
    """What a critic minimises, from its logits of real and of generated samples (N,) each, (N,).

    `minimax` and `non-saturating`: -log D(x) - log(1 - D(G(z))) with D the logistic function of the logit (Goodfellow et al.
    2014, Generative adversarial nets); minus its mean is the value V(D, G) of the game, -log 4 at D = 1/2. `hinge`:
    max(0, 1 - x) + max(0, 1 + x_fake) of the logits (Lim and Ye 2017, Geometric GAN).
    """
    if objective == "hinge":
        return F.relu(1 - real) + F.relu(1 + fake)
    return F.softplus(-real) + F.softplus(fake)


def generator_loss(fake: Tensor, objective: AdversarialObjective) -> Tensor:
    """What a generator minimises, from the critic's logits of its samples (N,), (N,).

    `minimax`: log(1 - D(G(z))); `non-saturating`: -log D(G(z)), which keeps its slope where the critic is sure (both
    Goodfellow et al. 2014); `hinge`: minus the logit.
    """
    if objective == "hinge":
        return -fake
    return -F.softplus(fake) if objective == "minimax" else F.softplus(-fake)


def gradient_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """Squared norm of the gradient of a critic's `logits` (N,) by the samples `x` (N, ...) they judge, (N,).

    On real samples, times half a weight, this is R1 (Mescheder, Geiger and Nowozin 2018, Which training methods for GANs do
    actually converge?). `x` must have required gradients before the critic saw it.
    """
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1)
