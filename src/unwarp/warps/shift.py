"""Lags: a whole series is earlier or later, at unchanged speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.constants import constant
from unwarp.warps.maps import Map
from unwarp.warps.time import TimeWarp
from unwarp.warps.time_map import TimeMap
from unwarp.warps.warp import check_theta


@dataclass(frozen=True)
class TimeShift(TimeWarp):
    """Lags of whole series: `gamma(t) = t - theta`.

    Theta is the lag in lengths of the series; positive if the observation is later than the
    template. Theta of a product of lags is their sum. For any other map of time, theta is its mean
    lag.

    Attributes:
        reach: Largest lag that one stage predicts, in lengths of the series.
        sampling_rate: Samples per second, for summary columns in seconds; None for time steps.

    >>> import torch
    >>> warp = TimeShift(size=(101,), sampling_rate=50.0)
    >>> later = warp.map(torch.tensor([[0.1]]))
    >>> {f.name: round(float(v), 3) for f, v in warp.summary(later).items()}["lag_s"]
    0.2
    """

    name: ClassVar[str] = "time-shift"
    reach: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reach > 0:
            raise ConfigError(f"TimeShift: reach={self.reach} is not positive; give more than 0")

    @property
    def factors(self) -> tuple[Factor, ...]:
        """One column of theta: `lag`, in lengths of the series."""
        return (Factor("lag", "lengths", -self.reach, self.reach),)

    def map(self, theta: Tensor) -> TimeMap:
        """Lags with the parameters theta (N, 1), as lines with two knots."""
        check_theta(self, theta)
        # any two knots give a line, since a map of time has slope 1 outside them
        ends = torch.cat([torch.zeros_like(theta), torch.ones_like(theta)], -1)
        return TimeMap(ends, ends - theta)

    def theta(self, map: Map) -> Tensor:
        """The mean lag of a map over the observed time.

        Args:
            map: N maps of time.

        Returns:
            Theta (N, 1), in lengths of the series.
        """
        gamma = self._gamma(map)
        # the mean of t - gamma(t): t has mean 1/2, and gamma is linear on each cell
        return 0.5 - (gamma[:, 1:] + gamma[:, :-1]).mean(-1, keepdim=True) / 2

    def theta_of_ends(self, map: Map) -> Tensor:
        """Theta (N, 1): the mean lag of the ends of the template."""
        ends = map.push(constant((0.0, 1.0), map.reference)[:, None])
        return ends.mean(1) - 0.5

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the column `lag_s` or `lag_samples`.

        Args:
            columns: Columns (N,) by name; seconds if the warp has a sampling rate, else time steps.

        Returns:
            Theta (N, 1), in lengths of the series.

        Raises:
            ConfigError: The column is missing.
        """
        lag = f"lag_{self._time_unit}"
        if lag not in columns:
            raise ConfigError(f"column {lag} is missing; {self.name!r} needs it")
        return columns[lag][:, None] / self.duration
