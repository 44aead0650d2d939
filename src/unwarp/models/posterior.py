"""Posteriors: the distributions over content and deformation that an encoder returns."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from unwarp.core import Factor
from unwarp.models.losses import reparametrise
from unwarp.warps import IdentityMap, Map, Warp

MIN_RAW_LOG_SD, MAX_RAW_LOG_SD = -8.0, 3.0
"""Range to which outputs for log standard deviations are clamped; their exponentials are finite."""


def gaussian_columns(warp: Warp) -> list[int]:
    """Numbers of the columns of theta with a Gaussian prior.

    A periodic column has a uniform prior, a discrete column has both values half of the time, and
    a column with a range of 0 is always 0; the losses omit the KL divergence of these.

    Args:
        warp: A family of deformations.

    >>> from unwarp.warps import Affine2d
    >>> gaussian_columns(Affine2d(rotation=180, shear=0.0))
    [1, 2, 4, 5]
    """
    return [i for i, f in enumerate(warp.factors) if has_gaussian_prior(f)]


def has_gaussian_prior(factor: Factor) -> bool:
    """Whether a column of theta has a Gaussian prior, as `gaussian_columns` tells.

    Args:
        factor: The factor that describes the column.

    >>> has_gaussian_prior(Factor("mirror", "", 0.0, 1.0, discrete=True))
    False
    """
    return not factor.periodic and not factor.discrete and factor.half_range > 0


@dataclass(frozen=True)
class StagePosterior:
    """Gaussian posterior of one pose stage over the parameters of its warp.

    A stage is one step of the encoder that predicts a part of the deformation. Its posterior is a
    Gaussian over unbounded numbers, the raw parameters, which `Warp.constrain` turns into theta. A
    deterministic stage has only a mean.

    Attributes:
        warp: The family of deformations that the stage predicts.
        mean: Means of the raw parameters (N, P).
        log_sd: Log standard deviations of the raw parameters (N, P); None for a deterministic
            stage.
        raw: Raw parameters (N, P): a sample from the posterior, or the same tensor as `mean`.
        sampled_map: The N deformations `warp.map(warp.constrain(raw))`.
        mean_map: The N deformations `warp.map(warp.constrain(mean))`; the same object as
            `sampled_map` if `raw` is `mean`.

    >>> from unwarp.warps import Affine2d
    >>> mean = torch.zeros(2, 6)
    >>> stage = StagePosterior(Affine2d(), mean, None, mean)
    >>> stage.sampled_map.push(torch.tensor([[0.5, 0.0]]))[0]
    tensor([[0.5000, 0.0000]])
    """

    warp: Warp
    mean: Tensor
    log_sd: Tensor | None
    raw: Tensor
    sampled_map: Map = field(init=False, repr=False)
    mean_map: Map = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sampled = mean = self.warp.map(self.warp.constrain(self.raw))
        if self.raw is not self.mean:
            mean = self.warp.map(self.warp.constrain(self.mean))
        # a frozen dataclass sets its derived fields this way
        object.__setattr__(self, "sampled_map", sampled)
        object.__setattr__(self, "mean_map", mean)

    @property
    def gaussian_log_sd(self) -> Tensor | None:
        """Log standard deviations (N, P') of theta in half-ranges, as `gaussian_columns` orders.

        They are those of the raw parameters plus the log derivatives of theta at their mean, which
        is exact to first order in the standard deviation. None for a deterministic stage.
        """
        if self.log_sd is None:
            return None
        return (self.log_sd + self.warp.log_slope(self.mean))[:, gaussian_columns(self.warp)]


@dataclass(frozen=True)
class Posterior:
    """Posterior of a batch of samples over content and deformation, before centring.

    Encoders return it, and losses use it. The posterior of the content code is Gaussian. The
    deformation is composed of the start (the first estimate of the pose) and of the deformations
    that the stages of the encoder predict. Only the last stage is stochastic; the other stages
    return their means.

    Attributes:
        content: Content codes (N, D): a sample from the posterior if the encoder was given a
            generator, else the posterior mean.
        map: The N composed deformations, start included.
        theta: Posterior mean of the parameters of the composed deformation, in half-ranges (N, P):
            each column divided by the half-range of its factor. The prior is a Gaussian over these
            numbers. The shift of the start is left out, and periodic columns are 0, because the
            prior does not penalise them.
        content_mean: Posterior means of the content code (N, D).
        content_log_sd: Log standard deviations of the content code (N, D); None for a deterministic
            encoder.
        earlier_map: The N composed deformations of the start and all stages except the last.
        last_stage: Posterior of the last stage; `map` is
            `earlier_map.compose(last_stage.sampled_map)`. None if the encoder has no stages.
        canonical: Input of the content network (N, C, ...): the samples with their deformation
            undone, on the window of the templates; for measured content, the deformation after as
            many runs of the stages as in training. None for a one-stage encoder.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (8,), (8,)))
    >>> posterior = recipe.build((1, 8, 8)).eval().encode(torch.rand(5, 1, 8, 8))
    >>> tuple(posterior.content.shape), tuple(posterior.theta.shape)
    ((5, 3), (5, 6))
    """

    content: Tensor
    map: Map
    theta: Tensor
    content_mean: Tensor
    content_log_sd: Tensor | None = None
    earlier_map: Map | None = None
    last_stage: StagePosterior | None = None
    canonical: Tensor | None = None

    @property
    def theta_log_sd(self) -> Tensor | None:
        """Log standard deviations (N, P') of `theta`, in half-ranges, to first order.

        They are those of the last stage, for the columns with a Gaussian prior; see
        `StagePosterior.gaussian_log_sd`. None for a deterministic encoder.
        """
        return None if self.last_stage is None else self.last_stage.gaussian_log_sd


@dataclass(frozen=True)
class PoseEstimate:
    """The composed deformations of the pose stages that have run so far.

    The deformation of each further stage acts on the template before those of the stages that have
    run already: `refine` computes `total = earlier.compose(stage)`.

    Attributes:
        start: First estimate of the pose, N maps.
        predicted: Composition of the sampled deformations of all stages, without the start.
        mean: Composition of the mean deformations of all stages, without the start.
        earlier: `predicted` without the last stage.
        undoable: Composition of the start and the stages up to the last invertible stage. It is
            undone in the samples before the next network sees them.
        last_stage: Posterior of the last stage that has run; None before the first stage.

    >>> from unwarp.warps import Affine2d, IdentityMap
    >>> stage = StagePosterior(Affine2d(), torch.zeros(2, 6), None, torch.ones(2, 6))
    >>> estimate = PoseEstimate.begin(IdentityMap(2)).refine(stage)
    >>> torch.equal(estimate.mean.push(torch.eye(2))[0], torch.eye(2))
    True
    """

    start: Map
    predicted: Map
    mean: Map
    earlier: Map
    undoable: Map
    last_stage: StagePosterior | None = None

    @classmethod
    def begin(cls, start: Map) -> PoseEstimate:
        """The estimate before the first stage has run: only the start.

        Args:
            start: First estimate of the pose, N maps.
        """
        identity = IdentityMap(len(start))
        return cls(start, identity, identity, identity, start)

    def refine(self, stage: StagePosterior) -> PoseEstimate:
        """The estimate after one more stage.

        Args:
            stage: Posterior of the stage over the rest of the deformation.
        """
        predicted = self.predicted.compose(stage.sampled_map)
        is_deterministic = stage.mean_map is stage.sampled_map and self.mean is self.predicted
        mean = predicted if is_deterministic else self.mean.compose(stage.mean_map)
        is_invertible = stage.sampled_map.is_invertible
        undoable = self.start.compose(predicted) if is_invertible else self.undoable
        return PoseEstimate(self.start, predicted, mean, self.predicted, undoable, stage)


class GaussianHead(nn.Module):
    """A network that returns the parameters of a Gaussian.

    Args:
        net: Network with 2 D outputs if the head is stochastic, else D.
        stochastic: Whether the first D outputs are the mean and the others the log standard
            deviation; if not, all outputs are the mean.
        initial_log_sd: Number that is added to the outputs for the log standard deviation. An
            untrained network has outputs near 0, so training starts near this value.

    >>> mean, log_sd = GaussianHead(nn.Identity(), stochastic=True)(torch.zeros(1, 4))
    >>> mean, log_sd
    (tensor([[0., 0.]]), tensor([[-1., -1.]]))
    """

    def __init__(self, net: nn.Module, stochastic: bool, initial_log_sd: float = -1.0) -> None:
        super().__init__()
        self.net, self.stochastic, self.initial_log_sd = net, stochastic, initial_log_sd

    @property
    def sees_aligned(self) -> bool:
        """Whether inputs are samples with their deformations undone: always."""
        return True

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log standard deviation for each input.

        The network's output for a log standard deviation is clamped to [-8, 3] before
        `initial_log_sd` is added.

        Args:
            x: Inputs (N, ...) of the network.

        Returns:
            Means (N, D), and log standard deviations (N, D) or None for a deterministic head.
        """
        output = self.net(x)
        if not self.stochastic:
            return output, None
        mean, log_sd = output.chunk(2, -1)
        return mean, log_sd.clamp(MIN_RAW_LOG_SD, MAX_RAW_LOG_SD) + self.initial_log_sd


def sample_or_mean(
    mean: Tensor, log_sd: Tensor | None, generator: torch.Generator | None
) -> Tensor:
    """A sample from a Gaussian, or its mean.

    Args:
        mean: Means (N, D).
        log_sd: Log standard deviations (N, D); None for a deterministic network.
        generator: Source of random numbers; None for the mean.

    Returns:
        A sample (N, D), or the tensor `mean` itself if `generator` or `log_sd` is None.
    """
    if generator is None or log_sd is None:
        return mean
    return reparametrise(mean, log_sd, generator)
