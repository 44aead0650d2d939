"""The generative adversarial network `GAN`, plain or with a warp."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from unwarp.core import Batch, Factor
from unwarp.models.critics import Critic, build_critic, coverage, freeze_weights
from unwarp.models.likelihood import StandardDeviation
from unwarp.models.losses import (
    AdversarialObjective,
    critic_loss,
    generator_loss,
    gradient_penalty,
    squared_error,
)
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.recipe import Recipe
from unwarp.warps.constants import constant, flags

OBJECTIVES = ("minimax", "non-saturating", "hinge")


@dataclass(frozen=True)
class GAN(Recipe):
    """Generative adversarial network (Goodfellow et al. 2014), plain or with a warp.

    A critic D and a generator G are trained against each other:

        min_G max_D  E log D(x) + E log(1 - D(G(z, theta)))      G(z, theta) = m(theta)(g(z))

    with z a content code from N(0, I), theta deformation parameters from the model's prior,
    m(theta) the deformation and g the decoder. The decoder need not produce the poses of an object,
    since the warp does.

    Each network is trained by its own player, a module with a loss and an optimiser. The player
    `critic` trains D, the player `generator` trains g and, if it is learned, the prior. The player
    `inference` trains the encoder, which `embed` uses: it predicts z and theta from generated
    samples, for which both are known. The encoder sees no real samples in training. There is no
    likelihood in the loss: `likelihood` and `sigma` only set the unit of the reconstruction error
    that `evaluate` reports.

    With `net=Net("conv")` this is the DCGAN (Radford, Metz and Chintala 2016). The learning rate of
    the critic is twice that of the generator (Heusel et al. 2017, GANs trained by a two time-scale
    update rule). As in Mescheder, Geiger and Nowozin 2018, both optimisers have no momentum, and
    the gradient of the critic at real samples is penalised. With the DCGAN's momentum of 0.5 and a
    weaker penalty, training with the small default networks collapses.

    Attributes:
        prior: Standard deviation of the prior over theta in half-ranges (each column divided by
            half of the width between the bounds of its factor). `learned`, the default, is one
            number per column, trained by the generator.
        optimiser: Optimiser of the generator.
        objective: Name of the losses, see `critic_loss` and `generator_loss`: `minimax` is the
            formula above; `non-saturating`, the default, has greater gradients for the generator
            while the critic rejects its samples; `hinge`.
        r1: Weight of the squared gradient of the critic at real samples (Mescheder et al. 2018).
            The default suits data in [0, 1]; for data in [0, s], multiply it by s^2. 0 omits the
            penalty, and training with small networks then collapses.
        r1_every: The penalty is computed at every `r1_every`-th step, to save time, and multiplied
            by this number (Karras et al. 2020, Analyzing and improving the image quality of
            StyleGAN).
        spectral: Whether to divide the weights of each layer of the critic by their largest
            singular value (Miyato et al. 2018).
        ema: Decay, in (0, 1), of a moving average of the generator's weights, which replaces them
            after training; None keeps the last weights.
        critic_steps: Steps of the critic for each step of the generator.
        critic_optimiser: Optimiser of the critic.
        inference_every: Steps of the generator for each step of the inference player. With a warp
            this player takes most of the time, and a value of 4 halves the time of training.
        inference_optimiser: Optimiser of the inference player.

    Raises:
        ConfigError: A field is outside its range, or `sigma="learned"`.

    Example:
        >>> recipe = GAN(n_content=4)
        >>> model = recipe.build((1, 8, 8))
        >>> [player.name for player in recipe.players(model)]
        ['critic', 'generator', 'inference']
        >>> tuple(model.sample(3).shape)
        (3, 1, 8, 8)
    """

    family: ClassVar[str] = "gan"
    supports_gaps: ClassVar[bool] = False
    held_out_term: ClassVar[str] = ""
    prior: StandardDeviation = "learned"
    optimiser: Optimiser = field(default_factory=lambda: Optimiser(1e-3, 0.0, (0.0, 0.99)))
    objective: AdversarialObjective = "non-saturating"
    r1: float = 5.0
    r1_every: int = 2
    spectral: bool = False
    ema: float | None = 0.999
    critic_steps: int = 1
    critic_optimiser: Optimiser = field(default_factory=lambda: Optimiser(2e-3, 0.0, (0.0, 0.99)))
    inference_every: int = 1
    inference_optimiser: Optimiser = field(default_factory=Optimiser)

    def __post_init__(self) -> None:
        super().__post_init__()
        has_sigma = self.sigma != "learned"
        self.check_fields(
            objective=(f"one of {', '.join(OBJECTIVES)}", self.objective in OBJECTIVES),
            r1=("0 or more", self.r1 >= 0),
            r1_every=("at least 1", self.r1_every >= 1),
            ema=("in (0, 1), or None", self.ema is None or 0 < self.ema < 1),
            critic_steps=("at least 1", self.critic_steps >= 1),
            inference_every=("at least 1", self.inference_every >= 1),
            sigma=("a number, since a GAN has no likelihood from which to learn it", has_sigma),
        )

    def players(self, model: Model) -> tuple[Player, ...]:
        """The critic, the generator and the inference player.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            Players `critic`, `generator` and `inference`, in the order of their steps. The critic
            is a new network outside the model. For the history, it also measures the mean
            probabilities `real` and `fake` that real and generated samples are real, and the
            generator measures `coverage`, the share of real samples near a generated one.
        """
        critic = build_critic(model, self.net, self.spectral)
        return self._critic(model, critic), self._generator(model, critic), self._inference(model)

    def _critic(self, model: Model, critic: Critic) -> Player:
        """The player that trains the critic to tell real from generated samples."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad():
                _, _, fake = sample_with_latents(model, len(batch), generator)
            has_penalty = bool(self.r1) and step % self.r1_every == 0
            x = batch.x.detach().clone().requires_grad_(has_penalty)
            real_logits, fake_logits = critic(x), critic(fake)
            terms = {"critic": critic_loss(real_logits, fake_logits, self.objective).mean()}
            if has_penalty:
                penalty = gradient_penalty(real_logits, x).mean()
                terms["r1"] = 0.5 * self.r1 * self.r1_every * penalty
            return terms

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            _, _, fake = sample_with_latents(model, len(batch), generator)
            with freeze_weights(critic):
                real_probability = critic(batch.x).sigmoid().mean()
                return {"real": real_probability, "fake": critic(fake).sigmoid().mean()}

        return Player("critic", critic, loss, self.critic_optimiser, measure=measure)

    def _generator(self, model: Model, critic: Critic) -> Player:
        """The player that trains the decoder to generate samples that the critic takes for real."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            _, _, fake = sample_with_latents(model, len(batch), generator)
            with freeze_weights(critic):
                return {"generator": generator_loss(critic(fake), self.objective).mean()}

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            _, _, fake = sample_with_latents(model, len(batch), generator)
            return {"coverage": coverage(batch.x, fake)}

        return Player(
            "generator",
            GeneratorModule(model),
            loss,
            self.optimiser,
            self.critic_steps,
            self.ema,
            measure,
        )

    def _inference(self, model: Model) -> Player:
        """The player that trains the encoder to predict the latents of generated samples."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad():
                content, theta, fake = sample_with_latents(model, len(batch), generator)
            posterior = model.encode(fake)
            terms = {"content": squared_error(posterior.content, content).mean()}
            if model.warp.factors:
                error = pose_error(model.warp.theta(posterior.map), theta, model.warp.factors)
                terms["deformation"] = error.mean()
            return terms

        interval = self.critic_steps * self.inference_every
        return Player("inference", model.encoder, loss, self.inference_optimiser, interval)


