"""Monotone deformations of time with one free speed a cell: normalised sums of exponentials or of squares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import SLOWEST, MonotoneTime


@dataclass(frozen=True)
class SoftmaxTime(MonotoneTime):
    """Speeds as a softmax of logits; theta holds the log speed of every cell but the last, relative to the last.

    Attributes:
        reach: Largest log speed relative to the last cell.
    """

    name: ClassVar[str] = "time-softmax"
    cells: int = field(default=16, kw_only=True)
    reach: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reach > 0:
            raise ConfigError(f"SoftmaxTime: reach={self.reach} must be positive")

    @property
    def _columns(self) -> tuple[Factor, ...]:
        return tuple(
            Factor(f"cell_{i}", "log factor", -self.reach, self.reach) for i in range(1, self.cells)
        )

    def _speed(self, theta: Tensor) -> Tensor:
        return _lift(F.pad(theta, (0, 1)).softmax(-1))

    def _shape(self, speed: Tensor) -> Tensor:
        log = _drop(speed).log()
        return log[:, :-1] - log[:, -1:]


@dataclass(frozen=True)
class SquareTime(MonotoneTime):
    """Speeds as normalised squares v^2 / sum v^2, with v = 1 + theta on every cell but the last, where v = 1.

    Koneripalli, Lohit, Anirudh and Turaga 2020, Rate-invariant autoencoding of time-series; theirs leaves the scale of v free.

    Attributes:
        reach: Largest change of v, below 1.
    """

    name: ClassVar[str] = "time-square"
    cells: int = field(default=16, kw_only=True)
    reach: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.reach < 1:
            raise ConfigError(
                f"SquareTime: reach={self.reach} must lie in (0, 1), or squares would lose a sign"
            )

    @property
    def _columns(self) -> tuple[Factor, ...]:
        return tuple(Factor(f"cell_{i}", "", -self.reach, self.reach) for i in range(1, self.cells))

    def _speed(self, theta: Tensor) -> Tensor:
        square = F.pad(theta, (0, 1)).add(1).square()
        return _lift(square / square.sum(-1, keepdim=True))

    def _shape(self, speed: Tensor) -> Tensor:
        root = _drop(speed).sqrt()
        return root[:, :-1] / root[:, -1:] - 1


def _lift(share: Tensor) -> Tensor:
    """Shares of time (N, K) as speeds, none below `SLOWEST`."""
    return SLOWEST + (1 - SLOWEST) * share.shape[-1] * share


def _drop(speed: Tensor) -> Tensor:
    """What `_lift` raised, up to a factor."""
    return (speed - SLOWEST).clamp_min(SLOWEST / 10)
