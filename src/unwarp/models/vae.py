"""The variational autoencoder (Kingma and Welling 2014; Rezende et al. 2014), with or without a warp.

`log p(x) >= E_q log p(x | z, theta) - KL(q(z) || N(0, 1)) - KL(q(theta) || p(theta))`: content is Gaussian, and so is
the deformation's last rung around the composed deformation, in half-ranges. Periodic columns have a uniform prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.losses import gaussian_energy, gaussian_rate
from unwarp.models.base import Model, Player, Recipe
from unwarp.models.encoders import Posterior
from unwarp.schedules import ramp
from unwarp.types import Batch, ConfigError


@dataclass(frozen=True)
class VAE(Recipe):
    """Variational autoencoder; all terms in nats, summed over features, so `beta` is the paper's.

    Attributes:
        beta: Weight of both rates; 1 gives the evidence lower bound.
        rate_warmup: Steps over which the weight rises from 0 to `beta`.
    """

    family: ClassVar[str] = "vae"
    likelihood: str = "bernoulli"  # type: ignore[assignment]
    beta: float = 1.0
    rate_warmup: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beta < 0:
            raise ConfigError(f"VAE: beta must be 0 or more, got {self.beta!r}")

    @property
    def stochastic(self) -> bool:
        return True

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player that moves the whole model."""
        weight = ramp(0.0, self.beta, self.rate_warmup) if self.rate_warmup else lambda step: self.beta

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            distortion = self.nll(model.draw(posterior.content, posterior.map), batch.x)
            rates = {name: weight(step) * rate.mean() for name, rate in self.rates(posterior).items()}
            return {"reconstruction": distortion.mean(), **rates}

        return (Player("vae", model, loss, self.optimiser),)

    def rates(self, posterior: Posterior) -> dict[str, Tensor]:
        """KL of content and of the deformation from their priors, (N,) each, in nats."""
        assert posterior.content_log_sd is not None
        rates = {"content_rate": gaussian_rate(posterior.content_mean, posterior.content_log_sd)}
        if posterior.theta_log_sd is None:
            return rates
        sds = posterior.theta_log_sd
        spread = gaussian_rate(torch.zeros_like(sds), sds, self.prior)
        return rates | {"deformation_rate": gaussian_energy(posterior.theta, self.prior) + spread}

    def elbo(self, model: Model, x: Tensor, generator: torch.Generator) -> Tensor:
        """The evidence lower bound of samples `x` (N, *shape) in nats, (N,), by one draw."""
        posterior = model.encode(x, generator)
        rate = torch.stack(list(self.rates(posterior).values())).sum(0)
        return -self.nll(model.draw(posterior.content, posterior.map), x) - rate
