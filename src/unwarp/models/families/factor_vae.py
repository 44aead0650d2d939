"""FactorVAE: a VAE with a discriminator that estimates total correlation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.draws import draw_uniform
from unwarp.models.critics import Critic, freeze_weights, seed_from_weights
from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import critic_loss
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.posterior import Posterior
from unwarp.nets.net import Net
from unwarp.waiting import send


@dataclass(frozen=True)
class FactorVAE(Variational):
    """FactorVAE (Kim and Mnih 2018, Disentangling by factorising).

    A discriminator D learns to tell content codes z from shuffled codes, in which each column was
    permuted over the batch by itself. Its logit estimates log q(z) - log prod_d q(z_d). The mean
    logit of the codes estimates their total correlation TC, which is 0 if the columns of z are
    independent. With deformation parameters theta, the autoencoder minimises

        E_q[-log p(x | z, theta)] + KL(q(z | x) || N(0, I)) + KL(q(theta | x) || p(theta))
        + gamma TC,        TC = E_q(z)[logit D(z)]

    `gamma` acts on the content code only. Prefer this family to `TCVAE` for small batches or long
    codes. The estimate of TC depends on the quality of the discriminator. Its loss in the history
    is log 2 = 0.69 if it cannot tell codes from shuffled codes.

    Attributes:
        gamma: Additional weight of the total correlation, at least 0. The KL divergence of the
            content contains it already with weight 1, so `gamma` acts like `beta - 1` of `TCVAE`,
            and 0 gives the evidence lower bound.
        discriminator: Hidden widths of the discriminator, a perceptron. The published network has
            six layers of width 1000; the smaller default makes training faster.
        discriminator_optimiser: Optimiser of the discriminator. The default has the published
            `betas` (0.5, 0.9) and no weight decay.

    Raises:
        ConfigError: `gamma` is negative or a width is not positive.

    Example:
        >>> recipe = FactorVAE(n_content=4, discriminator=(32,))
        >>> model = recipe.build((1, 8, 8))
        >>> [player.name for player in recipe.players(model)]
        ['discriminator', 'factor-vae']
    """

    family: ClassVar[str] = "factor-vae"
    gamma: float = 10.0
    discriminator: tuple[int, ...] = (256, 256, 256)
    discriminator_optimiser: Optimiser = field(
        default_factory=lambda: Optimiser(1e-3, 0.0, (0.5, 0.9))
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_fields(
            gamma=("0 or more", self.gamma >= 0),
            discriminator=("positive widths", min(self.discriminator, default=1) >= 1),
        )

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The unweighted KL divergences of a batch.

        The total correlation is not among them; the loss of the player adds it, since it needs the
        discriminator.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that encoded the batch.
            step: Number of the training step; ignored here.

        Returns:
            `content_rate` and, if the deformation has a posterior, `deformation_rate`: scalars in
            nats, means over the batch.
        """
        return {name: rate.mean() for name, rate in rates(posterior, model).items()}

    def players(self, model: Model) -> tuple[Player, ...]:
        """The discriminator and the autoencoder, in the order of their steps.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            Players `discriminator` and `factor-vae`. The discriminator is a new network outside
            the model; the seed of its weights is computed from the model's weights.
        """
        discriminator = make_discriminator(model, self.discriminator)
        return self._discriminator(model, discriminator), self._autoencoder(model, discriminator)

    def _discriminator(self, model: Model, discriminator: Critic) -> Player:
        """The player that trains the discriminator; the weights of the model do not change."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad(), freeze_weights(model):
                codes = model.encode(batch.x, generator).content
            return {"discriminator": discriminator_loss(discriminator, codes, generator).mean()}

        return Player("discriminator", discriminator, loss, self.discriminator_optimiser)

    def _autoencoder(self, model: Model, discriminator: Critic) -> Player:
        """The player that trains the model; the weights of the discriminator do not change."""
        (base_player,) = super().players(model)

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            costs = self.regularisers(posterior, model, step)
            with freeze_weights(discriminator):
                costs["total_correlation"] = self.gamma * discriminator(posterior.content).mean()
            return self._terms(batch, posterior, model, costs, step)

        return Player(self.family, model, loss, self.optimiser, measure=base_player.measure)


def make_discriminator(model: Model, widths: tuple[int, ...]) -> Critic:
    """A new discriminator for the codes of a model.

    Args:
        model: The model; the discriminator takes the number of its inputs and its device, and a
            seed from its weights.
        widths: Hidden widths of the discriminator.

    Returns:
        A network from codes (N, D) to logits (N,).
    """
    with seed_from_weights(model):
        return Critic(Net("mlp", encoder=widths), (model.n_content,)).to(model.anchor_theta.device)


def discriminator_loss(discriminator: Critic, codes: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of telling codes from codes with shuffled columns.

    The codes of the first half of the batch are used unchanged, and those of the second half
    shuffled. The paper uses two batches instead.

    Args:
        discriminator: Network from codes to logits.
        codes: Codes (N, D) without gradient.
        generator: Source of random numbers.

    Returns:
        Losses (max(1, N // 2),) in nats; log 2 for a discriminator at chance level.
    """
    size = max(1, len(codes) // 2)
    fake = permute_columns(codes[-size:], generator)
    return 0.5 * critic_loss(discriminator(codes[:size]), discriminator(fake), "minimax")


def permute_columns(codes: Tensor, generator: torch.Generator) -> Tensor:
    """Codes with each column permuted over the batch by itself.

    The rows are then samples from the product of the marginal densities, prod_d q(z_d).

    Args:
        codes: Codes (N, D).
        generator: Source of random numbers.

    Returns:
        Codes (N, D); a column holds the values of the same column of `codes`.
    """
    order = send(draw_uniform(codes.shape, generator).argsort(0), codes.device)
    return codes.gather(0, order)
