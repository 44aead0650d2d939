"""The observation model: how probable an observation is, given what the model draws."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.errors import ConfigError
from unwarp.models.losses import bernoulli_nll, continuous_bernoulli_nll, gaussian_nll

LikelihoodKind = Literal["gaussian", "bernoulli", "continuous-bernoulli"]
Scale = float | Literal["learned"]
BACKGROUND = 8.0
KINDS: tuple[LikelihoodKind, ...] = ("gaussian", "bernoulli", "continuous-bernoulli")


class Likelihood(nn.Module):
    """-log p(x | x_hat) in nats, summed over features.

    Attributes:
        kind: `gaussian`, `bernoulli` or `continuous-bernoulli`.
        log_sigma: Log standard deviation of the Gaussian, a parameter where it is learned (one for all features, as in
            Rybkin, Daniilidis and Levine 2021, Simple and effective VAE training with calibrated decoders).
    """

    log_sigma: Tensor

    def __init__(self, kind: LikelihoodKind, sigma: Scale) -> None:
        super().__init__()
        self.kind = kind
        start = torch.tensor(0.3 if sigma == "learned" else sigma).log()
        if kind == "gaussian" and sigma == "learned":
            self.log_sigma = nn.Parameter(start)
        else:
            self.register_buffer("log_sigma", start, persistent=False)

    @property
    def sigma(self) -> Tensor:
        """Standard deviation of the Gaussian likelihood."""
        return self.log_sigma.exp()

    def forward(self, x_hat: Tensor, x: Tensor) -> Tensor:
        """-log p(x | x_hat), (N,); `x_hat` and `x` (N, ...).

        Raises:
            DataError: The values do not fit the likelihood; the message says which do.
        """
        if self.kind == "gaussian":
            return gaussian_nll(x_hat, x, self.sigma)
        return (
            bernoulli_nll(x_hat, x)
            if self.kind == "bernoulli"
            else continuous_bernoulli_nll(x_hat, x)
        )


class Above(nn.Module):
    """The probability of a pixel from how far its log-odds lie above those of an empty background.

    The warp acts on log-odds, so that edges stay as sharp as the template's, and what is read from beyond a template is 0: background.
    """

    def forward(self, height: Tensor) -> Tensor:
        """Heights (N, ...) to probabilities."""
        return torch.sigmoid(height - BACKGROUND)


def check_likelihood(kind: str, sigma: Scale) -> None:
    """Refuse an unknown likelihood with the list of known ones, and a sigma that is none."""
    if kind not in (*KINDS, "auto"):
        raise ConfigError(f"likelihood must be one of auto, {', '.join(KINDS)}, got {kind!r}")
    check_scale("sigma", sigma)


def check_scale(name: str, scale: Scale) -> None:
    """Refuse a scale that is neither positive nor `learned`."""
    if (isinstance(scale, str) and scale != "learned") or (
        not isinstance(scale, str) and not scale > 0
    ):
        raise ConfigError(f"{name} must be positive, or 'learned', got {scale!r}")
