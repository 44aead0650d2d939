"""The variational autoencoder (Kingma and Welling 2014; Rezende et al. 2014), with or without a warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.models.encoders import Posterior
from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import gaussian_rates
from unwarp.models.model import Model


@dataclass(frozen=True)
class VAE(Variational):
    """Variational autoencoder: distortion and rates, weighed as in the evidence lower bound.

    Attributes:
        beta: Weight of both rates; 1 gives the bound itself.
        free_bits: Nats that each content dimension may cost unpunished, mean over the batch (Kingma et al. 2016, Improved
            variational inference with inverse autoregressive flow); 0 gives the bound.
    """

    family: ClassVar[str] = "vae"
    beta: float = 1.0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beta < 0 or self.free_bits < 0:
            raise ConfigError(
                f"VAE: beta and free_bits must be 0 or more, got {self.beta!r} and {self.free_bits!r}"
            )

    @property
    def is_elbo(self) -> bool:
        return self.beta == 1 and not self.free_bits and not self.rate_warmup

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        costs = {name: self.beta * rate.mean() for name, rate in rates(posterior, model).items()}
        if self.free_bits:
            assert posterior.content_log_sd is not None
            columns = gaussian_rates(posterior.content_mean, posterior.content_log_sd).mean(0)
            costs["content_rate"] = self.beta * columns.clamp_min(self.free_bits).sum()
        return costs
