"""The encoder in stages, which undoes deformations before it encodes content.

A sequence of networks, the pose stages, predicts the deformation: each stage sees the sample with
the deformations of the earlier stages undone, and predicts the rest. The content network sees the
sample with all invertible stages undone, so that the content code need not describe the pose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from unwarp.models.encoder import Encoder
from unwarp.models.hooks import begin_unchanged
from unwarp.models.lags.search import LagSearch
from unwarp.models.measured import MeasuredContent
from unwarp.models.posterior import (
    GaussianHead,
    PoseEstimate,
    Posterior,
    StagePosterior,
    sample_or_mean,
)
from unwarp.models.scan.search import PictureSearch
from unwarp.models.starts import Start, without_shift
from unwarp.nets.net import constant_output
from unwarp.waiting import send
from unwarp.warps import IdentityMap, Map, Padding, Warp, Window, align
from unwarp.warps.averaging import average_areas


class PoseStage(nn.Module):
    """One stage of the encoder, which predicts a deformation.

    The weights of its output layer are initialised with zeros, so an untrained stage predicts the
    identity. `Staged` may run a stage several times in a row. Before each run the deformations of
    all earlier runs are undone in the sample, so a later run corrects the error of an earlier run
    with the same weights.

    Args:
        warp: The family of deformations that the stage predicts.
        window: The part of the frame that the stage sees.
        net: Network from samples on the window to P outputs, or 2 P if `stochastic`.
        stochastic: Whether the stage also predicts standard deviations.
        passes: Number of runs in training mode and in evaluation mode.

    Attributes:
        is_invertible: Whether its deformations have an inverse. Only then are they undone before
            later stages see the sample.

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
        # theta = half_range * tanh(raw), and a full circle has the half-range pi: the same noise
        # in raw is a larger turn there, so it starts smaller
        initial_log_sd = -3.0 if has_circle else -1.0
        self.head = GaussianHead(constant_output(net), stochastic, initial_log_sd)
        self.is_invertible = warp.map(torch.zeros(1, len(warp.factors))).is_invertible

    @property
    def passes(self) -> int:
        """Number of runs in the present mode, training or evaluation."""
        return self._passes[0 if self.training else 1]

    @property
    def training_passes(self) -> int:
        """Number of runs in training mode."""
        return self._passes[0]

    def forward(self, x: Tensor, generator: torch.Generator | None) -> StagePosterior:
        """The posterior of the rest of the deformation.

        Args:
            x: Samples (N, C, ...) on the stage's window, with the earlier stages undone.
            generator: Source of random numbers, to sample from the posterior; None for the
                posterior mean.

        Returns:
            A posterior of N rows.
        """
        mean, log_sd = self.head(x)
        return StagePosterior(self.warp, mean, log_sd, sample_or_mean(mean, log_sd, generator))


