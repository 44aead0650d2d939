"""The generative adversarial network (Goodfellow et al. 2014), plain and with a warp; `net=Net("conv")` is the DCGAN.

    min_G max_D  E log D(x) + E log(1 - D(G(z, theta)))        G(z, theta) = map(theta)(decoder(z))

The generator is the model's decoder and draws through the warp, with deformations from the model's prior: what the prior
explains the template need not. A third player learns to read content and deformation off generated samples, for which both
are known; it gives `embed`, and never sees a real sample in training.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from unwarp.core import Batch, Factor
from unwarp.models.critics import Critic, coverage, critic_for, frozen
from unwarp.models.likelihood import Scale
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
    """Generative adversarial network: a critic, a generator and an inference player, which step in this order.

    The two learning rates are those of the two time-scale update rule (Heusel et al. 2017, GANs trained by a two time-scale
    update rule converge to a local Nash equilibrium). The optimisers have no momentum, and the critic pays for its slope at
    real samples, as in Mescheder, Geiger and Nowozin 2018: with the DCGAN's momentum of 0.5 and a weaker penalty, networks as
    small as these collapse. There is no likelihood: `likelihood` and `sigma` only name the unit of the reconstruction error
    that `evaluate` reports.

    Attributes:
        prior: Standard deviation of the deformations that the generator draws, in half-ranges, or `learned` (one a column).
        optimiser: How the generator moves.
        objective: `non-saturating`, `minimax` or `hinge`.
        r1: Weight of the squared gradient of the critic at real samples (Mescheder et al. 2018), here for data in [0, 1]; 0 for
            none, with which small networks collapse.
        r1_every: The penalty is paid at every so-many-th step, so many times over (Karras et al. 2020, Analyzing and
            improving the image quality of StyleGAN).
        spectral: Whether the critic's layers are divided by their largest singular value.
        ema: Decay of the generator's averaged weights, which replace it after training; None for none.
        critic_steps: Steps of the critic for each step of the other two.
        critic_optimiser: How the critic moves.
        inference_every: Steps of the generator for each step of the inference player, which costs most of the time with a warp.
        inference_optimiser: How the inference player moves.
    """

    family: ClassVar[str] = "gan"
    tolerant: ClassVar[bool] = False
    prior: Scale = "learned"
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
        self.demand(
            objective=(f"one of {', '.join(OBJECTIVES)}", self.objective in OBJECTIVES),
            r1=("0 or more", self.r1 >= 0),
            r1_every=("at least 1", self.r1_every >= 1),
            ema=("in (0, 1), or None", self.ema is None or 0 < self.ema < 1),
            critic_steps=("at least 1", self.critic_steps >= 1),
            inference_every=("at least 1", self.inference_every >= 1),
            sigma=(
                "a number, since a GAN has no likelihood to learn it by",
                self.sigma != "learned",
            ),
        )

    def players(self, model: Model) -> tuple[Player, ...]:
        """The critic, the generator and the inference player, in the order in which they step."""
        critic = critic_for(model, self.net, self.spectral)
        return self._critic(model, critic), self._generator(model, critic), self._inference(model)

    def _critic(self, model: Model, critic: Critic) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad():
                _, _, fake = generate(model, len(batch), generator)
            penalised = bool(self.r1) and step % self.r1_every == 0
            x = batch.x.detach().clone().requires_grad_(penalised)
            real, made = critic(x), critic(fake)
            terms = {"critic": critic_loss(real, made, self.objective).mean()}
            if penalised:
                terms["r1"] = 0.5 * self.r1 * self.r1_every * gradient_penalty(real, x).mean()
            return terms

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            _, _, fake = generate(model, len(batch), generator)
            with frozen(critic):
                return {
                    "real": critic(batch.x).sigmoid().mean(),
                    "fake": critic(fake).sigmoid().mean(),
                }

        return Player("critic", critic, loss, self.critic_optimiser, measure=measure)

    def _generator(self, model: Model, critic: Critic) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            _, _, fake = generate(model, len(batch), generator)
            with frozen(critic):
                return {"generator": generator_loss(critic(fake), self.objective).mean()}

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return {"coverage": coverage(batch.x, generate(model, len(batch), generator)[2])}

        return Player(
            "generator",
            Generator(model),
            loss,
            self.optimiser,
            self.critic_steps,
            self.ema,
            measure,
        )

    def _inference(self, model: Model) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with torch.no_grad():
                content, theta, fake = generate(model, len(batch), generator)
            found = model.encode(fake)
            terms = {"content": squared_error(found.content, content).mean()}
            if model.warp.factors:
                terms["deformation"] = pose_error(
                    model.warp.theta(found.map), theta, model.warp.factors
                ).mean()
            return terms

        every = self.critic_steps * self.inference_every
        return Player("inference", model.encoder, loss, self.inference_optimiser, every)


class Generator(nn.Module):
    """What the generating player moves: the model's decoder and, where it is learned, the scale of its deformations."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.decoder = model.decoder
        if isinstance(model.log_prior, nn.Parameter):
            self.log_prior = model.log_prior


def generate(model: Model, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (N, D), deformations (N, P) and what they look like (N, *shape): `Model.sample` with its causes."""
    code, theta = model.sample_latents(n, generator)
    return code, theta, model.decode_warped(code, model.warp.map(theta))


def pose_error(found: Tensor, theta: Tensor, factors: tuple[Factor, ...]) -> Tensor:
    """Squared error of parameters (N, P) in half-ranges, summed over columns, (N,); around the circle where periodic.

    A periodic column counts as the squared distance of (sin, cos), which near zero is that of the angle in radians.
    """
    half = theta.new_tensor([f.half_range for f in factors])
    circle = torch.tensor([f.periodic for f in factors], device=theta.device)
    off = (found - theta) / half.clamp_min(1e-12)
    turned = 2 - 2 * (torch.pi * off).cos()
    return torch.where(circle, turned, off.square()).masked_fill(half == 0, 0.0).sum(-1)
