"""`Architecture`: the fields that make a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from unwarp.errors import ConfigError
from unwarp.models.encoders import EncoderKind
from unwarp.models.likelihood import LikelihoodKind, Scale, check_likelihood, check_scale
from unwarp.models.starts import STARTS, StartKind
from unwarp.nets.net import Net
from unwarp.warps import Identity, Padding, Warp
from unwarp.warps.window import check_padding


@dataclass(frozen=True)
class Architecture:
    """The fields that make a model.

    Attributes:
        warp: The family of deformations; `Identity` for the unstructured model.
        n_content: Size D of the content code.
        encoder: `staged` (canonicalise, then encode) or `one-stage` (as first published).
        start: First pose: `learned` (by a rung that looks at the whole frame); on dark backgrounds `centroid`, or `moments`, which
            gives a scale too.
        starts: At how many angles the pose begins; the one that explains the sample best is kept. `auto`: eight for a warp that
            turns the full circle, else one.
        pose_clusters: Where poses begin at several angles: number of clusters, at most, of samples
            that shall share a pose and, where the warp has no residual, be centred by themselves; 0
            lets each sample keep the pose that explains it best.
        pose_updates: Number of updates of these clusters while the model learns, at equal
            distances; 0 forms them at the end alone.
        refinements: Rungs after the start, each of which looks at the canonicalised crop.
        passes: How often the last refinement is passed, in training and in use.
        crop: Share of the frame that templates fill, and that the later rungs look at.
        padding: What lies beyond a picture: `zeros`, `border`, `reflection`, or `auto` (`zeros`; `Unwarper` looks at the
            pictures' rim).
        net: Architecture of all encoders and decoders.
        likelihood: `gaussian` with `sigma`, `bernoulli` or `continuous-bernoulli`; `auto` takes Bernoulli for pictures and
            Gaussian for series.
        sigma: Standard deviation of the Gaussian likelihood, or `learned`.
        prior: Standard deviation of the prior over the composed deformation, in half-ranges, or `learned` (one a column).
        gaps: Whether series may have gaps (NaN): encoders are then told what was observed, and that alone is reconstructed.

    A family says by `generative` whether its training makes N(0, 1) the prior of content, by `tolerant` whether it can learn
    from samples with gaps, and by `stochastic` whether the encoder gives standard deviations too.
    """

    generative: ClassVar[bool] = True
    tolerant: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    warp: Warp = field(default_factory=Identity)
    n_content: int = 12
    encoder: EncoderKind = "staged"
    start: StartKind = "learned"
    starts: int | Literal["auto"] = "auto"
    pose_clusters: int = 10
    pose_updates: int = 0
    refinements: int = 2
    passes: tuple[int, int] = (2, 5)
    crop: float = 1.0
    padding: Padding | Literal["auto"] = "auto"
    net: Net = field(default_factory=Net)
    likelihood: LikelihoodKind | Literal["auto"] = "gaussian"
    sigma: Scale = 0.5**0.5
    prior: Scale = 1.0
    gaps: bool = False

    def __post_init__(self) -> None:
        if self.padding != "auto":
            check_padding(self.padding)
        check_likelihood(self.likelihood, self.sigma)
        check_scale("prior", self.prior)
        self.demand(
            n_content=("at least 1", self.n_content >= 1),
            refinements=("0 or more", self.refinements >= 0),
            pose_clusters=("0 or more", self.pose_clusters >= 0),
            pose_updates=("0 or more", self.pose_updates >= 0),
            passes=("at least (1, 1)", min(self.passes) >= 1),
            crop=("in (0, 1]", 0 < self.crop <= 1),
            encoder=("'staged' or 'one-stage'", self.encoder in ("staged", "one-stage")),
            start=(f"one of {', '.join(STARTS)}", self.start in STARTS),
            starts=("'auto' or at least 1", self.starts == "auto" or self.starts >= 1),
        )

    def demand(self, **demands: tuple[str, bool]) -> None:
        """Check fields.

        Args:
            demands: By the name of each field, what it must be in words, and whether it is.

        Raises:
            ConfigError: A field that is not what it must be.
        """
        for name, (words, is_met) in demands.items():
            if not is_met:
                raise ConfigError(
                    f"{type(self).__name__}: {name} must be {words}, got {getattr(self, name)!r}"
                )
