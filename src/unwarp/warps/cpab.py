"""Warps of time as flows of continuous piecewise-affine velocities (CPAB)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import MonotoneTime

MAX_FIT_STEPS = 20
START_DAMPING, MIN_DAMPING, MAX_DAMPING = 1e-4, 1e-14, 1e4
"""Steps of the Levenberg-Marquardt method, and its damping relative to the curvature."""

MAX_ARGUMENT_FOR_SERIES = 1e-3
"""Smaller arguments use a Taylor series, since the quotients are 0 / 0 at 0."""


@dataclass(frozen=True)
class CpabTime(MonotoneTime):
    """Diffeomorphisms that integrate a continuous piecewise-affine velocity field.

    `gamma(t) = phi(t, 1)` with `d phi / d tau = v(phi)` and `phi(t, 0) = t`, for a velocity v that
    is affine on each of K equal pieces and 0 at both ends. Theta holds v at the K - 1 inner knots;
    the paper's parameters are coordinates of the same fields in an orthonormal basis. Multiples of
    one theta form a group: theta and -theta are inverse maps. Theta is exact for maps of the
    family and a least-squares fit for all others, such as products of two maps.

    O. Freifeld, S. Hauberg, K. Batmanghelich and J. W. Fisher III (2017), Transformations based on
    continuous piecewise-affine velocity fields, IEEE PAMI 39(12).

    Attributes:
        pieces: Number K of pieces, 2 or more; `cells` is a multiple of 2 K.
        reach: Largest velocity at a knot, in lengths of the series per unit of flow time.

    >>> import torch
    >>> warp, theta = CpabTime(pieces=2), torch.tensor([[0.1]])
    >>> there, back = warp.map(theta), warp.map(-theta)
    >>> round(float(back.compose(there).pull(torch.tensor([[0.3]]))), 3)
    0.3
    """

    name: ClassVar[str] = "time-cpab"
    pieces: int = 8
    reach: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pieces < 2 or self.cells % (2 * self.pieces):
            raise ConfigError(
                f"CpabTime: pieces={self.pieces} and cells={self.cells} do not fit; give 2 pieces "
                "or more, and a multiple of twice as many cells"
            )
        if not self.reach > 0:
            raise ConfigError(f"CpabTime: reach={self.reach} is not positive; give more than 0")

    @property
    def _speed_factors(self) -> tuple[Factor, ...]:
        names = [f"velocity_{i}" for i in range(1, self.pieces)]
        return tuple(Factor(name, "lengths", -self.reach, self.reach) for name in names)

    def _speed(self, theta: Tensor) -> Tensor:
        start = torch.arange(self.cells + 1, dtype=theta.dtype, device=theta.device) / self.cells
        return flow(F.pad(theta, (1, 1)), start.expand(len(theta), -1)).diff() * self.cells

    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        """Velocities that carry the knots and midpoints nearest to gamma, by least squares.

        The Levenberg-Marquardt method solves without gradients; the last step is 0 in value and
        adds the Gauss-Newton derivative by `speed`, exact for maps of the family.
        """
        target = (
            speed.reshape(len(speed), 2 * self.pieces, -1).sum(-1).cumsum(-1)[:, :-1] / self.cells
        )
        theta, jacobian = self._fit(target.detach())
        no_damping = torch.zeros_like(theta[:, :1])
        return theta + _damped_step(jacobian, target - target.detach(), no_damping)

    def _fit(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Theta (N, K - 1) that flows the fit points to `target` (N, 2 K - 1), and the Jacobian."""
        # to first order a point moves by its velocity: start with the displacements of the knots
        theta = (target - self._fit_points(target))[:, 1::2]
        end, jacobian = self._flow_of_fit_points(theta)
        damping = torch.full_like(theta[:, :1], START_DAMPING)
        for _ in range(MAX_FIT_STEPS):
            step = _damped_step(jacobian, target - end, damping)
            next_end, next_jacobian = self._flow_of_fit_points(theta + step)
            error, next_error = (
                (target - e).square().sum(-1, keepdim=True) for e in (end, next_end)
            )
            is_better = next_error < error
            theta = torch.where(is_better, theta + step, theta)
            end = torch.where(is_better, next_end, end)
            jacobian = torch.where(is_better[..., None], next_jacobian, jacobian)
            # less damping after a success approaches Gauss-Newton, more approaches gradient descent
            damping = torch.where(is_better, damping / 100, damping * 10)
            damping = damping.clamp(MIN_DAMPING, MAX_DAMPING)
            if (step.abs() < torch.finfo(step.dtype).eps ** 0.75).all():
                break
        return theta, jacobian

    def _fit_points(self, like: Tensor) -> Tensor:
        """The inner knots and the midpoints of the pieces (2 K - 1,), in [0, 1]."""
        half_pieces = 2 * self.pieces
        return torch.arange(1, half_pieces, dtype=like.dtype, device=like.device) / half_pieces

    def _flow_of_fit_points(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """End positions (N, M) of the fit points, and their derivatives by theta (N, M, K - 1)."""
        start = self._fit_points(theta)
        with torch.enable_grad():
            # one copy of theta per point: a single backward pass then gives the whole Jacobian
            copies = theta.detach().repeat_interleave(len(start), 0).requires_grad_()
            end = flow(F.pad(copies, (1, 1)), start.repeat(len(theta))[:, None])
            (jacobian,) = torch.autograd.grad(end.sum(), copies)
        return end.detach().reshape(len(theta), -1), jacobian.reshape(len(theta), len(start), -1)


def _damped_step(jacobian: Tensor, residual: Tensor, damping: Tensor) -> Tensor:
    """The Levenberg-Marquardt step (N, P) for residuals (N, M).

    The damping (N, 1) multiplies the diagonal of the normal matrix; 0 gives the Gauss-Newton step.
    """
    normal = jacobian.mT @ jacobian
    normal = normal + (damping * normal.diagonal(dim1=-2, dim2=-1)).diag_embed()
    step: Tensor = torch.linalg.solve(normal, (jacobian.mT @ residual[..., None])[..., 0])
    return step


def flow(velocity: Tensor, start: Tensor) -> Tensor:
    """Positions after unit time in a piecewise-linear velocity.

    The knots are equidistant. On a piece the equation `x' = v0 + s x` has a closed solution, which
    gives the position and the time at which a point crosses to the next piece. A point crosses at
    most K pieces, so K + 1 steps suffice.

    Args:
        velocity: Velocities at the K + 1 knots of [0, 1], (N, K + 1), 0 at both ends.
        start: Positions at time 0, (N, P), in [0, 1].

    Returns:
        Positions at time 1, (N, P), in [0, 1], differentiable in both arguments.
    """
    pieces = velocity.shape[1] - 1
    piece = (start * pieces).long().clamp(0, pieces - 1)
    position, time_left = start, torch.ones_like(start)
    for _ in range(pieces + 1):
        v0, v1 = velocity.gather(1, piece), velocity.gather(1, piece + 1)
        slope = (v1 - v0) * pieces
        speed = v0 + slope * (position - piece / pieces)
        is_forward = speed > 0
        edge = (piece + is_forward.long()) / pieces
        edge_speed = torch.where(is_forward, v1, v0)
        is_leaving = speed * edge_speed > 0  # the edge is reached unless the speed vanishes before
        safe_speed = torch.where(is_leaving, speed, 1.0)
        growth = torch.where(is_leaving, edge_speed, 1.0) / safe_speed - 1
        crossing_time = (edge - position) / safe_speed * _log1p_over(growth)
        crossing_time = torch.where(is_leaving, crossing_time, 2.0)  # 2 is later than the end at 1
        is_leaving = crossing_time < time_left
        # without a crossing the point stays on its piece for the rest of the time
        end_position = position + speed * time_left * _expm1_over(slope * time_left)
        position = torch.where(is_leaving, edge, end_position)
        time_left = torch.where(is_leaving, time_left - crossing_time, 0.0)
        direction = torch.where(is_leaving, 2 * is_forward.long() - 1, 0)
        piece = (piece + direction).clamp(0, pieces - 1)
    return position


def _log1p_over(r: Tensor) -> Tensor:
    """log(1 + r) / r, also near 0."""
    is_small = r.abs() < MAX_ARGUMENT_FOR_SERIES
    safe = torch.where(is_small, 1.0, r)
    series = 1 - r / 2 + r**2 / 3 - r**3 / 4 + r**4 / 5
    return torch.where(is_small, series, torch.log1p(safe) / safe)


def _expm1_over(r: Tensor) -> Tensor:
    """(exp(r) - 1) / r, also near 0."""
    is_small = r.abs() < MAX_ARGUMENT_FOR_SERIES
    safe = torch.where(is_small, 1.0, r)
    series = 1 + r / 2 + r**2 / 6 + r**3 / 24 + r**4 / 120
    return torch.where(is_small, series, torch.expm1(safe) / safe)
