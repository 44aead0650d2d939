"""Posteriors: the distributions over content and deformation that an encoder returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from unwarp.models.losses import reparametrise
from unwarp.warps import IdentityMap, Map, Warp

MIN_RAW_LOG_SD, MAX_RAW_LOG_SD = -8.0, 3.0
"""Range of a network's output for a log standard deviation, so that exponentials stay finite."""


@dataclass(frozen=True)
class StagePosterior:
    """Gaussian posterior of one pose stage over the parameters of its warp.

    It is a Gaussian over the unbounded numbers that `Warp.constrain` turns into theta. A
    deterministic stage has a mean alone.

    Attributes:
        warp: The family of deformations that the stage predicts.
        mean: Means (N, P), before `constrain`.
        log_sd: Log standard deviations (N, P); None for a deterministic stage.
        raw: A sample (N, P) of the posterior, or the mean itself.

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

    @cached_property
    def sampled_map(self) -> Map:
        """The deformations of the sample `raw`, N of them.

        `warp.map(warp.constrain(raw))`, computed once.
        """
        return self.warp.map(self.warp.constrain(self.raw))

    @cached_property
    def mean_map(self) -> Map:
        """The deformations of the means, N of them.

        The same object as `sampled_map` if `raw` is the mean itself.
        """
        if self.raw is self.mean:
            return self.sampled_map
        return self.warp.map(self.warp.constrain(self.mean))

    @property
    def gaussian_log_sd(self) -> Tensor | None:
        """Log standard deviations (N, P') of the columns with a Gaussian prior.

        Periodic columns are left out: their prior is uniform, and they have no rate. None for a
        deterministic stage.
        """
        columns = [i for i, factor in enumerate(self.warp.factors) if not factor.periodic]
        return None if self.log_sd is None else self.log_sd[:, columns]


@dataclass(frozen=True)
class Posterior:
    """Posterior of a batch of samples over content and deformation, before centring.

    Encoders return it, and losses read it. The content is Gaussian. Of the deformation only the
    last pose stage is stochastic; the earlier stages return their means.

    Attributes:
        content: Content codes (N, D): a sample of the posterior if a generator was passed, else
            its mean.
        map: The whole deformation of each sample, the start of the pose included.
        theta: Mean of the deformation in half-ranges of the warp's factors (N, P), the coordinates
            of the prior. The scale of the start counts, its shift does not; periodic columns are 0.
        content_mean: Means of the content (N, D).
        content_log_sd: Log standard deviations of the content (N, D); None for a deterministic
            encoder.
        theta_log_sd: Log standard deviations (N, P') of the last stage's columns that have a
            Gaussian prior, in half-ranges to first order; None for a deterministic encoder.
        before: The deformation of the start and of all stages but the last.
        stage: Posterior of the last stage; `map` is `before.compose(stage.sampled_map)`. None
            without stages.
        canonical: Input of the content network (N, C, ...), the canonicalised samples on the
            window of the templates; None for a one-stage encoder.

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
    theta_log_sd: Tensor | None = None
    earlier_map: Map | None = None
    last_stage: StagePosterior | None = None
    canonical: Tensor | None = None


@dataclass(frozen=True)
class PoseEstimate:
    """Deformations that the pose stages have predicted so far.

    Stages run from the outermost to the innermost one: `refine` composes the deformation of the
    next stage on the inside, `total = earlier.compose(stage)`.

    Attributes:
        start: First estimate of the pose, N maps.
        predicted: Composition of the sampled deformations of all stages.
        mean: Composition of their mean deformations.
        earlier: `predicted` without the last stage.
        undoable: Start and stages up to the last invertible one: the deformation that is undone
            before the next stage sees the samples.
        stage: Posterior of the last stage; None before the first.

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
        """The estimate before the first stage: the start alone.

        Args:
            start: First estimate of the pose, N maps.
        """
        identity = IdentityMap(len(start))
        return cls(start, identity, identity, identity, start)

    def refine(self, stage: StagePosterior) -> PoseEstimate:
        """The estimate after one more stage.

        Args:
            stage: Posterior of the stage over the part of the deformation that is left.
        """
        mean = self.mean.compose(stage.mean_map)
        predicted = self.predicted.compose(stage.sampled_map)
        is_invertible = stage.sampled_map.is_invertible
        undoable = self.start.compose(predicted) if is_invertible else self.undoable
        return PoseEstimate(self.start, predicted, mean, self.predicted, undoable, stage)


class GaussianHead(nn.Module):
    """A network that returns mean and log standard deviation.

    Args:
        net: Network with D outputs, or 2 D if it is stochastic.
        stochastic: Whether the second half of the outputs is a log standard deviation; if not, the
            output is the mean and the log standard deviation is None.
        initial_log_sd: Log standard deviation for an output of 0, near which training begins.

    >>> mean, log_sd = GaussianHead(nn.Identity(), stochastic=True)(torch.zeros(1, 4))
    >>> mean, log_sd
    (tensor([[0., 0.]]), tensor([[-1., -1.]]))
    """

    def __init__(self, net: nn.Module, stochastic: bool, initial_log_sd: float = -1.0) -> None:
        super().__init__()
        self.net, self.stochastic, self.initial_log_sd = net, stochastic, initial_log_sd

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
    """A sample of a Gaussian, or its mean.

    Args:
        mean: Means (N, D).
        log_sd: Log standard deviations (N, D); None for a deterministic network.
        generator: Generator of the sample; None for the mean.

    Returns:
        Values (N, D); the tensor `mean` itself if nothing is drawn.
    """
    if generator is None or log_sd is None:
        return mean
    return reparametrise(mean, log_sd, generator)
