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

OBJECTIVES = ("minimax", "non-saturating", "hinge")


@dataclass(frozen=True)
class GAN(Recipe):
    """Generative adversarial network (Goodfellow et al. 2014), plain or with a warp.

    A critic D and a generator G play the game

        min_G max_D  E log D(x) + E log(1 - D(G(z, theta)))      G(z, theta) = m(theta)(g(z))

    with content z from N(0, I), theta from the model's prior, m the warp and g the decoder. The
    warp explains poses, so templates need no copy for each pose. A third player, the inference
    player, trains the encoder to predict z and theta from generated samples, for which both are
    known. It gives `embed` and sees no real sample in training. There is no likelihood:
    `likelihood` and `sigma` only set the unit of the reconstruction error that `evaluate` reports.

    With `net=Net("conv")` this is the DCGAN (Radford, Metz and Chintala 2016). The critic learns at
    twice the rate of the generator (Heusel et al. 2017, GANs trained by a two time-scale update
    rule). Both optimisers have no momentum, and the critic pays for its slope at real samples, as
    in Mescheder, Geiger and Nowozin 2018: with the DCGAN's momentum of 0.5 and a weaker penalty,
    networks as small as the defaults collapse.

    Attributes:
        prior: Standard deviation of the generator's deformations in half-ranges, or `learned`, the
            default, for one per column that the generator trains.
        optimiser: Optimiser of the generator.
        objective: `non-saturating`, which keeps its gradient if the critic is sure; `minimax`, the
            game above; or `hinge`.
        r1: Weight of the squared gradient of the critic at real samples (Mescheder et al. 2018),
            for data in [0, 1]; scale it with the square of another range. 0 omits the penalty, and
            small networks then collapse.
        r1_every: Steps between two uses of the penalty, which saves time; its weight is multiplied
            by this number (Karras et al. 2020, Analyzing and improving the image quality of
            StyleGAN).
        spectral: Whether to divide each layer of the critic by its largest singular value (Miyato
            et al. 2018).
        ema: Decay of an average of the generator's weights, in (0, 1), which replaces them after
            training; None keeps the last weights.
        critic_steps: Steps of the critic for each step of the other players.
        critic_optimiser: Optimiser of the critic.
        inference_every: Steps of the generator for each step of the inference player, which takes
            most of the time with a warp; 4 halves the time of such a run.
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
            sigma=("a number, since a GAN has no likelihood to learn it by", has_sigma),
        )

    def players(self, model: Model) -> tuple[Player, ...]:
        """The critic, the generator and the inference player, in stepping order.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            Three players. The critic is a new network outside the model, with weights that follow
            from the model's. For the history, the critic also measures the mean probabilities
            `real` and `fake`, and the generator the share `coverage`.
        """
        critic = build_critic(model, self.net, self.spectral)
        return self._critic(model, critic), self._generator(model, critic), self._inference(model)

    def _critic(self, model: Model, critic: Critic) -> Player:
        """The player that tells real from generated samples."""

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
        """The player that makes samples the critic takes for real."""

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
        """The player that predicts the latents of generated samples."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad():
                content, theta, fake = sample_with_latents(model, len(batch), generator)
            posterior = model.encode(fake)
            terms = {"content": squared_error(posterior.content, content).mean()}
            if model.warp.factors:
                error = pose_error(model.warp.theta(posterior.map), theta, model.warp.factors)
                terms["deformation"] = error.mean()
            return terms

        period = self.critic_steps * self.inference_every
        return Player("inference", model.encoder, loss, self.inference_optimiser, period)


class GeneratorModule(nn.Module):
    """The parameters that the generator trains, as one module.

    These are the model's decoder and, if it is learned, the scale of the prior over deformations.
    The module shares them with the model and has no forward pass of its own.

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
    """Generated samples together with the latents they were generated from.

    As `Model.sample`, which returns the samples alone.

    Args:
        model: The model, with a prior over content and deformation.
        n: Number of samples.
        generator: Generator of the latents.

    Returns:
        Content (n, D), deformations theta (n, P) before centring, and samples (n, *shape).
    """
    content, theta = model.sample_latents(n, generator)
    return content, theta, model.decode_warped(content, model.warp.map(theta))


def pose_error(predicted: Tensor, theta: Tensor, factors: tuple[Factor, ...]) -> Tensor:
    """Squared error of deformation parameters in half-ranges, summed over columns.

    A periodic column counts by the squared chord between both angles, 2 - 2 cos(difference). Near
    0 this is the squared difference in radians, and the ends of the range are the same point.
    Columns with an empty range do not count.

    Args:
        predicted: Predicted parameters (N, P).
        theta: True parameters (N, P).
        factors: Ranges of the P columns.

    Returns:
        Errors (N,), 0 for a perfect prediction.
    """
    half_ranges = theta.new_tensor([f.half_range for f in factors])
    is_periodic = torch.tensor([f.periodic for f in factors], device=theta.device)
    residual = (predicted - theta) / half_ranges.clamp_min(1e-12)
    squared_chord = 2 - 2 * (torch.pi * residual).cos()
    errors = torch.where(is_periodic, squared_chord, residual.square())
    return errors.masked_fill(half_ranges == 0, 0.0).sum(-1)
