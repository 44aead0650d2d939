"""Monotone deformations of time by rational-quadratic splines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import SLOWEST, MonotoneTime


@dataclass(frozen=True)
class SplineTime(MonotoneTime):
    """A monotone rational-quadratic spline: theta holds log heights of the bins, then log speeds at the knots.

    Gregory and Delbourgo 1982, as in Durkan, Bekasov, Murray and Papamakarios 2019, Neural spline flows. Here the bins are
    equally wide, the speeds at both ends are free, and the heights are relative to the last bin.

    Attributes:
        bins: Number of bins, which divides `cells`; theta has 2 `bins` columns.
        reach: Largest log height and log speed.
    """

    name: ClassVar[str] = "time-spline"
    bins: int = 8
    reach: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bins < 2 or self.cells % self.bins or self.cells < 4 * self.bins:
            raise ConfigError(
                f"SplineTime: cells={self.cells} must be a multiple, 4 or more, of bins={self.bins} >= 2"
            )
        if not self.reach > 0:
            raise ConfigError(f"SplineTime: reach={self.reach} must be positive")

    @property
    def _columns(self) -> tuple[Factor, ...]:
        names = [f"height_{i}" for i in range(1, self.bins)] + [
            f"speed_{i}" for i in range(self.bins + 1)
        ]
        return tuple(Factor(name, "log factor", -self.reach, self.reach) for name in names)

    def _inside(self, like: Tensor) -> Tensor:
        """Places of the cells' ends in each bin, from 1 / m to 1 (m cells a bin)."""
        m = self.cells // self.bins
        return torch.arange(1, m + 1, dtype=like.dtype, device=like.device) / m

    def _speed(self, theta: Tensor) -> Tensor:
        height = F.pad(theta[:, : self.bins - 1], (0, 1)).softmax(-1)[..., None]
        speed = theta[:, self.bins - 1 :].exp()
        first, last = speed[:, :-1, None], speed[:, 1:, None]
        at, mean = self._inside(theta), height * self.bins
        both = at * (1 - at)
        risen = (mean * at.square() + first * both) / (mean + (first + last - 2 * mean) * both)
        return (F.pad(risen, (1, 0)).diff() * height).flatten(1) * self.cells

    def _shape(self, speed: Tensor) -> Tensor:
        rise = speed.reshape(len(speed), self.bins, -1).cumsum(-1) / self.cells
        height = rise[..., -1:]
        log = height[..., 0].log()
        return torch.cat(
            [log[:, :-1] - log[:, -1:], self._knot_speeds(rise / height, height * self.bins).log()],
            -1,
        )

    def _knot_speeds(self, risen: Tensor, mean: Tensor) -> Tensor:
        """Speeds at the knots (N, bins + 1) by least squares, in which the spline's equation is linear.

        Args:
            risen: Shares of each bin's height at its cells' ends, (N, bins, m).
            mean: Mean speed of each bin, (N, bins, 1).
        """
        at = self._inside(risen)[:-1]
        y, both = risen[..., :-1], at * (1 - at)
        left, right = (y - 1) * both / mean, y * both / mean
        known = at.square() - y + 2 * y * both
        diagonal = F.pad(left.square().sum(-1), (0, 1)) + F.pad(right.square().sum(-1), (1, 0))
        beside = (left * right).sum(-1)
        normal = diagonal.diag_embed() + beside.diag_embed(1) + beside.diag_embed(-1)
        moment = F.pad((left * known).sum(-1), (0, 1)) + F.pad((right * known).sum(-1), (1, 0))
        speed: Tensor = torch.linalg.solve(normal, moment)
        return speed.clamp_min(SLOWEST)
