"""The same thing, only earlier or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.maps import Map
from unwarp.warps.time import _Temporal
from unwarp.warps.time_map import TimeMap


@dataclass(frozen=True)
class TimeShift(_Temporal):
    """The same thing, only earlier or later: theta is the lag in lengths of the series.

    Attributes:
        reach: Largest lag, in lengths of the series.
        sampling_rate: Samples a second, for columns in seconds; None: columns in samples.

    >>> import torch
    >>> shift = TimeShift(size=(101,), sampling_rate=50.0)
    >>> {f.name: round(float(v), 3) for f, v in shift.summary(shift.map(torch.tensor([[0.1]]))).items()}["lag_s"]
    0.2
    """

    name: ClassVar[str] = "time-shift"
    reach: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reach > 0:
            raise ConfigError(f"TimeShift: reach={self.reach} must be positive")

    @property
    def factors(self) -> tuple[Factor, ...]:
        return (Factor("lag", "lengths", -self.reach, self.reach),)

    def map(self, theta: Tensor) -> TimeMap:
        ends = torch.cat([torch.zeros_like(theta), torch.ones_like(theta)], -1)
        return TimeMap(ends, ends - theta)

    def theta(self, map: Map) -> Tensor:
        gamma = self._gamma(map)
        return 0.5 - (gamma[:, 1:] + gamma[:, :-1]).mean(-1, keepdim=True) / 2

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        lag = f"lag_{self._clock}"
        if lag not in columns:
            raise ConfigError(f"column {lag} is missing; {self.name!r} needs it")
        return columns[lag][:, None] / self.duration
