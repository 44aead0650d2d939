"""FactorVAE (Kim and Mnih 2018, Disentangling by factorising), with or without a warp.

A discriminator learns to tell codes from codes whose columns were shuffled over the batch, each on its own. Its logit is
then the log ratio of q(z) to prod_d q(z_d), and the mean logit of the codes their total correlation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.critics import Critic, frozen, seeded_by
from unwarp.models.encoders import Posterior
from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import critic_loss
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.nets.net import Net


@dataclass(frozen=True)
class FactorVAE(Variational):
    """VAE that pays `gamma` for the total correlation of its content, as a discriminator finds it.

    The deformation, whose columns are named beforehand, pays its plain rate.

    Attributes:
        gamma: Weight of the total correlation, on top of what the evidence lower bound pays for it; 0 gives the bound.
        discriminator: Hidden widths of the discriminator, a perceptron (the published one: six layers of 1000).
        discriminator_optimiser: How the discriminator moves.
    """

    family: ClassVar[str] = "factor-vae"
    gamma: float = 10.0
    discriminator: tuple[int, ...] = (256, 256, 256)
    discriminator_optimiser: Optimiser = field(
        default_factory=lambda: Optimiser(1e-3, 0.0, (0.5, 0.9))
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gamma < 0:
            raise ConfigError(f"FactorVAE: gamma must be 0 or more, got {self.gamma!r}")
        if min(self.discriminator, default=1) < 1:
            raise ConfigError(
                f"FactorVAE: discriminator must be positive widths, got {self.discriminator!r}"
            )

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        return {name: rate.mean() for name, rate in rates(posterior, model).items()}

    def players(self, model: Model) -> tuple[Player, ...]:
        """The discriminator and the autoencoder, in the order in which they step."""
        discriminator = discriminator_for(model, self.discriminator)
        return self._discriminator(model, discriminator), self._autoencoder(model, discriminator)

    def _discriminator(self, model: Model, discriminator: Critic) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad(), frozen(model):
                codes = model.encode(batch.x, generator).content
            return {"discriminator": discriminator_loss(discriminator, codes, generator).mean()}

        return Player("discriminator", discriminator, loss, self.discriminator_optimiser)

    def _autoencoder(self, model: Model, discriminator: Critic) -> Player:
        (plain,) = super().players(model)

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            drawn = model.decode_warped(posterior.content, posterior.map)
            weight = min(1.0, step / self.rate_warmup) if self.rate_warmup else 1.0
            costs = self.regularisers(posterior, model, step)
            with frozen(discriminator):
                costs["total_correlation"] = self.gamma * discriminator(posterior.content).mean()
            terms = {name: weight * cost for name, cost in costs.items()}
            return {"reconstruction": model.likelihood(drawn, batch.x).mean(), **terms}

        return Player(self.family, model, loss, self.optimiser, measure=plain.measure)


def discriminator_for(model: Model, widths: tuple[int, ...]) -> Critic:
    """A new discriminator of the codes of `model`."""
    with seeded_by(model):
        return Critic(Net("mlp", encoder=widths), (model.n_content,)).to(model.anchor_theta.device)


def discriminator_loss(discriminator: Critic, codes: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of telling the first half of `codes` (N, D) from the shuffled second half, (N // 2,).

    Two halves, as the published two batches, so that no code stands on both sides.
    """
    size = max(1, len(codes) // 2)
    fake = permute_columns(codes[-size:], generator)
    return 0.5 * critic_loss(discriminator(codes[:size]), discriminator(fake), "minimax")


def permute_columns(codes: Tensor, generator: torch.Generator) -> Tensor:
    """Each column of `codes` (N, D) shuffled over the batch on its own: draws from the product of the marginals."""
    order = torch.rand(codes.shape, generator=generator).argsort(0).to(codes.device)
    return codes.gather(0, order)
