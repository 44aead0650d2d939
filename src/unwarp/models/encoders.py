"""Encoders: from samples to a posterior over content and deformation.

`Staged` canonicalises, then encodes. A sequence of pose stages predicts the deformation. Each stage
sees the sample with the deformation of the earlier stages undone, and predicts the part that is
left. The content network sees the sample with the whole invertible deformation undone, so that the
content code need not describe the pose. `OneStage` is the comparison: one network reads both from
the raw sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.models.posterior import (
    GaussianHead,
    PoseEstimate,
    Posterior,
    StagePosterior,
    sample_or_mean,
)
from unwarp.models.starts import Start, without_shift
from unwarp.nets.net import constant_output
from unwarp.warps import IdentityMap, Map, Padding, Warp, Window, align

EncoderKind = Literal["staged", "one-stage"]


class PoseStage(nn.Module):
    """One stage of the pose network, which predicts one warp.

    Its output layer begins at zero, so that an untrained stage returns the identity. A stage may
    run several times, each time on the sample that its last run straightened; later runs correct
    the error of earlier ones without further weights.

    Args:
        warp: The family of deformations that it predicts.
        window: The part of the frame that it sees.
        net: Network from samples on the window to P outputs, or 2 P if it is stochastic.
        stochastic: Whether it returns standard deviations too.
        passes: Number of runs in training and in evaluation mode.

    Attributes:
        is_invertible: Whether its deformations can be undone before later stages see the sample.

    >>> from unwarp.warps import Affine2d
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 6))
    >>> stage = PoseStage(Affine2d(), Window.frame((4, 4)), net, stochastic=False, passes=(2, 5))
    >>> stage(torch.rand(3, 1, 4, 4), None).mean.abs().sum().item(), stage.eval().passes
    (0.0, 5)
    """

    def __init__(
        self,
        warp: Warp,
        window: Window,
        net: nn.Module,
        stochastic: bool,
        passes: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.warp, self.window, self._passes = warp, window, passes
        has_circle = any(factor.periodic for factor in warp.factors)
        # a unit of a full circle's column is half a turn, so its noise begins smaller
        initial_log_sd = -3.0 if has_circle else -1.0
        self.head = GaussianHead(constant_output(net), stochastic, initial_log_sd)
        self.is_invertible = warp.map(torch.zeros(1, len(warp.factors))).is_invertible

    @property
    def passes(self) -> int:
        """Number of runs of the stage in the module's present mode.

        The first of the two numbers `passes` in training, the second in evaluation mode.
        """
        return self._passes[0 if self.training else 1]

    def forward(self, view: Tensor, noise: torch.Generator | None) -> StagePosterior:
        """The posterior of the part of the deformation that is left.

        Args:
            view: Samples on the stage's window (N, C, ...), with the earlier stages undone.
            noise: Generator of a sample of the posterior; None for its mean.
        """
        mean, log_sd = self.head(view)
        return StagePosterior(self.warp, mean, log_sd, sample_or_mean(mean, log_sd, noise))


class Encoder(nn.Module):
    """Base of encoders: a module from samples to a `Posterior`.

    A subclass defines `forward(x, noise, angles, single_pass)`, as `Staged` documents it.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.

    Attributes:
        angles: Angles in radians at which a pose may begin; a single one if there is no choice.
        inverse_half_ranges: 1 over the half-range of each column of theta (P,); 0 if periodic.

    >>> from unwarp.warps import Affine2d
    >>> Encoder(Affine2d(), 3).angles
    (0.0,)
    """

    angles: tuple[float, ...] = (0.0,)
    inverse_half_ranges: Tensor

    def __init__(self, warp: Warp, n_content: int) -> None:
        super().__init__()
        self.warp, self.n_content = warp, n_content
        half_ranges = torch.tensor([f.half_range for f in warp.factors])
        is_charged = torch.tensor([0.0 if f.periodic else 1.0 for f in warp.factors])
        inverse = torch.where(half_ranges > 0, is_charged / half_ranges.clamp_min(1e-12), 0.0)
        self.register_buffer("inverse_half_ranges", inverse, persistent=False)

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """The whole deformation of samples, as `forward(x, None, angles).map`.

        Args:
            x: Samples (N, C, ...).
            angles: Angles (N,) in radians at which the poses begin; None for no rotation.

        Returns:
            Posterior mean deformations, N of them, before centring.
        """
        posterior: Posterior = self(x, None, angles)
        return posterior.map

    def _prior_coordinates(self, map: Map) -> Tensor:
        """Theta (N, P) of a map in half-ranges; 0 in periodic columns: their prior is uniform."""
        return self.warp.theta(map).to(self.inverse_half_ranges.device) * self.inverse_half_ranges


class Staged(Encoder):
    """Canonicalise, then encode.

    The deformation is start o stage_1 o ... o stage_K, the last stage acting on the template first
    (`total = earlier.compose(stage)`). Stage k sees the sample with start o stage_1 o ... o
    stage_(k-1) undone. The content network sees it with all invertible stages undone.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.
        start: First estimate of the pose, without parameters.
        stages: Pose stages, in the order of their runs.
        content: Network from canonicalised samples on `window` to the content code.
        window: The part of the frame that templates fill.
        padding: Values outside the frame, for undoing deformations.
        n_mask_channels: Number of last channels that mark observed values; 0 without gaps.

    Attributes:
        rungs: The pose stages. The name is a part of the names of stored weights.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(), refinements=2, net=Net("mlp", (8,), (8,)))
    >>> encoder = recipe.build((1, 8, 8)).encoder
    >>> len(encoder.rungs)  # a learned start on the whole frame, and two refinements
    3
    """

    def __init__(
        self,
        warp: Warp,
        n_content: int,
        start: Start,
        stages: Sequence[PoseStage],
        content: GaussianHead,
        window: Window,
        padding: Padding,
        n_mask_channels: int = 0,
    ) -> None:
        super().__init__(warp, n_content)
        self.n_mask_channels = n_mask_channels
        self.start, self.angles, self.window, self.padding = start, start.angles, window, padding
        self.rungs: Iterable[PoseStage] = nn.ModuleList(stages)  # type: ignore[assignment]
        self.content = content

    def forward(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
        single_pass: bool = False,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, C, ...), mask channels included.
            noise: Generator of a sample of the posterior; None for its mean.
            angles: Angles in radians at which the poses begin: (N,), or (K * N,) for K poses of
                each sample, with all samples at the first angle first. None for no rotation.
            single_pass: Whether each stage runs once, and stages that cannot be undone not at all:
                a cheap first estimate.

        Returns:
            A posterior of N rows, or of K * N.
        """
        start = self.start(x, angles)
        x, estimate = _tile(x, len(start)), PoseEstimate.begin(start)
        views: dict[Window, Tensor] = {}
        for module, is_last_pass in self._schedule(single_pass):
            view = self._canonicalise(x, estimate.undoable, module.window, views)
            stage = module(view, noise if is_last_pass else None)
            estimate = estimate.refine(stage)
            views = {} if module.is_invertible else views
        view = self._canonicalise(x, estimate.undoable, self.window, views)
        mean, log_sd = self.content(view)
        content, map = sample_or_mean(mean, log_sd, noise), start.compose(estimate.predicted)
        theta = self._prior_coordinates(without_shift(start).compose(estimate.mean))
        theta_log_sd = estimate.last_stage.gaussian_log_sd if estimate.last_stage else None
        before = start.compose(estimate.earlier)
        return Posterior(
            content, map, theta, mean, log_sd, theta_log_sd, before, estimate.last_stage, view
        )

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """The whole deformation of samples, without running the content network.

        Args:
            x: Samples (N, C, ...), mask channels included.
            angles: Angles (N,) in radians at which the poses begin; None for no rotation.

        Returns:
            Posterior mean deformations, N of them, before centring.
        """
        start = estimate = self.start(x, angles)
        predicted: Map = IdentityMap(len(x))
        for module, _ in self._schedule(single_pass=False):
            view = self._canonicalise(x, estimate, module.window, {})
            map = module(view, None).sampled_map
            predicted = predicted.compose(map)
            estimate = start.compose(predicted) if map.is_invertible else estimate
        return start.compose(predicted)

    def _schedule(self, single_pass: bool) -> list[tuple[PoseStage, bool]]:
        """The stages, one entry a run, and whether a run is the last of its stage."""
        stages = [stage for stage in self.rungs if stage.is_invertible or not single_pass]
        counts = [1 if single_pass else stage.passes for stage in stages]
        pairs = zip(stages, counts, strict=True)
        return [(stage, i == n - 1) for stage, n in pairs for i in range(n)]

    def _canonicalise(
        self, x: Tensor, map: Map, window: Window, views: dict[Window, Tensor]
    ) -> Tensor:
        """Samples on a window with a deformation undone, computed once for all that see it.

        Mask channels move with the samples, but no gain changes their values.
        """
        if window not in views:
            n_masks = self.n_mask_channels
            values, masks = torch.split(x, [x.shape[1] - n_masks, n_masks], 1)
            parts = [align(values, map, window, self.padding)]
            parts += [align(masks, map.point_map, window, self.padding)] if n_masks else []
            views[window] = torch.cat(parts, 1) if n_masks else parts[0]
        return views[window]


