"""Losses as pure functions that return one value per sample.

Log-likelihoods and KL divergences are in nats. Unless a docstring says otherwise, a function sums
over the features of a sample and returns a tensor (N,); the caller takes the mean over the batch.
With these two conventions the weights of loss terms, such as the beta of a beta-VAE, mean the same
as in the papers, and losses do not depend on the batch size.

The rate of a variational autoencoder is the KL divergence of the posterior from the prior. The word
occurs in names such as `gaussian_rate`.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import ContinuousBernoulli, constraints
from torch.nn import functional as F

from unwarp.draws import draw_normal
from unwarp.errors import DataError
from unwarp.missing import fill_missing
from unwarp.waiting import can_read, send_like

AdversarialObjective = Literal["minimax", "non-saturating", "hinge"]
"""Names of the losses of a critic and a generator; see `critic_loss` and `generator_loss`."""

MIN_PROBABILITY = 1e-6
"""Least distance of a probability from 0 and from 1, so that its logarithm is finite."""


def gaussian_nll(x_hat: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """Negative log-density of samples under a Gaussian around their reconstructions.

    -log N(x; x_hat, sigma^2 I) = |x - x_hat|^2 / (2 sigma^2) + d (log sigma + log(2 pi) / 2), with
    d the number of observed features. With sigma^2 = 1/2 it is the squared error plus a constant.

    Args:
        x_hat: Reconstructions (N, ...).
        x: Samples, of the same shape; missing values are NaN and do not count.
        sigma: Standard deviation: a number, or a scalar tensor if it is learned.

    Returns:
        Nats (N,), normalising constant included.

    >>> x = torch.zeros(1, 1, 4)
    >>> round(float(gaussian_nll(x, x, 1.0)), 3)  # 4 log(2 pi) / 2
    3.676
    """
    log_sigma = sigma.log() if isinstance(sigma, Tensor) else math.log(sigma)
    n_observed = torch.isfinite(x).flatten(1).sum(1).to(x_hat)
    constant = n_observed * (log_sigma + 0.5 * math.log(2 * math.pi))
    return squared_error(x_hat, x) / (2 * sigma**2) + constant


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Squared error, summed over the observed features.

    Args:
        x_hat: Reconstructions (N, ...).
        x: Samples, of the same shape; missing values are NaN and do not count.

    Returns:
        Squared errors (N,).

    >>> x = torch.tensor([[1.0, torch.nan, 3.0]])
    >>> squared_error(torch.zeros(1, 3), x)
    tensor([10.])
    """
    return (x_hat - fill_missing(x, x_hat)).square().flatten(1).sum(1)


def bernoulli_nll(x_hat: Tensor, x: Tensor) -> Tensor:
    """Binary cross-entropy of samples, summed over features.

    -sum [x log x_hat + (1 - x) log(1 - x_hat)]. For samples of zeros and ones this is a negative
    log-likelihood. For grey values between 0 and 1 it is a loss, but not the negative logarithm of
    a density; see `continuous_bernoulli_nll`. Probabilities are clamped to [1e-6, 1 - 1e-6]. The
    function computes at least in float32, also within mixed precision.

    Args:
        x_hat: Probabilities (N, ...).
        x: Samples in [0, 1], of the same shape.

    Returns:
        Nats (N,).

    Raises:
        DataError: A sample has a value outside [0, 1].
    """
    x = _unit_values(x, "Bernoulli")
    with torch.autocast(x_hat.device.type, enabled=False):
        is_double = x_hat.dtype == torch.float64
        probability = x_hat if is_double else x_hat.float()
        probability = probability.clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        cross_entropy: Any = _CrossEntropy.apply
        nats: Tensor = cross_entropy(probability, x.to(probability))
        return nats.flatten(1).sum(1)


