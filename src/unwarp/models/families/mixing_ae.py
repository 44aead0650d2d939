"""The Mixing Autoencoder, which mixes codes and learns to unmix them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.critics import Critic, build_critic, freeze_weights
from unwarp.models.families.mixing import (
    MaskClassifier,
    cycle_error,
    make_mask_classifier,
    mask_accuracies,
    mask_nll,
    mix,
    unmixed_nll,
)
from unwarp.models.losses import AdversarialObjective, critic_loss, gaussian_energy, generator_loss
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.recipe import Recipe
from unwarp.warps import Identity

OBJECTIVES = ("non-saturating", "minimax", "hinge")


@dataclass(frozen=True)
class MixingAE(Recipe):
    """Mixing Autoencoder (Hu et al. 2018), with or without a warp.

    Source: Hu et al. 2018, Disentangling factors of variation by mixing them. The content code is
    divided into chunks, groups of neighbouring columns. A random mask m decides for each chunk of a
    mixed sample x3 whether it is that of x1 (1) or of x2 (0). With encoder f, decoder g, critic D
    and deformation parameters theta, training minimises L:

        x3 = g(m f(x1) + (1 - m) f(x2))                     mixed
        x4 = g(m f(x3) + (1 - m) f(x1))                     unmixed: should equal x1
        L  = mixing * -log p(x1 | x4) + adversarial * -log D(x3)
             + classification * -log p(m | x1, x2, x3) + 1/2 |theta / prior|^2

    The first term makes chunks independent. The second makes mixed samples realistic. The third, in
    which a classifier predicts the mask, prevents that the decoder ignores a chunk. With a warp,
    the deformation is one more chunk, so x3 may be the template of one sample under the deformation
    of another. No prior over codes is learned, so the model cannot generate samples. A training
    step takes as long as two to three steps of a `VAE`.

    The partner x2 of a sample is the sample before it in the batch, so no further samples have to
    be encoded. To save time, the critic and the classifier see only a quarter of the batch.

    Attributes:
        passes: Number of runs of the last refinement, in training mode and in evaluation mode;
            (1, 1) by default, since each training step encodes two batches.
        chunks: Number of chunks of the content code, or the number of columns of each chunk. If the
            number of chunks does not divide `n_content`, the first chunks have one more column.
        mixing: Weight of -log p(x1 | x4). With the default likelihood this is the squared error,
            summed over features, plus a constant.
        adversarial: Weight of the generator loss of x3 for the critic; 0 trains without a critic.
        classification: Weight of the binary cross-entropy of the mask, summed over chunks; 0 trains
            without a classifier.
        objective: Name of the adversarial loss: `non-saturating`, as in L, `minimax`, as published,
            or `hinge`.
        critic_every: Steps of the autoencoder for each step of the critic.
        critic_optimiser: Optimiser of the critic.

    Raises:
        ConfigError: A field is outside its range, or `prior` or `sigma` is `learned`.

    Example:
        >>> recipe = MixingAE(n_content=7, chunks=3)
        >>> recipe.chunk_sizes
        (3, 2, 2)
        >>> [player.name for player in recipe.players(recipe.build((1, 8, 8)))]
        ['critic', 'autoencoder']
    """

    family: ClassVar[str] = "mixing-ae"
    generative: ClassVar[bool] = False
    supports_gaps: ClassVar[bool] = False
    held_out_term: ClassVar[str] = "mixing"
    passes: tuple[int, int] = (1, 1)
    chunks: int | tuple[int, ...] = 3
    mixing: float = 1.0
    adversarial: float = 0.3
    classification: float = 0.3
    objective: AdversarialObjective = "non-saturating"
    critic_every: int = 2
    critic_optimiser: Optimiser = field(default_factory=lambda: Optimiser(1e-3, 0.0, (0.5, 0.99)))

    def __post_init__(self) -> None:
        super().__post_init__()
        chunks = self.chunks
        is_impossible = isinstance(chunks, int) and not 1 <= chunks <= self.n_content
        sizes = () if is_impossible else self.chunk_sizes
        if not sizes or min(sizes) < 1 or sum(sizes) != self.n_content:
            raise ConfigError(
                f"MixingAE: chunks={self.chunks!r} must be a number from 1 to "
                f"n_content={self.n_content}, or positive sizes that sum to it"
            )
        weights = ("mixing", "adversarial", "classification")
        self.check_fields(
            critic_every=("at least 1", self.critic_every >= 1),
            objective=("non-saturating, minimax or hinge", self.objective in OBJECTIVES),
            prior=("a number", self.prior != "learned"),
            sigma=("a number", self.sigma != "learned"),
            **{name: ("0 or more", getattr(self, name) >= 0) for name in weights},
        )

    @property
    def chunk_sizes(self) -> tuple[int, ...]:
        """Number of columns of each chunk of the content code.

        The numbers sum to `n_content`.
        """
        if isinstance(self.chunks, tuple | list):
            return tuple(self.chunks)
        # rounding down for i = chunks - 1, ..., 0 gives the remaining columns to the first chunks
        return tuple((self.n_content + i) // self.chunks for i in reversed(range(self.chunks)))

    def without_warp(self) -> Self:
        """The recipe of the published model, the baseline without a warp.

        A further chunk of the content code, with as many columns as theta, replaces the chunk of
        the deformation.

        Returns:
            A recipe with the `Identity` warp and `n_content` + P columns of content.
        """
        extra = (len(self.warp.factors),) if self.warp.factors else ()
        n = self.n_content + sum(extra)
        return replace(
            self, warp=Identity(), n_content=n, crop=1.0, chunks=(*self.chunk_sizes, *extra)
        )

    def players(self, model: Model) -> tuple[Player, ...]:
        """The critic, and the autoencoder together with its mask classifier.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            Players `critic` and `autoencoder`, in the order of their steps; with `adversarial=0`
            only `autoencoder`. The critic and the classifier are new networks outside the model.
            For the history, the autoencoder also measures `cycle`, see `cycle_error`, and the
            accuracies of the classifier.
        """
        critic = build_critic(model, self.net)
        classifier = make_mask_classifier(model, self.net, self.chunk_sizes)
        autoencoder = self._autoencoder(model, critic, classifier)
        return (self._critic(model, critic), autoencoder) if self.adversarial else (autoencoder,)

    def _critic(self, model: Model, critic: Critic) -> Player:
        """The player that trains the critic to tell real from mixed samples."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            size = critic_batch_size(batch.x)
            # real samples from the start and mixed samples from the end of the batch: none is both
            real, sources = batch.x[:size], batch.x[-size:]
            with torch.no_grad(), freeze_weights(model):
                fake = mix(model, model.encode(sources), self.chunk_sizes, generator).x
            return {"critic": critic_loss(critic(real), critic(fake), self.objective).mean()}

        return Player("critic", critic, loss, self.critic_optimiser, self.critic_every)

    def _autoencoder(self, model: Model, critic: Critic, classifier: MaskClassifier) -> Player:
        """The player that trains the model together with the classifier."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return self._loss_terms(model, critic, classifier, batch.x, generator)

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with freeze_weights(trainable):
                mixed = mix(model, model.encode(batch.x), self.chunk_sizes, generator)
                cycle = cycle_error(mixed, model.encode(mixed.x))
                return {"cycle": cycle, **mask_accuracies(classifier, batch.x, mixed)}

        modules: dict[str, nn.Module] = {"model": model}
        if self.classification:
            modules["classifier"] = classifier
        trainable = nn.ModuleDict(modules)
        return Player("autoencoder", trainable, loss, self.optimiser, measure=measure)

    def _loss_terms(
        self,
        model: Model,
        critic: Critic,
        classifier: MaskClassifier,
        x: Tensor,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """The weighted loss terms of the autoencoder for samples `x` (N, *shape), as scalars."""
        rows, angles = slice(critic_batch_size(x)), model.search.choose_angles(x)
        mixed = mix(model, model.encode(x, angles=angles), self.chunk_sizes, generator)
        mixed_angles = None if angles is None else angles[mixed.map_rows]
        reencoded = model.encode(mixed.x, angles=mixed_angles)
        terms = {"mixing": self.mixing * unmixed_nll(model, x, mixed, reencoded).mean()}
        if model.warp.factors:
            terms["deformation"] = gaussian_energy(mixed.posterior.theta, model.prior).mean()
        if self.adversarial:
            with freeze_weights(critic):
                logits = critic(mixed.x[rows])
            adversarial_loss = generator_loss(logits, self.objective).mean()
            terms["adversarial"] = self.adversarial * adversarial_loss
        if self.classification:
            cross_entropy = mask_nll(classifier, x, mixed, rows).mean()
            terms["classification"] = self.classification * cross_entropy
        return terms


def critic_batch_size(x: Tensor) -> int:
    """Number of samples in a step for the critic and the classifier.

    It is a quarter of the batch `x` (N, *shape), at least 1.
    """
    return max(1, len(x) // 4)
