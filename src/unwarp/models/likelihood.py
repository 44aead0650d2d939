"""The observation model: how probable a sample is under its reconstruction."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.errors import ConfigError
from unwarp.models.losses import bernoulli_nll, continuous_bernoulli_nll, gaussian_nll
from unwarp.range_kinds import Choice

LikelihoodKind = Literal["gaussian", "bernoulli", "continuous-bernoulli"]
LIKELIHOODS: tuple[LikelihoodKind, ...] = ("gaussian", "bernoulli", "continuous-bernoulli")

StandardDeviation = float | Literal["learned"]
"""A standard deviation, or `learned` for a parameter of the model."""

INITIAL_LEARNED_SIGMA = 0.3
"""Initial standard deviation of a Gaussian likelihood with a learned sigma."""

BACKGROUND_LOG_ODDS = 8.0
"""Minus the log-odds of a bright pixel in empty background, a probability of about 0.0003."""


class Likelihood(nn.Module):
    """Negative log-likelihood of samples under their reconstructions.

    -log p(x | x_hat) in nats, summed over features. The formulas are those of `gaussian_nll`,
    `bernoulli_nll` and `continuous_bernoulli_nll`. A learned sigma is one parameter for all
    features (Rybkin, Daniilidis and Levine 2021, Simple and effective VAE training with calibrated
    decoders).

    Args:
        kind: `gaussian`, `bernoulli` or `continuous-bernoulli`.
        sigma: Standard deviation of the Gaussian likelihood, positive, or `learned`; the Bernoulli
            likelihoods ignore it.

    Attributes:
        kind: The argument `kind`.
        log_sigma: Log standard deviation of the Gaussian, a scalar; a trainable
            parameter if it is learned.

    >>> likelihood = Likelihood("gaussian", sigma=1.0)
    >>> x = torch.zeros(2, 1, 4)
    >>> likelihood(x + 2.0, x) - likelihood(x, x)  # 4 features, 2^2 / 2 nats each
    tensor([8., 8.])
    """

    log_sigma: Tensor

    def __init__(self, kind: LikelihoodKind, sigma: StandardDeviation) -> None:
        super().__init__()
        self.kind = kind
        initial = torch.tensor(INITIAL_LEARNED_SIGMA if sigma == "learned" else sigma).log()
        if kind == "gaussian" and sigma == "learned":
            self.log_sigma = nn.Parameter(initial)
        else:
            self.register_buffer("log_sigma", initial, persistent=False)

    @property
    def sigma(self) -> Tensor:
        """Standard deviation of the Gaussian likelihood.

        A scalar in the units of the samples. The two Bernoulli likelihoods do not use it.
        """
        return self.log_sigma.exp()

    def forward(self, x_hat: Tensor, x: Tensor) -> Tensor:
        """Negative log-likelihood of samples.

        Args:
            x_hat: Reconstructions (N, ...); probabilities for the Bernoulli likelihoods.
            x: Samples, of the same shape; in [0, 1] for the Bernoulli likelihoods.

        Returns:
            Nats (N,), summed over features.

        Raises:
            DataError: A Bernoulli likelihood got values outside [0, 1].
        """
        if self.kind == "gaussian":
            return gaussian_nll(x_hat, x, self.sigma)
        nll = bernoulli_nll if self.kind == "bernoulli" else continuous_bernoulli_nll
        return nll(x_hat, x)


class LogOddsLink(nn.Module):
    """The link from deformed templates to probabilities, for Bernoulli likelihoods.

    sigmoid(y - 8), with y the log-odds of a pixel minus those of an empty background. The link is
    applied after the warp, so the warp deforms and interpolates log-odds: edges stay sharp, and
    zeros outside a template are background.

    >>> LogOddsLink()(torch.tensor([6.0, 8.0])).round(decimals=2)
    tensor([0.1200, 0.5000])
    """

    def forward(self, log_odds: Tensor) -> Tensor:
        """Probabilities of pixels, of the shape of the input.

        Args:
            log_odds: Log-odds (N, ...) minus those of the background; 0 for background.
        """
        return torch.sigmoid(log_odds - BACKGROUND_LOG_ODDS)


def check_likelihood(kind: str, sigma: StandardDeviation) -> None:
    """Refuse an unknown likelihood or an impossible sigma.

    Args:
        kind: Name of a likelihood, or `auto`.
        sigma: Standard deviation, or `learned`.

    Raises:
        ConfigError: The name is neither `auto` nor one of `LIKELIHOODS`, or sigma is not positive.
    """
    if not Choice((*LIKELIHOODS, "auto")).allows(kind):
        names = ", ".join(LIKELIHOODS)
        raise ConfigError(f"likelihood={kind!r} is unknown; choose auto or one of {names}")
    check_standard_deviation("sigma", sigma)


def check_standard_deviation(name: str, value: StandardDeviation) -> None:
    """Refuse a standard deviation that is neither positive nor `learned`.

    Args:
        name: Name of the field, for the message.
        value: The value of the field.

    Raises:
        ConfigError: The value is 0, negative, NaN, or a text other than `learned`.
    """
    is_allowed = value == "learned" if isinstance(value, str) else value > 0
    if not is_allowed:
        raise ConfigError(f"{name}={value!r} is not allowed; {name} must be positive, or 'learned'")