class GeneratorModule(nn.Module):
    """The parameters that the generator trains, as one module.

    These are the model's decoder and, if they are learned, the standard deviations of the prior
    over the deformation. The module shares them with the model, and has no `forward`.

    Args:
        model: The model.

    Attributes:
        decoder: The model's decoder.
        log_prior: Log standard deviations of the prior (P,); absent if the prior is fixed.

    Example:
        >>> model = GAN(n_content=4, prior=0.5).build((1, 8, 8))
        >>> GeneratorModule(model).decoder is model.decoder
        True
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.decoder = model.decoder
        if isinstance(model.log_prior, nn.Parameter):
            self.log_prior = model.log_prior


def sample_with_latents(
    model: Model, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Generated samples together with the latents from which they were generated.

    `Model.sample` is the same without the latents.

    Args:
        model: The model, with a prior over content and deformation.
        n: Number of samples.
        generator: Source of random numbers.

    Returns:
        Content (n, D), deformations theta (n, P) before centring, and samples (n, *shape).
    """
    content, theta = model.sample_latents(n, generator)
    return content, theta, model.decode_warped(content, model.warp.map(theta))


def pose_error(predicted: Tensor, theta: Tensor, factors: tuple[Factor, ...]) -> Tensor:
    """Squared error of deformation parameters in half-ranges, summed over columns.

    The error of a periodic column is 2 - 2 cos(d), the squared chord between two angles that differ
    by d radians. It is about d^2 for a small d, and 0 for a full turn. The columns of factors
    with `low == high` do not count, nor do discrete columns. If a discrete column is wrong, such as
    a mirror, the other columns have another meaning, and the error of this row is 0.

    Args:
        predicted: Predicted parameters (N, P).
        theta: True parameters (N, P).
        factors: Factors of the P columns, which have the ranges.

    Returns:
        Errors (N,), 0 for a perfect prediction.
    """
    half_ranges = constant(tuple(f.half_range for f in factors), theta)
    is_periodic = flags(tuple(f.periodic for f in factors), theta)
    difference = (predicted - theta) / half_ranges.clamp_min(1e-12)
    # the half-range of a full turn is pi radians
    squared_chord = 2 - 2 * (torch.pi * difference).cos()
    errors = torch.where(is_periodic, squared_chord, difference.square())
    is_discrete = flags(tuple(f.discrete for f in factors), theta)
    is_right = ((difference == 0) | ~is_discrete).all(-1, keepdim=True)
    return errors.masked_fill((half_ranges == 0) | is_discrete | ~is_right, 0.0).sum(-1)
