"""Base classes of the warps of time.

The observed time is divided into equal parts, the cells. A family of `MonotoneTime` computes the
speed gamma' of each cell from theta, and theta from the speeds. All speeds are positive, so that
gamma is increasing; it is linear on each cell.

Convention:
    gamma is `pull`: from observed time to template time, both in [0, 1]. A speed above 1 means
    that the observation runs through its template faster. A positive lag means that the observation
    is later than its template.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.constants import constant, lazy_property
from unwarp.warps.maps import Map
from unwarp.warps.time_map import TimeMap
from unwarp.warps.warp import Warp, check_theta, log_slope_of_tanh
from unwarp.warps.window import Window

MIN_SPEED = 1e-3
"""Least speed gamma' that one stage predicts, so that maps stay invertible in float32."""

MIN_SPEED_OUTSIDE_FAMILY = MIN_SPEED / 10
"""Lower bound of the speeds of other maps, which may be slower, so that their logs are finite."""

MAX_LAG, MAX_TEMPO = 0.25, 1.5
"""Bounds for `free_ends`: the lag in lengths of the series, and the tempo as a factor of speed."""


@dataclass(frozen=True)
class TimeWarp(Warp):
    """Base of all families of time.

    It defines the grid of cells, the sampling rate and the summary columns. To add a family that
    changes speeds, derive `MonotoneTime`; derive this class for other maps of time (`TimeShift`).

    Attributes:
        size: Length (T,) of the series in time steps, which `bind` sets.
        cells: Number of equal parts of the observed time. `theta` and `summary` evaluate a map at
            their ends.
        sampling_rate: Samples per second, for summary columns in seconds; None for time steps.

    >>> from unwarp.warps import TimeShift
    >>> TimeShift(sampling_rate=10.0).bind((41,)).duration
    4.0
    """

    size: tuple[int, ...] = field(default=(2,), kw_only=True)
    cells: int = field(default=64, kw_only=True)
    sampling_rate: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        family = type(self).__name__
        if self.cells < 2:
            raise ConfigError(f"{family}: cells={self.cells} is too small; give 2 or more")
        if self.sampling_rate is not None and not self.sampling_rate > 0:
            raise ConfigError(
                f"{family}: sampling_rate={self.sampling_rate} is not positive; give samples per "
                "second, or None for columns in time steps"
            )

    @property
    def domain(self) -> str:
        """`series`."""
        return "series"

    @lazy_property
    def _half_ranges(self) -> tuple[float, ...]:
        return tuple(factor.half_range for factor in self.factors)

    def constrain(self, raw: Tensor) -> Tensor:
        """Bring real numbers into the ranges of `factors`.

        Args:
            raw: Outputs of a network, (N, P).

        Returns:
            Theta (N, P) as `half_range tanh(raw / half_range)`, of slope 1 at 0.
        """
        half_ranges = constant(self._half_ranges, raw)
        return half_ranges * torch.tanh(raw / half_ranges)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, P) of `tanh(raw / half_range)` at `raw` (N, P)."""
        half_ranges = constant(self._half_ranges, raw)
        return log_slope_of_tanh(raw / half_ranges) - half_ranges.log()

    @property
    def _time_unit(self) -> str:
        """The unit of time in the summary columns: `s`, or `samples` for time steps."""
        return "samples" if self.sampling_rate is None else "s"

    @property
    def duration(self) -> float:
        """Time from the first time step to the last, in seconds.

        Without a sampling rate the unit is time steps. It is at least one time step, so that no
        column is divided by 0.
        """
        return max(self.size[-1] - 1, 1) / (self.sampling_rate or 1.0)

    def _gamma(self, map: Map) -> Tensor:
        """Template times (N, cells + 1) at the ends of the cells."""
        return map.pull(Window.frame((self.cells + 1,)).lattice(map.reference))[..., 0]

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Lag, extreme speeds and acceleration.

        Args:
            map: N maps of time.

        Returns:
            Columns (N,): `lag_s` or `lag_samples` (mean of observed minus template time, positive
            if the observation is later), `speed_min` and `speed_max` (smallest and largest speed of
            a cell, as factors), and `acceleration` (largest change of speed between neighbouring
            cells, per second or per time step).
        """
        gamma, unit = self._gamma(map), self._time_unit
        # the mean of t - gamma(t): t has mean 1/2, and gamma is linear on each cell
        lag = 0.5 - (gamma[:, 1:] + gamma[:, :-1]).mean(-1) / 2
        speed = gamma.diff() * self.cells
        jump = speed.diff().abs().amax(-1) * self.cells
        span, limit = self.duration, self._max_speed
        return {
            Factor(f"lag_{unit}", unit, -span / 2, span / 2): lag * span,
            Factor("speed_min", "factor", 1 / limit, limit): speed.amin(-1),
            Factor("speed_max", "factor", 1 / limit, limit): speed.amax(-1),
            Factor("acceleration", f"1/{unit}", 0.0, limit * self.cells / span): jump / span,
        }

    @property
    def _max_speed(self) -> float:
        """Upper end of the range of the speed columns, for sliders and axes."""
        return 4.0


