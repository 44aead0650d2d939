"""FactorVAE: a VAE with a discriminator for the total correlation of codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.models.critics import Critic, freeze_weights, seed_from_weights
from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import critic_loss
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.posterior import Posterior
from unwarp.nets.net import Net


@dataclass(frozen=True)
class FactorVAE(Variational):
    """FactorVAE (Kim and Mnih 2018, Disentangling by factorising).

    A discriminator D tells codes from codes with columns that were shuffled over the batch. Its
    logit estimates log q(z) - log prod_d q(z_d), and the mean logit of the codes their total
    correlation TC. The autoencoder minimises

        E_q[-log p(x | z, theta)] + KL(q(z | x) || N(0, I)) + KL(q(theta | x) || p(theta))
        + gamma TC,        TC = E_q(z)[logit D(z)]

    The weight acts on the content alone. Take it instead of `TCVAE` for small batches or long
    codes. The estimate is as good as the discriminator: watch its loss in the history, which is
    log 2 = 0.69 if it cannot tell codes from shuffled ones. The field `isometry` has no effect in
    this family.

    Attributes:
        gamma: Weight of the total correlation, at least 0, on top of its share in the KL term; 0
            gives the evidence lower bound. `gamma` acts like `beta - 1` of `TCVAE`.
        discriminator: Hidden widths of the discriminator, a perceptron. The published one has six
            layers of 1000; the smaller default keeps a training step short.
        discriminator_optimiser: Optimiser of the discriminator, by default with the published
            decay rates of moments (0.5, 0.9) and without weight decay.

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
        """The plain KL terms of a batch.

        The player adds the total correlation, since it needs the discriminator.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that gave it.
            step: Number of the training step; ignored here.

        Returns:
            `content_rate` and, if the encoder samples the deformation, `deformation_rate`: scalars
            in nats, means over the batch.
        """
        return {name: rate.mean() for name, rate in rates(posterior, model).items()}

    def players(self, model: Model) -> tuple[Player, ...]:
        """The discriminator and the autoencoder, in the order of their steps.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            Players `discriminator` and `factor-vae`. The discriminator is a new network outside
            the model, with weights that follow from the model's.
        """
        discriminator = make_discriminator(model, self.discriminator)
        return self._discriminator(model, discriminator), self._autoencoder(model, discriminator)

    def _discriminator(self, model: Model, discriminator: Critic) -> Player:
        """The player that trains the discriminator on codes of the frozen model."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad(), freeze_weights(model):
                codes = model.encode(batch.x, generator).content
            return {"discriminator": discriminator_loss(discriminator, codes, generator).mean()}

        return Player("discriminator", discriminator, loss, self.discriminator_optimiser)

    def _autoencoder(self, model: Model, discriminator: Critic) -> Player:
        """The player that trains the model against the frozen discriminator."""
        (base_player,) = super().players(model)

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            x_hat = model.decode_warped(posterior.content, posterior.map)
            costs = self.regularisers(posterior, model, step)
            with freeze_weights(discriminator):
                costs["total_correlation"] = self.gamma * discriminator(posterior.content).mean()
            weight = self._rate_weight(step)
            terms = {name: weight * cost for name, cost in costs.items()}
            return {"reconstruction": model.likelihood(x_hat, batch.x).mean(), **terms}

        return Player(self.family, model, loss, self.optimiser, measure=base_player.measure)


def make_discriminator(model: Model, widths: tuple[int, ...]) -> Critic:
    """A new discriminator for the codes of a model.

    Args:
        model: The model; it sets the number of inputs, the device and the seed of the weights.
        widths: Hidden widths of the perceptron.

    Returns:
        A network from codes (N, D) to logits (N,).
    """
    with seed_from_weights(model):
        return Critic(Net("mlp", encoder=widths), (model.n_content,)).to(model.anchor_theta.device)


def discriminator_loss(discriminator: Critic, codes: Tensor, generator: torch.Generator) -> Tensor:
    """Cross-entropy of telling codes from codes with shuffled columns.

    The first half of the batch is shown as it is, the second half shuffled. As with the two
    batches of the paper, no code is shown both ways (from N = 2 on).

    Args:
        discriminator: Network from codes to logits.
        codes: Codes (N, D) without gradient.
        generator: Generator of the shuffle.

    Returns:
        Losses (max(1, N // 2),) in nats; log 2 at chance.
    """
    size = max(1, len(codes) // 2)
    fake = permute_columns(codes[-size:], generator)
    return 0.5 * critic_loss(discriminator(codes[:size]), discriminator(fake), "minimax")


def permute_columns(codes: Tensor, generator: torch.Generator) -> Tensor:
    """Codes with every column shuffled over the batch by itself.

    The rows are then draws from the product of the marginals, prod_d q(z_d).

    Args:
        codes: Codes (N, D).
        generator: Generator of the permutations.

    Returns:
        Codes (N, D); a column holds the values of the same column of `codes`.
    """
    order = torch.rand(codes.shape, generator=generator).argsort(0).to(codes.device)
    return codes.gather(0, order)