class Staged(Encoder):
    """The encoder that canonicalises a sample and then encodes its content.

    The deformation is start o stage_1 o ... o stage_K: the last stage acts on the template first,
    the start (the first estimate of the pose) last. Stage k sees the sample with start o stage_1 o
    ... o stage_(k-1) undone. The content network sees the sample with all invertible stages undone.

    Args:
        warp: The family of deformations, bound to a frame.
        n_content: Size D of the content code.
        start: First estimate of the pose, without trainable parameters.
        stages: Pose stages, in the order in which they run.
        content: Network from canonicalised samples on `window` to the content code, or a measured
            code, which may also see the samples as they are.
        window: The part of the frame that templates fill.
        padding: Values outside the frame, used when a deformation is undone: `zeros`, `border` or
            `reflection`.
        n_mask_channels: Number of mask channels, the last channels of a sample, which are 1 for
            observed values and 0 in gaps; 0 for samples without gaps.
        pose_size: Size of the samples that pose stages see; None for the size of the samples.

    Attributes:
        rungs: The pose stages. The attribute keeps this name because it is a part of the names of
            weights in saved models.

    >>> from unwarp.models import AE, Net
    >>> from unwarp.warps import Affine2d
    >>> recipe = AE(warp=Affine2d(), refinements=2, net=Net("mlp", (8,), (8,)))
    >>> encoder = recipe.build((1, 8, 8)).encoder
    >>> len(encoder.rungs)  # a stage on the whole frame, and two refinements
    3
    """

    def __init__(
        self,
        warp: Warp,
        n_content: int,
        start: Start | LagSearch | PictureSearch,
        stages: Sequence[PoseStage],
        content: GaussianHead | MeasuredContent,
        window: Window,
        padding: Padding,
        n_mask_channels: int = 0,
        pose_size: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(warp, n_content)
        self.n_mask_channels, self._pose_size = n_mask_channels, pose_size
        self.start, self.window, self.padding = start, window, padding
        self.angles, self.has_mirror = start.angles, start.has_mirror
        self.rungs: Iterable[PoseStage] = nn.ModuleList(stages)  # type: ignore[assignment]
        self.content = content

    def forward(
        self,
        x: Tensor,
        generator: torch.Generator | None = None,
        angles: Tensor | None = None,
        single_pass: bool = False,
    ) -> Posterior:
        """The posterior of samples over content and deformation, before centring.

        Args:
            x: Samples (N, C, ...), mask channels included.
            generator: Source of random numbers, to sample from the posterior; None for the
                posterior mean.
            angles: Start angle of each sample in radians, (N,), or with its mirror, (N, 2); or K
                angles of each sample, (K * N, ...), first the angles of all samples for k = 1, then
                for k = 2, and so on. None for no rotation.
            single_pass: Whether each invertible stage runs only once, and stages without an inverse
                do not run. The result is a cheap estimate.

        Returns:
            A posterior of N rows, or of K * N rows in the order of `angles`.
        """
        start = self.start(x, angles)
        x = _tile(x, len(start))
        estimate, canonical = self._run_stages(x, start, generator, single_pass)
        mean, log_sd = self.content(canonical if self.content.sees_aligned else x)
        content, map = sample_or_mean(mean, log_sd, generator), start.compose(estimate.predicted)
        theta = self._theta(start, estimate) * self.inverse_half_ranges
        earlier_map = start.compose(estimate.earlier)
        return Posterior(
            content, map, theta, mean, log_sd, earlier_map, estimate.last_stage, canonical
        )

    def canonicalise(self, x: Tensor, angles: Tensor | None = None) -> tuple[Tensor, Map]:
        """Samples as the content network sees them, and their deformations before centring.

        Args:
            x: Samples (N, C, ...), mask channels included.
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None for no rotation.

        Returns:
            Aligned samples (N, C, ...) on the window of the templates, and N maps.
        """
        start = self.start(x, angles)
        estimate, canonical = self._run_stages(x, start, None, single_pass=False)
        return canonical, start.compose(estimate.predicted)

    def content_code(self, x: Tensor, angles: Tensor | None = None) -> Tensor:
        """Content codes of samples; the runs that sharpen poses are left out.

        Args:
            x: Samples (N, C, ...), mask channels included.
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None for no rotation.

        Returns:
            Content codes (N, D).
        """
        if self.content.sees_aligned:
            start = self.start(x, angles)
            _, x = self._run_stages(x, start, None, single_pass=False, for_content=True)
        return torch.as_tensor(self.content(x)[0])

    def _run_stages(
        self,
        x: Tensor,
        start: Map,
        generator: torch.Generator | None,
        single_pass: bool,
        for_content: bool = False,
    ) -> tuple[PoseEstimate, Tensor]:
        """The composed deformation, and the aligned samples that the content network sees.

        With `for_content` the stages stop where the content network sees the samples.
        """
        estimate, small = PoseEstimate.begin(start), self._shrink(x)
        cache: dict[Window, Tensor] = {}
        schedule = self._schedule(single_pass)
        n_before_content, canonical = self._runs_before_content(len(schedule)), None
        schedule = schedule[:n_before_content] if for_content else schedule
        for i, (module, is_last_pass) in enumerate(schedule):
            if i == n_before_content:
                canonical = self._undo(x, estimate.undoable, self.window, cache)
            aligned = self._undo(small, estimate.undoable, module.window, cache)
            stage = module(aligned, generator if is_last_pass else None)
            estimate = estimate.refine(stage)
            cache = {} if module.is_invertible else cache
        if canonical is None:
            canonical = self._undo(x, estimate.undoable, self.window, cache)
        return estimate, canonical

    def _runs_before_content(self, n_runs: int) -> int:
        """Number of runs of stages, at most `n_runs`, before the content network sees a sample.

        A learned content network sees the final alignment. Measured content is that after as many
        runs as in training: further runs make poses more exact, but they also squeeze samples of
        one kind into those of another.
        """
        if not isinstance(self.content, MeasuredContent):
            return n_runs
        stages = [stage for stage in self.rungs if stage.is_invertible]
        return min(n_runs, sum(stage.training_passes for stage in stages))

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """The posterior mean deformations of samples, without running the content network.

        Args:
            x: Samples (N, C, ...), mask channels included.
            angles: Start angles (N,) in radians, or with mirrors (N, 2); None for no rotation.

        Returns:
            N maps before centring.
        """
        start = undoable = self.start(x, angles)
        small = self._shrink(x)
        predicted: Map = IdentityMap(len(x))
        for module, _ in self._schedule(single_pass=False):
            canonical = self._undo(small, undoable, module.window, {})
            map = module(canonical, None).sampled_map
            predicted = predicted.compose(map)
            undoable = start.compose(predicted) if module.is_invertible else undoable
        return start.compose(predicted)

    @property
    def begin(self) -> Callable[[Tensor], tuple[str, ...]]:
        """The hook that fits the search, if there is one."""
        start = self.start
        return start.fit if isinstance(start, LagSearch | PictureSearch) else begin_unchanged

    @property
    def has_circular_lags(self) -> bool:
        """Whether a search found all deformations as lags on a circle."""
        has_stages = len(self._schedule(single_pass=False)) > 0
        return isinstance(self.start, LagSearch) and self.start.is_circular and not has_stages

    def _theta(self, start: Map, estimate: PoseEstimate) -> Tensor:
        """Theta (N, P) of the mean deformations, without the shift of the start."""
        stage, is_single = estimate.last_stage, isinstance(estimate.earlier, IdentityMap)
        if stage and is_single and isinstance(start, IdentityMap) and stage.warp == self.warp:
            return self.warp.constrain(stage.mean)  # saves the way back from the map
        theta = self.warp.theta(without_shift(start).compose(estimate.mean))
        return send(theta, self.inverse_half_ranges.device)

    def _schedule(self, single_pass: bool) -> list[tuple[PoseStage, bool]]:
        """One entry for each run of a stage: the stage, and whether this is its last run."""
        stages = [stage for stage in self.rungs if stage.is_invertible or not single_pass]
        counts = [1 if single_pass else stage.passes for stage in stages]
        pairs = zip(stages, counts, strict=True)
        return [(stage, i == n - 1) for stage, n in pairs for i in range(n)]

    def _shrink(self, x: Tensor) -> Tensor:
        """Samples (N, C, ...) at the size that pose stages see."""
        return x if self._pose_size is None else average_areas(x, self._pose_size)

    def _undo(self, x: Tensor, map: Map, window: Window, cache: dict[Window, Tensor]) -> Tensor:
        """The samples `x` (N, C, ...) on a window, with the deformation `map` undone.

        The result is stored in `cache`, so it is computed once for networks with the same window.
        Empty the cache when `map` changes. Mask channels are moved like the other channels, but
        gains, which change values, do not act on them.
        """
        if window not in cache:
            n_masks = self.n_mask_channels
            values, masks = torch.split(x, [x.shape[1] - n_masks, n_masks], 1)
            parts = [align(values, map, window, self.padding)]
            parts += [align(masks, map.point_map, window, self.padding)] if n_masks else []
            cache[window] = torch.cat(parts, 1) if n_masks else parts[0]
        return cache[window]


def _tile(x: Tensor, n: int) -> Tensor:
    """The batch `x` (N, ...) repeated `n / N` times along its first axis; `x` itself if n <= N."""
    return x.repeat(n // len(x), *(1 for _ in x.shape[1:])) if n > len(x) else x