class OneStage(Encoder):
    """One network that reads content and deformation from the raw sample.

    The structure of rate-invariant autoencoders of series as first published (Koneripalli et al.
    2020), for comparison with `Staged`.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.
        trunk: Network from samples to D + P means, and as many log standard deviations if it is
            stochastic.

    >>> from unwarp.models import AE, Net
    >>> recipe = AE(encoder="one-stage", net=Net("mlp", (8,), (8,)))
    >>> isinstance(recipe.build((1, 8, 8)).encoder, OneStage)
    True
    """

    def __init__(self, warp: Warp, n_content: int, trunk: GaussianHead) -> None:
        super().__init__(warp, n_content)
        self.trunk = trunk

    def forward(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
        single_pass: bool = False,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, C, ...).
            noise: Generator of a sample of the posterior; None for its mean.
            angles: Ignored; the pose has no start.
            single_pass: Ignored; the network runs once in any case.

        Returns:
            A posterior of N rows.
        """
        mean, log_sd = self.trunk(x)
        sample = sample_or_mean(mean, log_sd, noise)
        sizes = [self.n_content, len(self.warp.factors)]
        (content_mean, raw_mean), (content, raw) = (
            torch.split(y, sizes, -1) for y in (mean, sample)
        )
        content_log_sd, raw_log_sd = (
            (None, None) if log_sd is None else torch.split(log_sd, sizes, -1)
        )
        stage = StagePosterior(self.warp, raw_mean, raw_log_sd, raw_mean if sample is mean else raw)
        theta, identity = self._prior_coordinates(stage.mean_map), IdentityMap(len(x))
        theta_log_sd, map = stage.gaussian_log_sd, stage.sampled_map
        return Posterior(
            content, map, theta, content_mean, content_log_sd, theta_log_sd, identity, stage
        )


def _tile(x: Tensor, n: int) -> Tensor:
    """Samples (N, ...) repeated as a whole until there are `n`; unchanged if N is `n` or more."""
    return x.repeat(n // len(x), *(1 for _ in x.shape[1:])) if n > len(x) else x
