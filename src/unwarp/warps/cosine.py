"""Warps of time with a bounded sum of cosines as log speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.constants import cache_tensors
from unwarp.warps.time import MIN_SPEED, MonotoneTime

NEWTON_STEPS = 12
"""Steps of Newton's method in `restore_constant`."""

MAX_LOGIT = 9.0
"""Largest logit in Newton's method, so that its sigmoid is below 1 in float32."""


@dataclass(frozen=True)
class CosineTime(MonotoneTime):
    """Smooth monotone warps, the default warp of time.

    With `w(t) = sum_k theta_k cos(pi k t) / sqrt(k)`, the log speed is
    `log gamma'(t) = b tanh(w(t) / b) - c`, and the constant c makes gamma end at 1. The hyperbolic
    tangent bounds the speed for any theta. The weights 1 / sqrt(k) and the half-ranges
    `reach / sqrt(k)` make random warps smooth. Theta is exact for maps of the family. For any other
    map, such as a product of two maps, it is the least-squares fit of w.

    Attributes:
        waves: Number of cosines, each with a column of theta; less than `cells`.
        bound: Bound b of the log speed before c is subtracted. The largest and the smallest speed
            of a warp differ by a factor of at most exp(2 b).
        reach: Half-range of the first column; column k has the half-range reach / sqrt(k).

    >>> import torch
    >>> warp = CosineTime(waves=1, size=(101,))
    >>> slow_start = warp.map(torch.tensor([[-1.0]]))
    >>> columns = {f.name: float(v) for f, v in warp.summary(slow_start).items()}
    >>> columns["lag_samples"] > 0 and columns["speed_min"] < 1 < columns["speed_max"]
    True
    """

    name: ClassVar[str] = "time"
    waves: int = 16
    bound: float = 2.5
    reach: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.waves < self.cells:
            raise ConfigError(
                f"CosineTime: waves={self.waves} is out of range; give 1 to {self.cells - 1}, "
                f"fewer than cells={self.cells}"
            )
        if not 0 < self.bound <= -math.log(MIN_SPEED) / 2:
            raise ConfigError(
                f"CosineTime: bound={self.bound} is out of range; give a log speed above 0 and at "
                f"most {-math.log(MIN_SPEED) / 2:.2f}"
            )
        if not self.reach > 0:
            raise ConfigError(f"CosineTime: reach={self.reach} is not positive; give more than 0")

    @property
    def _speed_factors(self) -> tuple[Factor, ...]:
        reaches = [self.reach / math.sqrt(k) for k in range(1, self.waves + 1)]
        return tuple(Factor(f"wave_{k}", "log factor", -r, r) for k, r in enumerate(reaches, 1))

    @property
    def _max_speed(self) -> float:
        return math.exp(self.bound)

    def _speed(self, theta: Tensor) -> Tensor:
        # the softmax over the cells makes their mean speed 1: it subtracts the constant c
        log_speed = self.bound * torch.tanh(
            theta @ _cosines(self.waves, self.cells, theta) / self.bound
        )
        return self.cells * log_speed.softmax(-1)

    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        # the log speed is b tanh(w / b) - c: restore the constant c, then invert tanh
        wave = self.bound * torch.atanh(restore_constant(speed.log() / self.bound))
        # the cosines are orthogonal on the cells, so that each coefficient is a separate projection
        return wave @ _projections(self.waves, self.cells, speed)


@cache_tensors
def _cosines(waves: int, cells: int, like: Tensor) -> Tensor:
    """cos(pi k t) / sqrt(k) at the middles of the cells (waves, cells): orthogonal, mean 0."""
    k = torch.arange(1, waves + 1, dtype=like.dtype, device=like.device)[:, None]
    middle = (torch.arange(cells, dtype=like.dtype, device=like.device) + 0.5) / cells
    return torch.cos(math.pi * k * middle) / k.sqrt()


@cache_tensors
def _projections(waves: int, cells: int, like: Tensor) -> Tensor:
    """Weights (cells, waves) that give the coefficients of the cosines of a function."""
    basis = _cosines(waves, cells, like)
    return (basis / basis.square().sum(-1, keepdim=True)).mT.contiguous()


def restore_constant(values: Tensor) -> Tensor:
    """Add a constant to each row that makes its mean atanh 0.

    It recovers `tanh(w)` from `tanh(w) - c` for any w of mean 0, such as a sum of cosines. Newton's
    method solves for the constant, and the implicit function theorem gives its gradient.

    Args:
        values: Rows `tanh(w) - c` (N, M), with a constant c for each row. A row with a range above
            1.98, which does not fit into (-1, 1), is first shrunk about its middle.

    Returns:
        Rows (N, M) in (-1, 1), differentiable in `values`.
    """
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    middle, half_width = (low + high) / 2, (high - low) / 2
    values = (values - middle) * (0.99 / half_width.clamp_min(0.99))
    z = values + _solve_constant(values)
    slope = (1 / (1 - z * z)).mean(-1, keepdim=True).detach()
    mean = torch.atanh(z).mean(-1, keepdim=True)
    # mean - mean.detach() is 0: it changes no value but adds the gradient of the constant
    return z - (mean - mean.detach()) / slope


@torch.no_grad()
def _solve_constant(values: Tensor) -> Tensor:
    """The constant (N, 1) for `restore_constant`, by Newton's method.

    The values plus the constant must stay in (-1, 1), which bounds the constant. The unknown is the
    logit of its position between the two bounds: the mean of atanh is infinite at the bounds, but
    nearly linear in the logit.
    """
    lowest_constant = -1 - values.amin(-1, keepdim=True)
    width = 1 - values.amax(-1, keepdim=True) - lowest_constant
    logit = torch.zeros_like(lowest_constant)
    for _ in range(NEWTON_STEPS):
        z = values + lowest_constant + width * logit.sigmoid()
        derivative = width * logit.sigmoid() * (-logit).sigmoid()
        logit -= torch.atanh(z).mean(-1, keepdim=True) / (
            derivative * (1 / (1 - z * z)).mean(-1, keepdim=True)
        )
        # this keeps z inside (-1, 1): atanh is infinite at -1 and 1
        logit.clamp_(-MAX_LOGIT, MAX_LOGIT)
    return lowest_constant + width * logit.sigmoid()
