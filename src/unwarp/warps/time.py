"""Monotone deformations of time: what happened earlier, later, faster or slower.

Every family gives the local speed gamma' on equal cells of the observed time, so that gamma is increasing by
construction and linear on each cell; a family is a way to write these speeds in few numbers, and to read them back.

Convention:
    gamma is `pull`: observed time to template time, both in [0, 1]. A speed above 1 means that the observation runs
    through its template faster; a positive lag, that it is later.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.maps import Map
from unwarp.warps.time_map import TimeMap
from unwarp.warps.warp import Warp
from unwarp.warps.window import Window

SLOWEST = 1e-3


@dataclass(frozen=True)
class _Temporal(Warp):
    """What the families of time share: a grid, a clock and the human columns."""

    size: tuple[int, ...] = field(default=(2,), kw_only=True)
    cells: int = field(default=64, kw_only=True)
    sampling_rate: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.cells < 2:
            raise ConfigError(f"{type(self).__name__}: cells={self.cells} must be at least 2")
        if self.sampling_rate is not None and not self.sampling_rate > 0:
            raise ConfigError(
                f"{type(self).__name__}: sampling_rate={self.sampling_rate} must be positive samples a second, or None"
            )

    @property
    def domain(self) -> str:
        return "series"

    @property
    def _half(self) -> tuple[float, ...]:
        return tuple(f.half_range for f in self.factors)

    def constrain(self, raw: Tensor) -> Tensor:
        half = raw.new_tensor(self._half)
        return half * torch.tanh(raw / half)

    @property
    def _clock(self) -> str:
        """The unit of time of the human columns."""
        return "samples" if self.sampling_rate is None else "s"

    @property
    def duration(self) -> float:
        """From the first sample to the last, in seconds, or in samples where no sampling rate is given; a lone sample lasts one."""
        return max(self.size[-1] - 1, 1) / (self.sampling_rate or 1.0)

    def _gamma(self, map: Map) -> Tensor:
        """Template times (N, cells + 1) at the ends of the cells."""
        return map.pull(Window.frame((self.cells + 1,)).lattice(map.reference))[..., 0]

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        gamma, clock = self._gamma(map), self._clock
        lag = 0.5 - (gamma[:, 1:] + gamma[:, :-1]).mean(-1) / 2
        speed = gamma.diff() * self.cells
        jump = speed.diff().abs().amax(-1) * self.cells
        span, most = self.duration, self._fastest
        return {
            Factor(f"lag_{clock}", clock, -span / 2, span / 2): lag * span,
            Factor("speed_min", "factor", 1 / most, most): speed.amin(-1),
            Factor("speed_max", "factor", 1 / most, most): speed.amax(-1),
            Factor("acceleration", f"1/{clock}", 0.0, most * self.cells / span): jump / span,
        }

    @property
    def _fastest(self) -> float:
        """The end of the sliders of speed."""
        return 4.0


@dataclass(frozen=True)
class MonotoneTime(_Temporal):
    """Base of the families that change speed: increasing maps of [0, 1], onto itself unless `free_ends`.

    Attributes:
        cells: Equal parts of the observed time, on each of which the speed is constant.
        sampling_rate: Samples a second, for columns in seconds; None: columns in samples.
        free_ends: Whether a recording may be cut: adds a lag (a quarter of the series at most) and a tempo (a factor of
            1.5 at most), so that its ends show other times of the template than 0 and 1.
        anchor: Theta of the mean deformation that centring took out; None for none.
    """

    free_ends: bool = field(default=False, kw_only=True)
    anchor: tuple[float, ...] | None = field(default=None, kw_only=True)

    @property
    @abstractmethod
    def _columns(self) -> tuple[Factor, ...]:
        """The factors that shape the speed."""

    @abstractmethod
    def _speed(self, theta: Tensor) -> Tensor:
        """Speed on each cell (N, cells), 1 in the mean of a row."""

    @abstractmethod
    def _shape(self, speed: Tensor) -> Tensor:
        """The columns that give `speed` (N, cells), or speeds near it."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        log = math.log(1.5)
        ends = (Factor("lag", "lengths", -0.25, 0.25), Factor("log_tempo", "log factor", -log, log))
        return self._columns + (ends if self.free_ends else ())

    def map(self, theta: Tensor) -> TimeMap:
        shape, ends = theta[:, : len(self._columns)], theta[:, len(self._columns) :]
        speed = self._speed(shape)
        zero = speed.new_zeros(len(speed), 1)
        gamma = torch.cat([zero, speed[:, :-1].cumsum(-1) / self.cells, zero + 1], -1)
        if self.free_ends:
            gamma = (gamma - 0.5) * ends[:, 1:].exp() + 0.5 - ends[:, :1]
        map = TimeMap(Window.frame((self.cells + 1,)).lattice(gamma).mT.expand_as(gamma), gamma)
        return map if self.anchor is None else _product(map, self._taken_out(theta).invert())

    def _taken_out(self, like: Tensor) -> TimeMap:
        return replace(self, anchor=None).map(like.new_tensor(self.anchor)[None])

    def _profile(self, map: Map) -> tuple[Tensor, Tensor]:
        """Speeds with mean 1 (N, cells), and lag and log tempo where the ends are free (N, 2 or 0)."""
        if self.anchor is not None:
            map = map.compose(self._taken_out(map.reference))
        gamma = self._gamma(map)
        first, last = gamma[:, :1], gamma[:, -1:]
        tempo = last - first
        speed = (gamma.diff() * self.cells / tempo).clamp_min(SLOWEST / 10)
        ends = torch.cat([0.5 - (first + last) / 2, tempo.log()], -1)
        return speed, ends if self.free_ends else ends[:, :0]

    def theta(self, map: Map) -> Tensor:
        speed, ends = self._profile(map)
        return torch.cat([self._shape(speed), ends], -1)

    def mean(self, map: Map) -> Map:
        """The map whose log speed is the mean log speed, as near as the family comes; arithmetic for the ends."""
        speed, ends = self._profile(map)
        mean = self.cells * speed.log().mean(0, keepdim=True).softmax(-1)
        return self.map(torch.cat([self._shape(mean), ends.mean(0, keepdim=True)], -1))

    def recentre(self, anchor: Map) -> MonotoneTime:
        """The family of centred maps: each is one of this family after which `anchor` is taken out; so is zero's."""
        return replace(
            self, anchor=tuple(replace(self, anchor=None).theta(anchor).flatten().tolist())
        )


def _product(outer: TimeMap, inner: TimeMap) -> TimeMap:
    product = outer.compose(inner)
    assert isinstance(product, TimeMap)
    return product