class _CrossEntropy(torch.autograd.Function):
    """Cross-entropies -x log p - (1 - x) log(1 - p) of values x and probabilities p in (0, 1).

    PyTorch takes these logarithms one by one on a CPU, which is five times as slow, and on a GPU
    ends the whole program at a probability that is NaN.
    """

    @staticmethod
    def forward(ctx: Any, probability: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(probability, x)
        return torch.lerp(torch.log1p(-probability), probability.log(), x).neg_()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        probability, x = ctx.saved_tensors
        variance = torch.addcmul(probability, probability, probability, value=-1)
        return gradient * ((probability - x) / variance), None


def continuous_bernoulli_nll(x_hat: Tensor, x: Tensor) -> Tensor:
    """Negative log-density of samples under the continuous Bernoulli distribution.

    p(x; l) = C(l) l^x (1 - l)^(1 - x), with C(l) = 2 artanh(1 - 2 l) / (1 - 2 l). With the factor
    C it is a density on [0, 1] (Loaiza-Ganem and Cunningham 2019, The continuous Bernoulli). The
    mean of the distribution is not l, but a function of l that is closer to 1/2.

    Args:
        x_hat: Parameters l in [0, 1], shape (N, ...).
        x: Samples in [0, 1], of the same shape.

    Returns:
        Nats (N,); negative values are possible, since a density may exceed 1.

    Raises:
        DataError: A sample has a value outside [0, 1].
    """
    x = _unit_values(x, "continuous Bernoulli")
    probability = x_hat.float().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    density = _ContinuousBernoulli(probs=probability, validate_args=False)
    return -torch.as_tensor(density.log_prob(x)).flatten(1).sum(1)  # type: ignore[no-untyped-call]


class _AnyValue(constraints.Constraint):
    """A constraint that every value meets."""

    def check(self, value: Tensor) -> Tensor:
        return torch.ones((), dtype=torch.bool)


class _ContinuousBernoulli(ContinuousBernoulli):
    """The distribution without a look at its parameters, for which a GPU would be waited for."""

    arg_constraints = {"probs": _AnyValue(), "logits": _AnyValue()}  # noqa: RUF012


def _unit_values(x: Tensor, likelihood: str) -> Tensor:
    """Samples without values outside [0, 1]; the message names the likelihood.

    In a training step on a GPU, which nobody waits for, such values become NaN, and with them the
    loss.
    """
    if not can_read(x):
        return x.masked_fill((x < 0) | (x > 1), torch.nan)
    low, high = (float(end) for end in x.aminmax()) if x.numel() else (0.0, 0.0)
    if low < 0 or high > 1:
        raise DataError(
            f"the {likelihood} likelihood needs values in [0, 1], got {low:.3g} to {high:.3g}; "
            "scale the data to [0, 1], or use likelihood='gaussian'"
        )
    return x


def gaussian_log_density(x: Tensor, mean: Tensor, log_sd: Tensor) -> Tensor:
    """Log-density of each value under a Gaussian, without a sum over columns.

    log N(x; mean, sd^2) = -((x - mean) / sd)^2 / 2 - log sd - log(2 pi) / 2. The three arguments
    are broadcast.

    Args:
        x: Values (..., D).
        mean: Means (..., D).
        log_sd: Log standard deviations (..., D).

    Returns:
        Nats (..., D), of the broadcast shape.
    """
    return -0.5 * ((x - mean) * (-log_sd).exp()).square() - log_sd - 0.5 * math.log(2 * math.pi)


def gaussian_rate_per_column(mean: Tensor, log_sd: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """KL divergence of each column of a Gaussian posterior from its prior.

    KL(N(mean, sd^2) || N(0, s^2)) = [(mean / s)^2 + (sd / s)^2 - 1] / 2 - log(sd / s) (Kingma and
    Welling 2014, Auto-encoding variational Bayes, appendix B).

    Args:
        mean: Posterior means (N, D).
        log_sd: Posterior log standard deviations (N, D).
        scale: Standard deviation s of the prior: a number, or one for each column (D,).

    Returns:
        Nats (N, D), 0 or more.
    """
    log_ratio = log_sd - (scale.log() if isinstance(scale, Tensor) else math.log(scale))
    return 0.5 * ((mean / scale).square() + (2 * log_ratio).exp() - 1 - 2 * log_ratio)


def gaussian_rate(mean: Tensor, log_sd: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """KL divergence of a Gaussian posterior from its prior.

    KL(N(mean, diag(sd^2)) || N(0, s^2 I)), the sum of `gaussian_rate_per_column` over columns. The
    evidence lower bound of a VAE is the expected log-likelihood minus this number. A beta-VAE
    multiplies it by beta (Higgins et al. 2017).

    Args:
        mean: Posterior means (N, D).
        log_sd: Posterior log standard deviations (N, D).
        scale: Standard deviation s of the prior: a number, or one for each column (D,).

    Returns:
        Nats (N,), 0 or more.

    >>> gaussian_rate(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
    tensor([0.5000])
    """
    return gaussian_rate_per_column(mean, log_sd, scale).sum(-1)


def gaussian_energy(mean: Tensor, scale: float | Tensor = 1.0) -> Tensor:
    """Negative log-density of a point estimate under a Gaussian prior.

    |mean / s|^2 / 2, summed over columns, without the normalising constant. Deterministic encoders
    use it in place of `gaussian_rate`. The difference of the two depends on the posterior standard
    deviation only.

    Args:
        mean: Estimates (N, D).
        scale: Standard deviation s of the prior: a number, or one for each column (D,).

    Returns:
        Nats (N,), 0 or more.
    """
    return 0.5 * (mean / scale).square().sum(-1)


def reparametrise(mean: Tensor, log_sd: Tensor, generator: torch.Generator) -> Tensor:
    """A sample from a Gaussian, differentiable in its parameters.

    mean + sd * epsilon with epsilon ~ N(0, 1), the reparametrisation trick (Kingma and Welling
    2014).

    Args:
        mean: Means (N, D).
        log_sd: Log standard deviations (N, D).
        generator: Source of random numbers; its device need not be that of `mean`.

    Returns:
        Samples (N, D) on the device of `mean`.
    """
    noise = draw_normal(mean.shape, generator)
    return mean + log_sd.exp() * send_like(noise, mean)


def stress(codes: Tensor, samples: Tensor) -> Tensor:
    """Squared differences between distances of codes and distances of samples.

    (|z_i - z_j| - |x_i - x_j|)^2, a term of the raw stress of multidimensional scaling (Kruskal
    1964). It is 0 if codes are as far apart as their samples. A batch of N rows gives N // 2 pairs:
    row i of its first half with row i of its second half.

    Args:
        codes: Codes (N, D).
        samples: Samples or templates (N, ...).

    Returns:
        Squared differences (N // 2,). If N is odd, the last row is left out.

    >>> stress(torch.tensor([[0.0], [3.0]]), torch.tensor([[0.0], [1.0]]))
    tensor([4.])
    """
    half = len(codes) // 2
    code_distances, sample_distances = (
        (x[:half] - x[half : 2 * half]).flatten(1).square().sum(1).clamp_min(1e-12).sqrt()
        for x in (codes, samples)
    )
    return (code_distances - sample_distances).square()


def critic_loss(real: Tensor, fake: Tensor, objective: AdversarialObjective) -> Tensor:
    """Loss of a critic that tells real from generated samples.

    `minimax` and `non-saturating`: -log D(x) - log(1 - D(G(z))), with D the logistic function of
    the logit (Goodfellow et al. 2014, Generative adversarial nets). The loss is log 4 if the critic
    cannot tell the samples apart (D = 1/2). `hinge`: max(0, 1 - l(x)) + max(0, 1 + l(G(z))), with l
    the logit (Lim and Ye 2017, Geometric GAN).

    Args:
        real: Logits of real samples (N,).
        fake: Logits of generated samples (N,).
        objective: Name of the loss.

    Returns:
        Losses (N,) to minimise.
    """
    if objective == "hinge":
        return F.relu(1 - real) + F.relu(1 + fake)
    return F.softplus(-real) + F.softplus(fake)


def generator_loss(fake: Tensor, objective: AdversarialObjective) -> Tensor:
    """Loss of a generator, from the critic's logits of its samples.

    `minimax`: log(1 - D(G(z))), with D the logistic function of the logit; its gradient vanishes if
    D is near 0. `non-saturating`: -log D(G(z)); its gradient does not vanish if D is near 0 (both
    Goodfellow et al. 2014). `hinge`: minus the logit (Lim and Ye 2017).

    Args:
        fake: Logits of generated samples (N,).
        objective: Name of the loss.

    Returns:
        Losses (N,) to minimise.
    """
    if objective == "hinge":
        return -fake
    return -F.softplus(fake) if objective == "minimax" else F.softplus(-fake)


def gradient_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """Squared norm of a critic's gradient with respect to its samples.

    |dl/dx|^2, with l the logit of a sample x. For real samples and multiplied by half a weight, it
    is the R1 penalty (Mescheder, Geiger and Nowozin 2018, Which training methods for GANs do
    actually converge?). It is least for a norm of 0, unlike the penalty of the WGAN-GP (Gulrajani
    et al. 2017), which is least for a norm of 1.

    Args:
        logits: The critic's logits (N,), computed from `x`.
        x: Samples (N, ...); call `x.requires_grad_()` before the critic sees them.

    Returns:
        Squared norms (N,), differentiable with respect to the critic's weights.
    """
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1)
