"""Smooth speeds of time as a sum of cosines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import SLOWEST, MonotoneTime


@dataclass(frozen=True)
class CosineTime(MonotoneTime):
    """Smooth log speed: log gamma' = bound tanh(sum_k theta_k cos(pi k t) / sqrt(k) / bound), less its normaliser.

    Attributes:
        waves: Number of cosines, which is the size of theta.
        bound: Largest log speed before normalisation, for any theta; speeds differ by a factor of exp(2 bound) at most.
        reach: Range of the first column; column k reaches `reach` / sqrt(k), so that random draws are smooth.
    """

    name: ClassVar[str] = "time"
    waves: int = 16
    bound: float = 2.5
    reach: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.waves < self.cells:
            raise ConfigError(
                f"CosineTime: waves={self.waves} must lie within 1 and cells - 1 = {self.cells - 1}"
            )
        if not 0 < self.bound <= -math.log(SLOWEST) / 2:
            raise ConfigError(
                f"CosineTime: bound={self.bound} must lie in (0, {-math.log(SLOWEST) / 2:.2f}]"
            )
        if not self.reach > 0:
            raise ConfigError(f"CosineTime: reach={self.reach} must be positive")

    @property
    def _columns(self) -> tuple[Factor, ...]:
        reaches = [self.reach / math.sqrt(k) for k in range(1, self.waves + 1)]
        return tuple(Factor(f"wave_{k}", "log factor", -r, r) for k, r in enumerate(reaches, 1))

    @property
    def _fastest(self) -> float:
        return math.exp(self.bound)

    def _basis(self, like: Tensor) -> Tensor:
        """Cosines over sqrt(k) at the middle of each cell (waves, cells), where they are orthogonal."""
        k = torch.arange(1, self.waves + 1, dtype=like.dtype, device=like.device)[:, None]
        middle = (torch.arange(self.cells, dtype=like.dtype, device=like.device) + 0.5) / self.cells
        return torch.cos(math.pi * k * middle) / k.sqrt()

    def _speed(self, theta: Tensor) -> Tensor:
        level = self.bound * torch.tanh(theta @ self._basis(theta) / self.bound)
        return self.cells * level.softmax(-1)

    def _shape(self, speed: Tensor) -> Tensor:
        wave = self.bound * torch.atanh(unnormalised(speed.log() / self.bound))
        basis = self._basis(speed)
        return wave @ (basis / basis.square().sum(-1, keepdim=True)).mT


def unnormalised(level: Tensor) -> Tensor:
    """Shift each row of `level` (N, M) such that the inverse hyperbolic tangents of the row have mean 0.

    Rows that no shift brings into (-1, 1) are shrunk about their middle. Newton's method on the logit of the shift's place
    between its bounds, where the poles of the tangents are nearly straight; the last line adds nothing but the
    derivatives (the implicit function theorem).
    """
    low, high = level.amin(-1, keepdim=True), level.amax(-1, keepdim=True)
    middle, half = (low + high) / 2, (high - low) / 2
    level = (level - middle) * (0.99 / half.clamp_min(0.99))
    with torch.no_grad():
        least = -1 - level.amin(-1, keepdim=True)
        width = 1 - level.amax(-1, keepdim=True) - least
        logit = torch.zeros_like(least)
        for _ in range(12):
            z, bend = (
                level + least + width * logit.sigmoid(),
                width * logit.sigmoid() * (-logit).sigmoid(),
            )
            logit -= torch.atanh(z).mean(-1, keepdim=True) / (
                bend * (1 / (1 - z * z)).mean(-1, keepdim=True)
            )
            logit.clamp_(-9, 9)
        shift = least + width * logit.sigmoid()
    z = level + shift
    slope = (1 / (1 - z * z)).mean(-1, keepdim=True).detach()
    mean = torch.atanh(z).mean(-1, keepdim=True)
    return z - (mean - mean.detach()) / slope
