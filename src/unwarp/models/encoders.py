"""Encoders: canonicalise, then encode (`Staged`); the one-stage encoder is a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.models.losses import reparametrise
from unwarp.models.starts import Start, sized
from unwarp.nets.net import constant_output
from unwarp.warps import IdentityMap, Map, Padding, Warp, Window, align

EncoderKind = Literal["staged", "one-stage"]


@dataclass(frozen=True)
class Posterior:
    """The posterior of a batch, before centring.

    Attributes:
        content: Content codes (N, D): the mean, or a draw where noise was given.
        map: The whole deformation.
        theta: Mean of its learned part in half-ranges (N, P): what the prior judges.
        content_mean: Posterior mean of the content (N, D).
        content_log_sd: Its log standard deviation (N, D); None for a deterministic encoder.
        theta_log_sd: Log standard deviation of the last rung's columns that have a Gaussian prior
            (N, P'), in half-ranges to first order; None likewise.
        before: The map of the rungs before the last; None without rungs.
        stage: The last rung's own; `map` is `before.compose(stage.sampled_map)`.
        canonical: Input of the content network: the canonicalised sample on its window.
    """

    content: Tensor
    map: Map
    theta: Tensor
    content_mean: Tensor
    content_log_sd: Tensor | None = None
    theta_log_sd: Tensor | None = None
    before: Map | None = None
    stage: Stage | None = None
    canonical: Tensor | None = None


@dataclass(frozen=True)
class Stage:
    """The Gaussian of one rung over the parameters of its warp, before `constrain`.

    Attributes:
        warp: The rung's family.
        mean: Means (N, P).
        log_sd: Log standard deviations (N, P); None for a deterministic rung.
        raw: A draw (N, P), or the mean itself.
    """

    warp: Warp
    mean: Tensor
    log_sd: Tensor | None
    raw: Tensor

    @cached_property
    def sampled_map(self) -> Map:
        """The map of the draw."""
        return self.warp.map(self.warp.constrain(self.raw))

    @cached_property
    def mean_map(self) -> Map:
        """The map of the mean."""
        if self.raw is self.mean:
            return self.sampled_map
        return self.warp.map(self.warp.constrain(self.mean))

    @property
    def gaussian_log_sd(self) -> Tensor | None:
        """`log_sd` of the columns with a Gaussian prior (N, P').

        Periodic ones have a uniform prior and no rate.
        """
        free = [i for i, factor in enumerate(self.warp.factors) if not factor.periodic]
        return None if self.log_sd is None else self.log_sd[:, free]


class Gaussian(nn.Module):
    """A network's output as a mean and, where `stochastic`, a log standard deviation.

    The log standard deviation begins near -`narrow`.
    """

    def __init__(self, net: nn.Module, stochastic: bool, narrow: float = 1.0) -> None:
        super().__init__()
        self.net, self.stochastic, self.narrow = net, stochastic, narrow

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        out = self.net(x)
        if not self.stochastic:
            return out, None
        mean, log_sd = out.chunk(2, -1)
        return mean, log_sd.clamp(-8, 3) - self.narrow


def _draw(mean: Tensor, log_sd: Tensor | None, noise: torch.Generator | None) -> Tensor:
    return mean if noise is None or log_sd is None else reparametrise(mean, log_sd, noise)


def _repeat(x: Tensor, n: int) -> Tensor:
    """Samples (n, ...): those of `x` (N, ...), one set after the other, where n is more than N."""
    return x.repeat(n // len(x), *(1 for _ in x.shape[1:])) if n > len(x) else x


class Rung(nn.Module):
    """One stage of pose: a network that looks at `window` and predicts the theta of one warp.

    A rung that is passed several times, each time on the picture that the last pass straightened,
    settles: what one look misses the next one sees. It may be passed more often in use than in
    training.
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
        circle = any(factor.periodic for factor in warp.factors)
        self.head = Gaussian(constant_output(net), stochastic, 3.0 if circle else 1.0)
        self.is_invertible = warp.map(torch.zeros(1, len(warp.factors))).invertible

    @property
    def passes(self) -> int:
        """How often the rung is passed: in training, and in use."""
        return self._passes[0 if self.training else 1]

    def forward(self, view: Tensor, noise: torch.Generator | None) -> Stage:
        """The Gaussian of a view, and a draw where there is noise.

        Args:
            view: Samples on the rung's window (N, C, ...), with the earlier rungs undone.
            noise: Generator of the draw; None for the mean.
        """
        mean, log_sd = self.head(view)
        return Stage(self.warp, mean, log_sd, _draw(mean, log_sd, noise))


class Encoder(nn.Module):
    """Base of encoders: `forward(x, noise, angles) -> Posterior`.

    Attributes:
        angles: Angles in radians at which a pose may begin; the argument `angles` (N,) names that
            of each row.
    """

    angles: tuple[float, ...] = (0.0,)

    def __init__(self, warp: Warp, n_content: int) -> None:
        super().__init__()
        self.warp, self.n_content = warp, n_content
        half = torch.tensor([f.half_range for f in warp.factors])
        free = torch.tensor([0.0 if f.periodic else 1.0 for f in warp.factors])
        inverse = torch.where(half > 0, free / half.clamp_min(1e-12), 0.0)
        self.register_buffer("per_half_range", inverse, persistent=False)

    per_half_range: Tensor

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """The whole deformation without noise: `forward(x, None, angles).map`.

        Args:
            x: Observations (N, C, ...).
            angles: Angles (N,) in radians at which the poses begin; None for none.
        """
        posterior: Posterior = self(x, None, angles)
        return posterior.map

    def _prior_coordinates(self, learned: Map) -> Tensor:
        """A learned deformation in half-ranges; 0 in periodic columns: their prior is uniform."""
        return self.warp.theta(learned).to(self.per_half_range.device) * self.per_half_range


class Staged(Encoder):
    """Canonicalise, then encode.

    Each rung gets x with the earlier rungs undone, the content network x with the total undone.
    """

    def __init__(
        self,
        warp: Warp,
        n_content: int,
        start: Start,
        rungs: Sequence[Rung],
        content: Gaussian,
        window: Window,
        padding: Padding,
        flags: int = 0,
    ) -> None:
        super().__init__(warp, n_content)
        self.flags = flags
        self.start, self.angles, self.window, self.padding = start, start.angles, window, padding
        self.rungs: Iterable[Rung] = nn.ModuleList(rungs)  # type: ignore[assignment]
        self.content = content

    def forward(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
        brief: bool = False,
    ) -> Posterior:
        """The posterior of observations.

        Args:
            x: Observations (N, C, ...).
            noise: Generator of a draw; None for the mean.
            angles: Angles in radians at which the poses begin: (N,), or (K * N,) for K poses of
                each observation, one set of observations after the other; None for none.
            brief: Whether each rung is passed once, and none that cannot be undone.
        """
        start = self.start(x, angles)
        x = _repeat(x, len(start))
        learned: Map = IdentityMap(len(x))
        mean_map, before, undone = learned, learned, start
        views: dict[Window, Tensor] = {}
        stage: Stage | None = None
        for rung, is_last in self._passes(brief):
            stage = rung(self._look(x, undone, rung.window, views), noise if is_last else None)
            before, mean_map = learned, mean_map.compose(stage.mean_map)
            learned = learned.compose(stage.sampled_map)
            if stage.sampled_map.invertible:
                undone, views = start.compose(learned), {}
        view = self._look(x, undone, self.window, views)
        mean, log_sd = self.content(view)
        sds = stage.gaussian_log_sd if stage else None
        content, map = _draw(mean, log_sd, noise), start.compose(learned)
        theta = self._prior_coordinates(sized(start).compose(mean_map))
        return Posterior(content, map, theta, mean, log_sd, sds, start.compose(before), stage, view)

    def _passes(self, brief: bool) -> list[tuple[Rung, bool]]:
        """The rungs as they are passed, and whether a pass is the last of its rung."""
        rungs = [rung for rung in self.rungs if rung.is_invertible or not brief]
        counts = [1 if brief else rung.passes for rung in rungs]
        return [(rung, i == n - 1) for rung, n in zip(rungs, counts, strict=True) for i in range(n)]

    def pose(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """As `Encoder.pose`, without the content network."""
        start = undone = self.start(x, angles)
        learned: Map = IdentityMap(len(x))
        for rung, _ in self._passes(brief=False):
            map = rung(self._look(x, undone, rung.window, {}), None).sampled_map
            learned = learned.compose(map)
            undone = start.compose(learned) if map.invertible else undone
        return start.compose(learned)

    def _look(self, x: Tensor, undone: Map, window: Window, views: dict[Window, Tensor]) -> Tensor:
        """The picture with `undone` taken out, on `window`; made once for all that look at it.

        The last `flags` channels say what was observed: they move, and no gain changes them.
        """
        if window not in views:
            values, flags = torch.split(x, [x.shape[1] - self.flags, self.flags], 1)
            parts = [align(values, undone, window, self.padding)]
            parts += [align(flags, undone.point_map, window, self.padding)] if self.flags else []
            views[window] = torch.cat(parts, 1) if self.flags else parts[0]
        return views[window]


class OneStage(Encoder):
    """One trunk gives content and theta from the raw x, as first published."""

    def __init__(self, warp: Warp, n_content: int, trunk: Gaussian) -> None:
        super().__init__(warp, n_content)
        self.trunk = trunk

    def forward(
        self,
        x: Tensor,
        noise: torch.Generator | None = None,
        angles: Tensor | None = None,
        brief: bool = False,
    ) -> Posterior:
        """The posterior of observations `x` (N, C, ...); `angles` and `brief` change nothing."""
        mean, log_sd = self.trunk(x)
        draw = _draw(mean, log_sd, noise)
        sizes = [self.n_content, len(self.warp.factors)]
        (code, mean_raw), (content, raw) = (torch.split(y, sizes, -1) for y in (mean, draw))
        code_sd, raw_sd = (None, None) if log_sd is None else torch.split(log_sd, sizes, -1)
        is_mean = log_sd is None or noise is None
        stage = Stage(self.warp, mean_raw, raw_sd, mean_raw if is_mean else raw)
        theta, identity = self._prior_coordinates(stage.mean_map), IdentityMap(len(x))
        spread, map = stage.gaussian_log_sd, stage.sampled_map
        return Posterior(content, map, theta, code, code_sd, spread, identity, stage)
