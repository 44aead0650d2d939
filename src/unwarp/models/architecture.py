"""`Architecture`: the fields that define a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from unwarp.core import ContentKind
from unwarp.errors import ConfigError
from unwarp.models.content import CONTENT_KINDS, MEASURED_CONTENTS
from unwarp.models.encoder import EncoderKind
from unwarp.models.likelihood import (
    LikelihoodKind,
    StandardDeviation,
    check_likelihood,
    check_standard_deviation,
)
from unwarp.models.starts import START_KINDS, StartKind
from unwarp.nets.net import Net
from unwarp.ranges import PASSES, RECIPE_RANGES
from unwarp.values import brief, field_mistake
from unwarp.warps import Identity, Padding, Warp
from unwarp.warps.window import check_padding


@dataclass(frozen=True)
class Architecture:
    """The fields that define a model, without those that define its training.

    `Recipe` adds the optimiser and the loss weights of a family. `build` turns the fields into a
    model for samples of one shape; it replaces `auto` by a value that suits the shape.

    Four class attributes describe a family of models. `generative`: after training, content codes
    are distributed about as N(0, I), so that `Model.sample` returns samples like the training data.
    `supports_gaps`: the family can be trained on series with gaps. `supports_measured`: its content
    codes may be measured after the training, since no prior over codes is learned. `stochastic`:
    the encoder also predicts standard deviations.

    Attributes:
        warp: The family of deformations; `Identity` for a baseline without a warp.
        n_content: Size D of the content code.
        content: Origin of the content code. `joint`: a network, trained together with the pose.
            `elastic`: the elastic distances of a series to landmarks. `gradients`: the oriented
            gradients of an aligned picture. For these two the pose is learned first, with a joint
            code, and then `unwarp.training.settle` measures codes and trains a new decoder.
        n_joint: Size of the joint code with which the pose is learned before content is measured;
            None for `n_content`.
        encoder: `staged` undoes the deformation in several stages and then encodes the content;
            `one-stage` predicts content code and deformation from the raw sample.
        start: The first estimate of the pose. `learned`: a stage that sees the whole frame predicts
            it. `centroid`: the shift to the centre of intensity. `moments`: that shift and a scale.
            These two are for bright objects on a dark background. `search`: the lag, and the tempo,
            of least squared error against templates that are made before the training
            (`LagSearch`), for `TimeShift`, `TimeAffine`, and chains that end with one of them; of
            pictures the kind and the pose (`PictureSearch`), for families of rotations and shifts.
            It is for noisy pictures of few kinds.
        starts: Number of start angles, rotations of the first estimate at which each sample is
            encoded; `auto` for eight if the warp turns the full circle, else one. `PoseSearch`
            chooses one of them. A warp with a mirror has each of them twice, with the template and
            with its mirror image.
        pose_clusters: Greatest number of pose clusters, clusters of content codes by which
            `PoseSearch` chooses the start angle; after training only as many are formed as
            describe the codes well. They have an effect only with several start angles or a
            mirror. With 0 the angle with the least squared error is chosen. Each cluster is centred
            separately, unless the warp is a chain.
        pose_updates: Number of updates of the pose clusters during training, evenly spaced; with 0
            they are formed only after training. `auto` for 8 if the warp has a mirror, so that all
            samples of a cluster are compared with one template and not with its mirror image, too;
            else 0.
        refinements: Number of stages after the start; they see the part of the frame that templates
            fill, with the deformation so far undone.
        passes: Number of runs of the last refinement, in training mode and in evaluation mode.
        pose_size: Longest side, in pixels, of the pictures that pose stages see; larger pictures
            are averaged down for them, as a pose needs fewer pixels than a template. None for the
            full size.
        crop: Share of the frame along each axis, in (0, 1], that templates fill and refinements
            see.
        padding: Values outside a sample: `zeros`, `border`, `reflection`, or `auto` for `zeros`
            (`Unwarper` replaces `auto` before, by a look at the rim of the images).
        net: Architecture of all encoders and decoders.
        likelihood: `gaussian` with `sigma`, `bernoulli` or `continuous-bernoulli`; `auto` for
            Bernoulli with images and Gaussian with series.
        sigma: Standard deviation of the Gaussian likelihood, or `learned`. With the default
            sqrt(1/2) the negative log-likelihood is the squared error plus a constant.
        prior: Standard deviation of the prior over the composed deformation, in half-ranges (each
            column of theta divided by half of the width between the bounds of its factor), or
            `learned` for one trainable number per column.
        gaps: Whether series may have gaps (NaN). Encoders then also see a mask of the observed
            values, and the reconstruction error is summed over the observed values only.
        fast: Whether a network predicts elastic codes, after `unwarp.training.settle` distilled it.

    >>> Architecture(n_content=6, crop=0.8).likelihood
    'gaussian'
    """

    generative: ClassVar[bool] = True
    supports_gaps: ClassVar[bool] = True
    supports_measured: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    warp: Warp = field(default_factory=Identity)
    n_content: int = 12
    content: ContentKind = "joint"
    n_joint: int | None = None
    encoder: EncoderKind = "staged"
    start: StartKind = "learned"
    starts: int | Literal["auto"] = "auto"
    pose_clusters: int = 10
    pose_updates: int | Literal["auto"] = "auto"
    refinements: int = 2
    passes: tuple[int, int] = (2, 5)
    pose_size: int | None = None
    crop: float = 1.0
    padding: Padding | Literal["auto"] = "auto"
    net: Net = field(default_factory=Net)
    likelihood: LikelihoodKind | Literal["auto"] = "gaussian"
    sigma: StandardDeviation = 0.5**0.5
    prior: StandardDeviation = 1.0
    gaps: bool = False
    fast: bool = False

    def __post_init__(self) -> None:
        self._check_work()
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        if self.padding != "auto":
            check_padding(self.padding)
        check_likelihood(self.likelihood, self.sigma)
        check_standard_deviation("prior", self.prior)
        self.check_fields(
            crop=("in (0, 1]", 0 < self.crop <= 1),
            encoder=("'staged' or 'one-stage'", self.encoder in ("staged", "one-stage")),
            start=(f"one of {', '.join(START_KINDS)}", self.start in START_KINDS),
            content=(f"one of {', '.join(CONTENT_KINDS)}", self.content in CONTENT_KINDS),
            n_joint=("None or 1 or more", self.n_joint is None or self.n_joint >= 1),
            pose_size=("None or 4 or more", self.pose_size is None or self.pose_size >= 4),
        )
        if self.encoder == "one-stage" and any(factor.discrete for factor in self.warp.factors):
            raise ConfigError(
                f"encoder='one-stage' cannot choose the mirror of the warp {self.warp.name!r}; use "
                "encoder='staged', or a warp with mirror=False"
            )
        if not self.can_measure(self.content):
            crop = " and crop=1" if MEASURED_CONTENTS[self.content].needs_whole_frame else ""
            raise ConfigError(
                f"{type(self).__name__}: content={self.content!r} needs the family 'ae' with "
                f"encoder='staged'{crop}; set content='joint'"
            )

        if self.fast and self.content != "elastic":
            raise ConfigError(
                f"{type(self).__name__}: fast=True predicts elastic codes of series, and the "
                f"content is {self.content!r}; set content='elastic', or leave fast out"
            )

    def can_measure(self, content: ContentKind) -> bool:
        """Whether models with these fields have content of an origin.

        Args:
            content: Origin of the content code; `joint` is possible in all models.
        """
        if content == "joint":
            return True
        has_frame = self.crop == 1 or not MEASURED_CONTENTS[content].needs_whole_frame
        return self.supports_measured and self.encoder == "staged" and has_frame

    def _check_work(self) -> None:
        """Refuse fields that ask for endless work."""
        automatic = {
            name
            for name in ("starts", "pose_updates")
            if isinstance(getattr(self, name), str) and getattr(self, name) == "auto"
        }
        ranges = {name: item for name, item in RECIPE_RANGES.items() if name not in automatic}
        self.check_fields(
            **{name: (str(item), item.allows(getattr(self, name))) for name, item in ranges.items()}
        )
        is_pair = isinstance(self.passes, tuple | list) and len(self.passes) == 2
        are_counts = is_pair and all(map(PASSES.allows, self.passes))
        self.check_fields(passes=(f"a pair, each number {PASSES}", are_counts))

    def check_fields(self, **demands: tuple[str, bool]) -> None:
        """Refuse fields with values that are not allowed.

        Families call it in `__post_init__` for the fields that they add.

        Args:
            demands: For each field, by its name, a pair: the allowed values in words that complete
                "must be ...", and whether the present value is allowed.

        Raises:
            ConfigError: The value of a field is not allowed; the message names field and value.
        """
        for name, (allowed_values, is_allowed) in demands.items():
            if not is_allowed:
                raise ConfigError(
                    f"{type(self).__name__}: {name}={brief(getattr(self, name))} is not allowed; "
                    f"{name} must be {allowed_values}"
                )
