"""The Mixing Autoencoder (Hu et al. 2018, Disentangling factors of variation by mixing them), with or without a warp.

Codes are cut into chunks, and a mask m says chunk by chunk whether a mixed code takes it from x1 or from x2:

    x3 = draw(m f1 + (1 - m) f2)          mixed: a critic must find it real, a classifier must read m off (x1, x2, x3)
    x4 = draw(m f3 + (1 - m) f1)          unmixed, with f3 = encode(x3): it must be x1 again

With a warp the deformation is one more chunk: x3 may show the content of one sample under the map of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.critics import Critic, critic_for, frozen, seeded_by
from unwarp.models.encoders import Posterior
from unwarp.models.losses import AdversarialObjective, critic_loss, gaussian_energy, generator_loss
from unwarp.models.model import Model
from unwarp.models.players import Optimiser, Player
from unwarp.models.recipe import Recipe
from unwarp.nets.net import Net
from unwarp.warps import Identity

OBJECTIVES = ("non-saturating", "minimax", "hinge")


@dataclass(frozen=True)
class MixingAE(Recipe):
    """Mixing Autoencoder: an autoencoder that shares its player with a mask classifier, and a critic.

    The partner x2 of a sample is its neighbour in the batch, so that f2 costs nothing. The mask that is all 0 makes x4 the
    plain reconstruction. Passes of a step, where a VAE has one encoding and one drawing of the batch: two encodings and two
    drawings with gradients; on a quarter of the batch the classifier and the critic; and at every second step the critic's
    own turn: one encoding and drawing without gradients and two looks of the critic, on a quarter of the batch each.

    Attributes:
        chunks: Number of chunks of the content code, of equal sizes where the number divides `n_content` (else the first
            ones have one column more), or their sizes.
        passes: One pass of the last rung, in training and in use, since each step encodes twice.
        mixing: Weight of -log p(x1 | x4) in nats; the default likelihood makes it the squared error.
        adversarial: Weight of the critic's opinion of x3; 0 for no critic.
        classification: Weight of the mask's binary cross-entropy, summed over chunks; 0 for no classifier.
        objective: `non-saturating`, `minimax` (as published) or `hinge`.
        critic_every: The critic moves at every so-many-th step.
        critic_optimiser: How the critic moves.
    """

    family: ClassVar[str] = "mixing-ae"
    generative: ClassVar[bool] = False
    tolerant: ClassVar[bool] = False
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
        sizes = self.sizes
        if not sizes or min(sizes) < 1 or sum(sizes) != self.n_content:
            raise ConfigError(
                f"MixingAE: chunks={self.chunks!r} must be a number from 1 to n_content={self.n_content}, or positive sizes "
                "that sum to it"
            )
        weights = ("mixing", "adversarial", "classification")
        self.demand(
            critic_every=("at least 1", self.critic_every >= 1),
            objective=("non-saturating, minimax or hinge", self.objective in OBJECTIVES),
            prior=("a number", self.prior != "learned"),
            sigma=("a number", self.sigma != "learned"),
            **{name: ("0 or more", getattr(self, name) >= 0) for name in weights},
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Columns of each chunk of the content code."""
        if isinstance(self.chunks, tuple):
            return self.chunks
        return tuple((self.n_content + i) // self.chunks for i in reversed(range(self.chunks)))

    def without_warp(self) -> Self:
        """The published model at as many latents in total: the chunk of the deformation becomes one of content."""
        extra = (len(self.warp.factors),) if self.warp.factors else ()
        n = self.n_content + sum(extra)
        return replace(self, warp=Identity(), n_content=n, crop=1.0, chunks=(*self.sizes, *extra))

    def players(self, model: Model) -> tuple[Player, ...]:
        """The critic, and the autoencoder together with its mask classifier."""
        critic = critic_for(model, self.net)
        autoencoder = self._autoencoder(model, critic, classifier_for(model, self.net, self.sizes))
        return (self._critic(model, critic), autoencoder) if self.adversarial else (autoencoder,)

    def _critic(self, model: Model, critic: Critic) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            real, seen = (
                batch.x[: critic_batch_size(batch.x)],
                batch.x[-critic_batch_size(batch.x) :],
            )
            with torch.no_grad(), frozen(model):
                fake = mix(model, model.encode(seen), self.sizes, generator).x
            return {"critic": critic_loss(critic(real), critic(fake), self.objective).mean()}

        return Player("critic", critic, loss, self.critic_optimiser, self.critic_every)

    def _autoencoder(self, model: Model, critic: Critic, classifier: MaskClassifier) -> Player:
        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            x, first = batch.x, slice(critic_batch_size(batch.x))
            angles = model.search.choose(x)
            mixed = mix(model, model.encode(x, angles=angles), self.sizes, generator)
            again = model.encode(mixed.x, angles=None if angles is None else angles[mixed.mapped])
            terms = {"mixing": self.mixing * unmixed_nll(model, x, mixed, again).mean()}
            if model.warp.factors:
                terms["deformation"] = gaussian_energy(mixed.source.theta, model.prior).mean()
            if self.adversarial:
                with frozen(critic):
                    logits = critic(mixed.x[first])
                terms["adversarial"] = (
                    self.adversarial * generator_loss(logits, self.objective).mean()
                )
            if self.classification:
                wrong = mask_nll(classifier, x, mixed, first)
                terms["classification"] = self.classification * wrong.mean()
            return terms

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            with frozen(both):
                mixed = mix(model, model.encode(batch.x), self.sizes, generator)
                return {
                    "cycle": cycle_error(mixed, model.encode(mixed.x)),
                    **accuracies(classifier, batch.x, mixed),
                }

        both = nn.ModuleDict(
            {"model": model, "classifier": classifier} if self.classification else {"model": model}
        )
        return Player("autoencoder", both, loss, self.optimiser, measure=measure)


class MaskClassifier(nn.Module):
    """A network that reads the mask off (x1, x2, x3): one logit a chunk, high where x3 has it from x1.

    Attributes:
        names: What each logit speaks of: the chunks `1`, `2`, ..., and `deformation` where there is one.
    """

    def __init__(self, net: Net, shape: tuple[int, ...], names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.net = replace(net, norm=False).encode((3 * shape[0], *shape[1:]), len(names))

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> Tensor:
        """Logits (N, chunks) of samples (N, *shape) each."""
        return torch.as_tensor(self.net(torch.cat([x1, x2, x3], 1)))


def classifier_for(model: Model, net: Net, sizes: tuple[int, ...]) -> MaskClassifier:
    """A new classifier for what `model` mixes."""
    names = tuple(str(i + 1) for i in range(len(sizes))) + (
        ("deformation",) if model.warp.factors else ()
    )
    with seeded_by(model):
        return MaskClassifier(net, model.shape, names).to(model.anchor_theta.device)


@dataclass(frozen=True)
class Mixed:
    """A mixed batch: `x` is x3 (N, *shape) drawn from `content` (N, D); row i mixes rows i and `partner[i]` of `source`.

    `mask` (N, chunks) is true where a chunk is the row's own, `columns` (N, D) the same for the columns of content, and
    `moved` (N,) where the map is the row's own (without a warp: nowhere); `mapped` (N,) says whose map it is.
    """

    source: Posterior
    partner: Tensor
    mask: Tensor
    columns: Tensor
    moved: Tensor
    mapped: Tensor
    content: Tensor
    x: Tensor


def mix(
    model: Model, source: Posterior, sizes: tuple[int, ...], generator: torch.Generator
) -> Mixed:
    """Mix every sample with its neighbour in the batch, each chunk and the map by a fair coin of its own."""
    own = torch.arange(len(source.content), device=source.content.device)
    partner, warped = own.roll(1), bool(model.warp.factors)
    mask = (torch.rand(len(own), len(sizes) + warped, generator=generator) < 0.5).to(own.device)
    columns = mask[:, : len(sizes)].repeat_interleave(torch.tensor(sizes, device=own.device), 1)
    content = torch.where(columns, source.content, source.content[partner])
    moved = mask[:, -1] if warped else torch.zeros_like(own, dtype=torch.bool)
    mapped = torch.where(moved, own, partner)
    x = model.decode_warped(content, source.map[mapped])
    return Mixed(source, partner, mask, columns, moved, mapped, content, x)


def unmixed_nll(model: Model, x: Tensor, mixed: Mixed, again: Posterior) -> Tensor:
    """-log p(x1 | x4), (N,) in any order: x4 takes from `again`, the posterior of x3, what x3 had from x1.

    Rows are drawn in two groups, by whose map they take: maps are chosen as they are, whatever their family.
    """
    content = torch.where(mixed.columns, again.content, mixed.source.content)
    groups = ((mixed.moved, again.map), (~mixed.moved, mixed.source.map))
    found = [(chosen.nonzero()[:, 0], map) for chosen, map in groups]
    return torch.cat(
        [
            model.likelihood(model.decode_warped(content[i], map[i]), x[i])
            for i, map in found
            if len(i)
        ]
    )


def cycle_error(mixed: Mixed, again: Posterior) -> Tensor:
    """Squared distance of the codes of x3 from those that it was drawn from, over the codes' variance, a scalar.

    0 where all comes back, 1 where `again` is the mean code, 2 where it is another sample's.
    """
    codes = mixed.source.content
    spread = (codes - codes.mean(0)).square().sum()
    return (again.content - mixed.content).square().sum() / spread.clamp_min(1e-12)


def mask_nll(classifier: MaskClassifier, x: Tensor, mixed: Mixed, rows: slice) -> Tensor:
    """-log p(mask | x1, x2, x3) of some rows in nats, summed over chunks.

    Args:
        classifier: The classifier.
        x: Samples (N, *shape) that were mixed.
        mixed: The mixed batch.
        rows: Rows that the classifier looks at.
    """
    logits = classifier(x[rows], x[mixed.partner[rows]], mixed.x[rows])
    target = mixed.mask[rows].to(logits)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def accuracies(classifier: MaskClassifier, x: Tensor, mixed: Mixed) -> dict[str, Tensor]:
    """Share of the mask's entries that the classifier reads rightly, chunk by chunk; 1/2 is chance."""
    right = (classifier(x, x[mixed.partner], mixed.x) > 0) == mixed.mask
    return {
        f"accuracy_{name}": share
        for name, share in zip(classifier.names, right.float().mean(0), strict=True)
    }


def critic_batch_size(x: Tensor) -> int:
    """How many of the samples the critic and the classifier see in a step: a quarter of them, at least one."""
    return max(1, len(x) // 4)
