"""Warps of time with a free speed on each cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import MIN_SPEED, MonotoneTime


@dataclass(frozen=True)
class SoftmaxTime(MonotoneTime):
    """Piecewise-linear warps with a softmax of log speeds.

    `gamma' = e + (1 - e) K softmax(theta_1, ..., theta_{K-1}, 0)_i` on cell i of K, with
    e = `MIN_SPEED`. Theta_i is the log speed of cell i relative to the last cell. Use it for speeds
    that change abruptly. Theta is exact for maps of the family. For any other map, such as a
    product of two maps, theta describes the mean speed of each cell.

    Attributes:
        cells: Number K of cells; theta has K - 1 columns.
        reach: Largest log speed relative to the last cell.

    >>> import math, torch
    >>> double = SoftmaxTime(cells=2).map(torch.tensor([[math.log(2.0)]]))
    >>> round(float(double.pull(torch.tensor([[0.5]]))), 3)  # two thirds of the template
    0.667
    """

    name: ClassVar[str] = "time-softmax"
    cells: int = field(default=16, kw_only=True)
    reach: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reach > 0:
            raise ConfigError(f"SoftmaxTime: reach={self.reach} is not positive; give more than 0")

    @property
    def _speed_factors(self) -> tuple[Factor, ...]:
        return tuple(
            Factor(f"cell_{i}", "log factor", -self.reach, self.reach) for i in range(1, self.cells)
        )

    def _speed(self, theta: Tensor) -> Tensor:
        return _shares_to_speed(F.pad(theta, (0, 1)).softmax(-1))

    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        log_share = _speed_to_shares(speed).log()
        return log_share[:, :-1] - log_share[:, -1:]


@dataclass(frozen=True)
class SquareTime(MonotoneTime):
    """Piecewise-linear warps with speeds as normalised squares.

    `gamma' = e + (1 - e) K v_i^2 / sum_j v_j^2` on cell i of K, with `v_i = 1 + theta_i`, v = 1 on
    the last cell, and e = `MIN_SPEED`. Up to its scale, v is the square-root velocity
    `sqrt(gamma')` of elastic shape analysis (Srivastava, Klassen, Joshi and Jermyn 2011). The
    parametrisation is that of Koneripalli, Lohit, Anirudh and Turaga (2020), Rate-invariant
    autoencoding of time-series, who leave the scale of v free. Theta is exact for maps of the
    family. For any other map, such as a product of two maps, theta describes the mean speed of each
    cell.

    Attributes:
        cells: Number K of cells; theta has K - 1 columns.
        reach: Largest change of v, below 1, so that v is positive.

    >>> import torch
    >>> warp = SquareTime(cells=2)
    >>> theta = warp.theta(warp.map(torch.tensor([[0.5]])))
    >>> round(float(theta), 3)
    0.5
    """

    name: ClassVar[str] = "time-square"
    cells: int = field(default=16, kw_only=True)
    reach: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.reach < 1:
            raise ConfigError(
                f"SquareTime: reach={self.reach} is out of range; give a number above 0 and below "
                "1, so that 1 + theta is positive"
            )

    @property
    def _speed_factors(self) -> tuple[Factor, ...]:
        return tuple(Factor(f"cell_{i}", "", -self.reach, self.reach) for i in range(1, self.cells))

    def _speed(self, theta: Tensor) -> Tensor:
        square = F.pad(theta, (0, 1)).add(1).square()
        return _shares_to_speed(square / square.sum(-1, keepdim=True))

    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        root = _speed_to_shares(speed).sqrt()
        return root[:, :-1] / root[:, -1:] - 1


def _shares_to_speed(shares: Tensor) -> Tensor:
    """Speeds (N, K) from each cell's share of the template's time (N, K); `MIN_SPEED` or more."""
    return MIN_SPEED + (1 - MIN_SPEED) * shares.shape[-1] * shares


def _speed_to_shares(speed: Tensor) -> Tensor:
    """Positive shares (N, K) up to a common factor: inverts `_shares_to_speed`."""
    # maps outside the family may be slower than MIN_SPEED, but logs need positive shares
    return (speed - MIN_SPEED).clamp_min(MIN_SPEED / 10)
