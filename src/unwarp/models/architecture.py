"""`Architecture`: the fields that define a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from unwarp.errors import ConfigError
from unwarp.models.encoders import EncoderKind
from unwarp.models.likelihood import (
    LikelihoodKind,
    StandardDeviation,
    check_likelihood,
    check_standard_deviation,
)
from unwarp.models.starts import START_KINDS, StartKind
from unwarp.nets.net import Net
from unwarp.warps import Identity, Padding, Warp
from unwarp.warps.window import check_padding


@dataclass(frozen=True)
class Architecture:
    """The fields that define a model, apart from how it learns.

    `Recipe` adds the optimiser and the loss weights of a family. `build` turns the fields into a
    model for samples of one shape. A value of `auto` is decided then, by the kind of samples.

    Three class attributes describe the abilities of a family of models. `generative`: its training
    makes N(0, 1) the prior of the content code, so that `Model.sample` is meaningful.
    `supports_gaps`: it can learn from series with gaps. `stochastic`: its encoder returns standard
    deviations too.

    Attributes:
        warp: The family of deformations; `Identity` for a baseline without a warp.
        n_content: Size D of the content code.
        encoder: `staged` canonicalises the sample by several pose stages and then encodes it;
            `one-stage` reads content and deformation from the raw sample.
        start: First estimate of the pose: `learned` by a stage that sees the whole frame; for
            bright objects on a dark background `centroid`, or `moments`, which sets a scale too.
        starts: Number of angles at which poses begin; `auto` for eight if the warp turns the full
            circle, else one. The angle that explains a sample best is chosen, or the angle nearest
            to a cluster of poses.
        pose_clusters: Greatest number of clusters of samples that share a pose, if poses begin at
            several angles. A warp without a residual is centred for each cluster separately. With 0
            each sample takes the pose that explains it best.
        pose_updates: Number of updates of these clusters during training, at equal distances; with
            0 they are formed after training alone.
        refinements: Number of pose stages after the start that see the canonicalised crop.
        passes: Number of runs of the last refinement, in training and in evaluation mode.
        crop: Share of the frame, along each axis, that templates fill and refinements see, in
            (0, 1].
        padding: Values outside a picture: `zeros`, `border`, `reflection`, or `auto` for `zeros`
            (`Unwarper` decides `auto` by the rim of the pictures).
        net: Architecture of all encoders and decoders.
        likelihood: `gaussian` with `sigma`, `bernoulli` or `continuous-bernoulli`; `auto` for
            Bernoulli for pictures and Gaussian for series.
        sigma: Standard deviation of the Gaussian likelihood, or `learned`; with the default
            sqrt(1/2) it is the squared error.
        prior: Standard deviation of the prior over the composed deformation, in half-ranges of the
            warp's factors, or `learned` (one for each column).
        gaps: Whether series may have gaps (NaN). Encoders then get a mask of the observed values,
            and the reconstruction error counts these values alone.

    >>> Architecture(n_content=6, crop=0.8).likelihood
    'gaussian'
    """

    generative: ClassVar[bool] = True
    supports_gaps: ClassVar[bool] = True
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
    sigma: StandardDeviation = 0.5**0.5
    prior: StandardDeviation = 1.0
    gaps: bool = False

    def __post_init__(self) -> None:
        if self.padding != "auto":
            check_padding(self.padding)
        check_likelihood(self.likelihood, self.sigma)
        check_standard_deviation("prior", self.prior)
        self.check_fields(
            n_content=("at least 1", self.n_content >= 1),
            refinements=("0 or more", self.refinements >= 0),
            pose_clusters=("0 or more", self.pose_clusters >= 0),
            pose_updates=("0 or more", self.pose_updates >= 0),
            passes=("at least (1, 1)", min(self.passes) >= 1),
            crop=("in (0, 1]", 0 < self.crop <= 1),
            encoder=("'staged' or 'one-stage'", self.encoder in ("staged", "one-stage")),
            start=(f"one of {', '.join(START_KINDS)}", self.start in START_KINDS),
            starts=("'auto' or at least 1", self.starts == "auto" or self.starts >= 1),
        )

    def check_fields(self, **demands: tuple[str, bool]) -> None:
        """Refuse fields with impossible values.

        Families call it in `__post_init__` for their own fields.

        Args:
            demands: For each field, by its name: the allowed values in words, as they follow "must
                be", and whether the present value is one of them.

        Raises:
            ConfigError: A field has another value; the message names it.
        """
        for name, (words, is_met) in demands.items():
            if not is_met:
                raise ConfigError(
                    f"{type(self).__name__}: {name} must be {words}, got {getattr(self, name)!r}"
                )
