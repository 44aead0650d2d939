"""Lags and tempos: a series is later, and hurried or slowed."""

from __future__ import annotations

import math
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

MARGIN = 4.0
"""Lengths of a series before and after it up to which a map keeps its tempo."""

MIN_TEMPO = 1e-6
"""Least tempo of any other map of time, so that its logarithm is finite."""


@dataclass(frozen=True)
class TimeAffine(TimeWarp):
    """Lags and tempos of whole series.

    The maps are the lines `gamma(t) = (t - 1/2) tempo + 1/2 - lag`. A tempo above 1 means that the
    observation runs through its template faster: it is hurried. The lag is that of the middle of
    the observation, in lengths of the series; positive if the observation is later. What an
    observation shows beyond the ends of its template is cut off, and so are the ends of a template
    that it does not show. Products and inverses are in the family.

    Attributes:
        reach: Largest lag that one stage predicts, in lengths of the series.
        max_tempo: Largest tempo that one stage predicts, a factor above 1; the least one is its
            inverse.
        sampling_rate: Samples per second, for summary columns in seconds; None for time steps.

    >>> import torch
    >>> warp = TimeAffine(size=(101,))
    >>> hurried = warp.map(torch.tensor([[0.1, 0.2]]))
    >>> {f.name: round(float(v), 2) for f, v in warp.summary(hurried).items()}
    {'lag_samples': 10.0, 'tempo': 1.22}
    """

    name: ClassVar[str] = "time-affine"
    reach: float = 0.25
    max_tempo: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reach > 0:
            raise ConfigError(f"TimeAffine: reach={self.reach} is not positive; give more than 0")
        if not self.max_tempo > 1:
            raise ConfigError(
                f"TimeAffine: max_tempo={self.max_tempo} is not above 1; give a factor above 1"
            )

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Columns of theta: `lag` in lengths of the series, and `log_tempo`."""
        limit = math.log(self.max_tempo)
        return (
            Factor("lag", "lengths", -self.reach, self.reach),
            Factor("log_tempo", "log factor", -limit, limit),
        )

    def map(self, theta: Tensor) -> TimeMap:
        """Lags and tempos with the parameters theta (N, 2), as lines."""
        check_theta(self, theta)
        lag, tempo = theta[:, :1], theta[:, 1:].exp()
        half = constant((-0.5 - MARGIN, 0.5 + MARGIN), theta)
        # a map of time has slope 1 outside its knots, so that they are far outside the series
        return TimeMap((half + 0.5).expand(len(theta), -1), half * tempo + 0.5 - lag)

    def theta(self, map: Map) -> Tensor:
        """The mean lag and tempo of a map over the observed time.

        Args:
            map: N maps of time.

        Returns:
            Theta (N, 2).
        """
        gamma = self._gamma(map)
        # the mean of t - gamma(t): t has mean 1/2, and gamma is linear on each cell
        lag = 0.5 - (gamma[:, 1:] + gamma[:, :-1]).mean(-1, keepdim=True) / 2
        tempo = (gamma[:, -1:] - gamma[:, :1]).clamp_min(MIN_TEMPO)
        return torch.cat([lag, tempo.log()], -1)

    def theta_of_ends(self, map: Map) -> Tensor:
        """Theta (N, 2) of the line that moves the ends alike."""
        ends = map.push(constant((0.0, 1.0), map.reference)[:, None])[..., 0]
        tempo = 1 / (ends[:, 1:] - ends[:, :1]).clamp_min(MIN_TEMPO)
        return torch.cat([(ends.mean(1, keepdim=True) - 0.5) * tempo, tempo.log()], -1)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Lag and tempo.

        Args:
            map: N maps of time.

        Returns:
            Columns (N,): `lag_s` or `lag_samples`, positive if the observation is later, and
            `tempo`, a factor above 1 if it is hurried.
        """
        lag, log_tempo = self.theta(map).unbind(-1)
        unit, span = self._time_unit, self.duration
        return {
            Factor(f"lag_{unit}", unit, -span / 2, span / 2): lag * span,
            Factor("tempo", "factor", 1 / self.max_tempo, self.max_tempo): log_tempo.exp(),
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the columns `lag_s` or `lag_samples`, and `tempo`.

        Args:
            columns: Columns (N,) by name; seconds if the warp has a sampling rate, else time steps.

        Returns:
            Theta (N, 2).

        Raises:
            ConfigError: A column is missing.
        """
        names = (f"lag_{self._time_unit}", "tempo")
        if missing := [name for name in names if name not in columns]:
            raise ConfigError(f"column {missing[0]} is missing; {self.name!r} needs it")
        lag, tempo = (columns[name] for name in names)
        return torch.stack([lag / self.duration, tempo.log()], -1)
