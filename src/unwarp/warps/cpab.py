"""Monotone deformations of time as flows of continuous piecewise-affine velocities (CPAB), in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import MonotoneTime


@dataclass(frozen=True)
class CpabTime(MonotoneTime):
    """gamma(t) is where t has flown after unit time in a velocity that is linear between knots and 0 at both ends.

    Freifeld, Hauberg, Batmanghelich and Fisher 2017, Transformations based on continuous piecewise-affine velocity
    fields. Theta holds the velocity at the inner knots; theirs are coordinates in an orthonormal basis of the same fields.

    Attributes:
        pieces: Equal parts on which the velocity is affine; twice as many divide `cells`.
        reach: Largest velocity at a knot, in lengths of the series.
    """

    name: ClassVar[str] = "time-cpab"
    pieces: int = 8
    reach: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pieces < 2 or self.cells % (2 * self.pieces):
            raise ConfigError(
                f"CpabTime: cells={self.cells} must be a multiple of twice pieces={self.pieces} >= 2"
            )
        if not self.reach > 0:
            raise ConfigError(f"CpabTime: reach={self.reach} must be positive")

    @property
    def _columns(self) -> tuple[Factor, ...]:
        names = [f"velocity_{i}" for i in range(1, self.pieces)]
        return tuple(Factor(name, "lengths", -self.reach, self.reach) for name in names)

    def _speed(self, theta: Tensor) -> Tensor:
        start = torch.arange(self.cells + 1, dtype=theta.dtype, device=theta.device) / self.cells
        return flow(F.pad(theta, (1, 1)), start.expand(len(theta), -1)).diff() * self.cells

    def _shape(self, speed: Tensor) -> Tensor:
        """The velocities that carry the knots and the middles between them nearest to where gamma does.

        Levenberg's and Marquardt's least squares; the last line adds nothing but the derivatives, those of Gauss and
        Newton, which are exact for maps of this family.
        """
        goal = (
            speed.reshape(len(speed), 2 * self.pieces, -1).sum(-1).cumsum(-1)[:, :-1] / self.cells
        )
        fixed = goal.detach()
        theta = (fixed - self._tracked(goal))[:, 1::2]
        end, slope = self._flown(theta)
        damping = torch.full_like(theta[:, :1], 1e-4)
        for _ in range(20):
            step = _damped(slope, fixed - end, damping)
            then, steeper = self._flown(theta + step)
            better = (fixed - then).square().sum(-1, keepdim=True) < (fixed - end).square().sum(
                -1, keepdim=True
            )
            theta, end = torch.where(better, theta + step, theta), torch.where(better, then, end)
            slope = torch.where(better[..., None], steeper, slope)
            damping = torch.where(better, damping / 100, damping * 10).clamp(1e-14, 1e4)
            if (step.abs() < torch.finfo(step.dtype).eps ** 0.75).all():
                break
        return theta + _damped(slope, goal - fixed, torch.zeros_like(damping))

    def _tracked(self, like: Tensor) -> Tensor:
        """The knots and the middles between them, without the ends."""
        half = 2 * self.pieces
        return torch.arange(1, half, dtype=like.dtype, device=like.device) / half

    def _flown(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Where the tracked points end (N, M), and the derivatives by theta (N, M, K - 1)."""
        start = self._tracked(theta)
        with torch.enable_grad():
            each = theta.detach().repeat_interleave(len(start), 0).requires_grad_()
            end = flow(F.pad(each, (1, 1)), start.repeat(len(theta))[:, None])
            (slope,) = torch.autograd.grad(end.sum(), each)
        return end.detach().reshape(len(theta), -1), slope.reshape(len(theta), len(start), -1)


def _damped(slope: Tensor, miss: Tensor, damping: Tensor) -> Tensor:
    """The step (N, P) that mends `miss` (N, M) to first order, with `damping` (N, 1) relative to the curvature."""
    normal = slope.mT @ slope
    normal = normal + (damping * normal.diagonal(dim1=-2, dim2=-1)).diag_embed()
    step: Tensor = torch.linalg.solve(normal, (slope.mT @ miss[..., None])[..., 0])
    return step


def flow(velocity: Tensor, start: Tensor) -> Tensor:
    """Where points of [0, 1] are after unit time in velocities that are linear between equidistant knots.

    Args:
        velocity: Velocity at the knots (N, K + 1), 0 at the first and the last.
        start: Points (N, P).
    """
    pieces = velocity.shape[1] - 1
    piece = (start * pieces).long().clamp(0, pieces - 1)
    at, left = start, torch.ones_like(start)
    for _ in range(pieces + 1):
        first, last = velocity.gather(1, piece), velocity.gather(1, piece + 1)
        slope = (last - first) * pieces
        now = first + slope * (at - piece / pieces)
        ahead = now > 0
        edge, there = (piece + ahead.long()) / pieces, torch.where(ahead, last, first)
        leaves = now * there > 0
        now_safe = torch.where(leaves, now, 1.0)
        growth = torch.where(leaves, there, 1.0) / now_safe - 1
        hit = torch.where(leaves, (edge - at) / now_safe * _log1p_over(growth), 2.0)
        leaves = hit < left
        at = torch.where(leaves, edge, at + now * left * _expm1_over(slope * left))
        left = torch.where(leaves, left - hit, 0.0)
        piece = (piece + torch.where(leaves, 2 * ahead.long() - 1, 0)).clamp(0, pieces - 1)
    return at


def _log1p_over(r: Tensor) -> Tensor:
    """log(1 + r) / r, also near 0."""
    small = r.abs() < 1e-3
    safe = torch.where(small, 1.0, r)
    return torch.where(small, 1 - r / 2 + r**2 / 3 - r**3 / 4 + r**4 / 5, torch.log1p(safe) / safe)


def _expm1_over(r: Tensor) -> Tensor:
    """(exp(r) - 1) / r, also near 0."""
    small = r.abs() < 1e-3
    safe = torch.where(small, 1.0, r)
    return torch.where(
        small, 1 + r / 2 + r**2 / 6 + r**3 / 24 + r**4 / 120, torch.expm1(safe) / safe
    )