@dataclass(frozen=True)
class MonotoneTime(TimeWarp):
    """Base of the families that change the speed.

    Their maps are increasing functions of time. A family defines three private members:
    `_speed_factors` (the columns of theta), `_speed` (from theta to the speed of each cell) and
    `_theta_of_speed` (its inverse). The maps have gamma(0) = 0 and gamma(1) = 1 unless `free_ends`
    is set. They are piecewise linear, so that their inverses and products are exact. Products are
    in general not in the family; their theta is that of a similar map of the family.

    Attributes:
        cells: Number of equal parts of the observed time, each with a constant speed.
        sampling_rate: Samples per second, for summary columns in seconds; None for time steps.
        free_ends: Whether an observation may begin and end at other template times than 0 and 1, as
            recordings that are cut do. It adds the columns `lag` (at most a quarter of the series)
            and `log_tempo` (at most a factor of 1.5) to theta.
        anchor: Theta of the anchor, the mean deformation that centring removes from all maps;
            `recentre` sets it. None without centring.

    >>> import torch
    >>> from unwarp.warps import CosineTime
    >>> gamma = CosineTime().sample(3, torch.Generator().manual_seed(0))
    >>> times = torch.linspace(0, 1, 9)[:, None]
    >>> bool((gamma.pull(times).diff(dim=1) > 0).all())
    True
    """

    free_ends: bool = field(default=False, kw_only=True)
    anchor: tuple[float, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.anchor is not None and not self.anchor:
            raise ConfigError(
                f"{type(self).__name__}: anchor={self.anchor} is no theta; give one number for "
                "each factor, or None"
            )

    @property
    @abstractmethod
    def _speed_factors(self) -> tuple[Factor, ...]:
        """The columns of theta that determine the speed."""

    @abstractmethod
    def _speed(self, theta: Tensor) -> Tensor:
        """Speed on each cell (N, cells), mean 1 in each row, from the `_speed_factors` columns."""

    @abstractmethod
    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        """The `_speed_factors` columns for `speed` (N, cells), approximate outside the family."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Columns that determine the speed, then `lag` and `log_tempo` with `free_ends`."""
        limit = math.log(MAX_TEMPO)
        ends = (
            Factor("lag", "lengths", -MAX_LAG, MAX_LAG),
            Factor("log_tempo", "log factor", -limit, limit),
        )
        return self._speed_factors + (ends if self.free_ends else ())

    @property
    def has_fixed_ends(self) -> bool:
        """Whether all maps have gamma(0) = 0 and gamma(1) = 1."""
        return not self.free_ends and self.anchor is None

    def map(self, theta: Tensor) -> TimeMap:
        """The maps with the parameters theta: gamma integrates the speed.

        With `free_ends`, it becomes (gamma - 1/2) exp(log_tempo) + 1/2 - lag.

        Args:
            theta: Parameters (N, P).

        Returns:
            N maps; if there is an anchor, each is multiplied by the inverse of the anchor.
        """
        check_theta(self, theta)
        n_speed = len(self._speed_factors)
        speed, ends = self._speed(theta[:, :n_speed]), theta[:, n_speed:]
        zero = speed.new_zeros(len(speed), 1)
        # the last value is 1 exactly: a sum of all speeds would have a rounding error
        gamma = torch.cat([zero, speed[:, :-1].cumsum(-1) / self.cells, zero + 1], -1)
        if self.free_ends:
            gamma = (gamma - 0.5) * ends[:, 1:].exp() + 0.5 - ends[:, :1]
        map = TimeMap(Window.frame((self.cells + 1,)).lattice(gamma).mT.expand_as(gamma), gamma)
        return map if self.anchor is None else _product(map, self._anchor_map(theta).invert())

    def _anchor_map(self, like: Tensor) -> TimeMap:
        """The anchor as a map of one row, with the dtype and the device of `like`."""
        return replace(self, anchor=None).map(like.new_tensor(self.anchor)[None])

    def _speed_and_ends(self, map: Map) -> tuple[Tensor, Tensor]:
        """Speeds with mean 1 (N, cells), and lag and log tempo (N, 2); (N, 0) if ends are fixed."""
        if self.anchor is not None:
            # theta describes the map before centring, so that the anchor is multiplied back
            map = map.compose(self._anchor_map(map.reference))
        gamma = self._gamma(map)
        start, end = gamma[:, :1], gamma[:, -1:]
        tempo = end - start
        speed = (gamma.diff() * self.cells / tempo).clamp_min(MIN_SPEED_OUTSIDE_FAMILY)
        ends = torch.cat([0.5 - (start + end) / 2, tempo.log()], -1)
        return speed, ends if self.free_ends else ends[:, :0]

    def theta(self, map: Map) -> Tensor:
        """Parameters of maps: exact for maps of the family, else an approximation.

        Args:
            map: N maps of time; centred ones if there is an anchor.

        Returns:
            Theta (N, P).
        """
        speed, ends = self._speed_and_ends(map)
        return torch.cat([self._theta_of_speed(speed), ends], -1)

    def mean(self, map: Map) -> Map:
        """The mean deformation: the geometric mean of the speeds.

        The mean is normalised to a mean speed of 1 and approximated by a map of the family. The
        columns `lag` and `log_tempo` of free ends have arithmetic means.

        Args:
            map: N maps of time.

        Returns:
            A map of one row.
        """
        speed, ends = self._speed_and_ends(map)
        mean = self.cells * speed.log().mean(0, keepdim=True).softmax(-1)
        return self.map(torch.cat([self._theta_of_speed(mean), ends.mean(0, keepdim=True)], -1))

    def recentre(self, anchor: Map) -> MonotoneTime:
        """The family of centred maps, which stores the anchor.

        These families are not closed under products, so that centred maps are not in the family.
        The copy stores the theta of the anchor: its `map` removes the anchor from each map, and its
        `theta` multiplies it back first. The columns of theta stay the same.

        Args:
            anchor: The mean deformation of the training samples, one row.

        Returns:
            A copy with this anchor, in place of an earlier one.
        """
        return replace(
            self, anchor=tuple(replace(self, anchor=None).theta(anchor).flatten().tolist())
        )


def _product(outer: TimeMap, inner: TimeMap) -> TimeMap:
    """The product of two maps of time, which is a `TimeMap` (`compose` only promises a `Map`)."""
    product = outer.compose(inner)
    assert isinstance(product, TimeMap)
    return product
