"""Encoders: canonicalise, then encode (`Staged`), and the one-stage encoder kept as a comparison."""

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
    """What an encoder says of a batch, before centring.

    Attributes:
        content: Content codes (N, D): the mean, or a draw where noise was given.
        map: The whole deformation.
        theta: Mean of its learned part in half-ranges (N, P): what the prior judges.
        content_mean: Posterior mean of the content (N, D).
        content_log_sd: Its log standard deviation (N, D); None for a deterministic encoder.
        theta_log_sd: Log standard deviation of the last rung's columns that have a Gaussian prior (N, P'), in half-ranges
            to first order; None likewise.
        before: What the rungs before the last found; None without rungs.
        stage: What the last rung says; `map` is `before.compose(stage.drawn)`.
        seen: What the content network looked at: the canonicalised sample on its window.
    """

    content: Tensor
    map: Map
    theta: Tensor
    content_mean: Tensor
    content_log_sd: Tensor | None = None
    theta_log_sd: Tensor | None = None
    before: Map | None = None
    stage: Stage | None = None
    seen: Tensor | None = None


@dataclass(frozen=True)
class Stage:
    """What one rung says of a batch: a Gaussian over the parameters of its warp, before `constrain`.

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
        return self.sampled_map if self.raw is self.mean else self.warp.map(self.warp.constrain(self.mean))

    @property
    def gaussian_log_sd(self) -> Tensor | None:
        """`log_sd` of the columns with a Gaussian prior (N, P'); periodic ones have a uniform prior and no rate."""
        free = [i for i, factor in enumerate(self.warp.factors) if not factor.periodic]
        return None if self.log_sd is None else self.log_sd[:, free]


class Gaussian(nn.Module):
    """A network's output as a mean and, where `stochastic`, a log standard deviation, which begins near -`narrow`."""

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


class Rung(nn.Module):
    """One stage of pose: a network that looks at `window` and predicts parameters of one elementary warp.

    A rung that is passed several times, each time on the picture that the last pass straightened, settles: what one
    look misses the next one sees. It may be passed more often in use than in training.
    """

    def __init__(
        self, warp: Warp, window: Window, net: nn.Module, stochastic: bool, passes: tuple[int, int] = (1, 1)
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

    def forward(self, seen: Tensor, noise: torch.Generator | None) -> Stage:
        """What the rung says of what is seen, drawn where `noise` is given."""
        mean, log_sd = self.head(seen)
        return Stage(self.warp, mean, log_sd, _draw(mean, log_sd, noise))


class Encoder(nn.Module):
    """Base of encoders: `forward(x, noise, turn) -> Posterior`.

    Attributes:
        turns: Angles in radians at which the pose may begin; one of them for each row is the argument `turn` (N,).
    """

    turns: tuple[float, ...] = (0.0,)

    def __init__(self, warp: Warp, n_content: int) -> None:
        super().__init__()
        self.warp, self.n_content = warp, n_content
        half = torch.tensor([f.half_range for f in warp.factors])
        free = torch.tensor([0.0 if f.periodic else 1.0 for f in warp.factors])
        inverse = torch.where(half > 0, free / half.clamp_min(1e-12), 0.0)
        self.register_buffer("per_half_range", inverse, persistent=False)

    per_half_range: Tensor

    def pose(self, x: Tensor, turn: Tensor | None = None) -> Map:
        """The whole deformation of observations `x` (N, C, ...), without noise: `forward(x, None, turn).map`."""
        found: Posterior = self(x, None, turn)
        return found.map

    def _prior_coordinates(self, learned: Map) -> Tensor:
        """The learned deformation in half-ranges; periodic columns, whose prior is uniform, count nothing."""
        return self.warp.theta(learned).to(self.per_half_range.device) * self.per_half_range


class Staged(Encoder):
    """Each rung sees x with the earlier rungs undone; the content network sees x with the total undone."""

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
        self.start, self.turns, self.window, self.padding = start, start.turns, window, padding
        self.rungs: Iterable[Rung] = nn.ModuleList(rungs)  # type: ignore[assignment]
        self.content = content

    def forward(
        self, x: Tensor, noise: torch.Generator | None = None, turn: Tensor | None = None, brief: bool = False
    ) -> Posterior:
        """Posterior of observations `x` (N, C, ...); a `brief` one passes once each rung that can be undone.

        With angles `turn` (K * N,) it is of each observation begun at K angles, one set of observations after the other.
        """
        start = self.start(x, turn)
        x = x.repeat(len(start) // len(x), *(1 for _ in x.shape[1:])) if len(start) > len(x) else x
        learned: Map = IdentityMap(len(x))
        likely, before, undone = learned, learned, start
        views: dict[Window, Tensor] = {}
        stage: Stage | None = None
        rungs = [rung for rung in self.rungs if rung.is_invertible] if brief else list(self.rungs)
        passes = [(rung, left == 0) for rung in rungs for left in reversed(range(1 if brief else rung.passes))]
        for rung, last in passes:
            stage = rung(self._look(x, undone, rung.window, views), noise if last else None)
            before, likely, learned = learned, likely.compose(stage.mean_map), learned.compose(stage.sampled_map)
            if stage.sampled_map.invertible:
                undone, views = start.compose(learned), {}
        seen = self._look(x, undone, self.window, views)
        mean, log_sd = self.content(seen)
        spread = stage.gaussian_log_sd if stage else None
        content, map = _draw(mean, log_sd, noise), start.compose(learned)
        judged = self._prior_coordinates(sized(start).compose(likely))
        return Posterior(content, map, judged, mean, log_sd, spread, start.compose(before), stage, seen)

    def pose(self, x: Tensor, turn: Tensor | None = None) -> Map:
        """As `Encoder.pose`, without the content network."""
        start = undone = self.start(x, turn)
        learned: Map = IdentityMap(len(x))
        for rung in [each for each in self.rungs for _ in range(each.passes)]:
            found = rung(self._look(x, undone, rung.window, {}), None).sampled_map
            learned = learned.compose(found)
            undone = start.compose(learned) if found.invertible else undone
        return start.compose(learned)

    def _look(self, x: Tensor, undone: Map, window: Window, views: dict[Window, Tensor]) -> Tensor:
        """The picture with `undone` taken out, on `window`; made once for all that look at it.

        The last `flags` channels say what was observed: they move, and no gain changes them.
        """
        if window not in views:
            values, flags = torch.split(x, [x.shape[1] - self.flags, self.flags], 1)
            seen = [align(values, undone, window, self.padding)]
            seen += [align(flags, undone.point_map, window, self.padding)] if self.flags else []
            views[window] = torch.cat(seen, 1) if self.flags else seen[0]
        return views[window]


class OneStage(Encoder):
    """One trunk gives content and theta from the raw x, as first published."""

    def __init__(self, warp: Warp, n_content: int, trunk: Gaussian) -> None:
        super().__init__(warp, n_content)
        self.trunk = trunk

    def forward(
        self, x: Tensor, noise: torch.Generator | None = None, turn: Tensor | None = None, brief: bool = False
    ) -> Posterior:
        """Posterior of observations `x` (N, C, ...)."""
        mean, log_sd = self.trunk(x)
        sizes = [self.n_content, len(self.warp.factors)]
        (code, mean_raw), (content, raw) = (torch.split(y, sizes, -1) for y in (mean, _draw(mean, log_sd, noise)))
        code_sd, raw_sd = (None, None) if log_sd is None else torch.split(log_sd, sizes, -1)
        stage = Stage(self.warp, mean_raw, raw_sd, mean_raw if log_sd is None or noise is None else raw)
        judged, still = self._prior_coordinates(stage.mean_map), IdentityMap(len(x))
        return Posterior(content, stage.sampled_map, judged, code, code_sd, stage.gaussian_log_sd, still, stage)
