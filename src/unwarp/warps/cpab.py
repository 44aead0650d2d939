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
"""Largest number of steps of the Levenberg-Marquardt method."""

START_DAMPING, MIN_DAMPING, MAX_DAMPING = 1e-4, 1e-14, 1e4
"""Damping of the Levenberg-Marquardt method, relative to the diagonal of the normal matrix."""

MAX_ARGUMENT_FOR_SERIES = 1e-3
"""Below it, `_log1p_over` and `_expm1_over` use a Taylor series: the quotients are 0 / 0 at 0."""


@dataclass(frozen=True)
class CpabTime(MonotoneTime):
    """Diffeomorphisms that integrate a continuous piecewise-affine velocity field.

    `gamma(t) = phi(t, 1)` with `d phi / d tau = v(phi)` and `phi(t, 0) = t`, for a velocity v that
    is affine on each of K equal pieces and 0 at both ends. Theta holds v at the K - 1 inner knots;
    the paper's parameters are coordinates of the same fields in an orthonormal basis. The maps of
    theta and -theta are inverses of each other. Theta is exact for maps of the family and a
    least-squares fit for all others, such as products of two maps.

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
                f"CpabTime: pieces={self.pieces} and cells={self.cells} do not fit together; give "
                "pieces of 2 or more, and cells that are a multiple of 2 * pieces"
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
        """Velocities at the inner knots, fitted to gamma by least squares.

        The flow of the velocities moves the fit points, which are the inner knots and the midpoints
        of the pieces; it is fitted to gamma at these points. The Levenberg-Marquardt method runs
        without gradients. Then a Gauss-Newton step of value 0 is added: it changes no number but
        gives theta a gradient with respect to `speed`, which is exact for maps of the family.
        """
        # gamma at the fit points: the speed integrated over each half piece, then summed
        target = (
            speed.reshape(len(speed), 2 * self.pieces, -1).sum(-1).cumsum(-1)[:, :-1] / self.cells
        )
        theta, jacobian = self._fit(target.detach())
        no_damping = torch.zeros_like(theta[:, :1])
        return theta + _damped_step(jacobian, target - target.detach(), no_damping)

    def _fit(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Fit theta so that the flow moves the fit points to `target` (N, 2 K - 1).

        Returns:
            Theta (N, K - 1), and the Jacobian of the end positions (N, 2 K - 1, K - 1).
        """
        # to first order a point moves by its velocity: start at the displacements of the knots
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
            # weak damping is the fast Gauss-Newton method, strong damping the safe gradient descent
            damping = torch.where(is_better, damping / 100, damping * 10)
            damping = damping.clamp(MIN_DAMPING, MAX_DAMPING)
            # converged: steps are below 6e-6 in float32
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
            # with a copy of theta for each point, one backward pass gives the whole Jacobian
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
    """Positions of points that move for unit time in a velocity field.

    The velocity is linear between equidistant knots. On a piece, `x' = v + s (x - x_0)` has the
    solution `x = x_0 + v (exp(s t) - 1) / s`, with v the velocity at the position x_0 and s the
    slope of the velocity. The velocity of the point is `v exp(s t)`, so that it reaches the edge,
    with velocity v_e, at `t = log(v_e / v) / s`. Then it moves on through the next piece. A point
    enters at most K pieces, so that K + 1 steps suffice.

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
        v = v0 + slope * (position - piece / pieces)
        is_forward = v > 0
        edge = (piece + is_forward.long()) / pieces
        edge_time = _time_to_edge(edge - position, v, torch.where(is_forward, v1, v0))
        is_crossing = edge_time < time_left
        # without a crossing the point stays on its piece for the rest of the time
        end_position = position + v * time_left * _expm1_over(slope * time_left)
        position = torch.where(is_crossing, edge, end_position)
        time_left = torch.where(is_crossing, time_left - edge_time, 0.0)
        direction = torch.where(is_crossing, 2 * is_forward.long() - 1, 0)
        piece = (piece + direction).clamp(0, pieces - 1)
    return position


def _time_to_edge(distance: Tensor, v: Tensor, edge_v: Tensor) -> Tensor:
    """Time (N, P) in which points reach the edge of their piece; 2 if they never do.

    With the slope s = (v_e - v) / distance, `log(v_e / v) / s` is
    `distance / v * log(1 + g) / g` with g = v_e / v - 1. The flow ends at time 1, before 2.

    Args:
        distance: Signed distance to the edge ahead (N, P).
        v: Velocity at the point (N, P).
        edge_v: Velocity at the edge (N, P).
    """
    # a point never reaches the edge if the velocity vanishes before it or at it
    is_reachable = v * edge_v > 0
    safe_v = torch.where(is_reachable, v, 1.0)
    growth = torch.where(is_reachable, edge_v, 1.0) / safe_v - 1
    return torch.where(is_reachable, distance / safe_v * _log1p_over(growth), 2.0)


def _log1p_over(r: Tensor) -> Tensor:
    """log(1 + r) / r, exact near 0 too."""
    is_small = r.abs() < MAX_ARGUMENT_FOR_SERIES
    # `safe` keeps the unused branch finite: its gradient would be NaN at 0
    safe = torch.where(is_small, 1.0, r)
    series = 1 - r / 2 + r**2 / 3 - r**3 / 4 + r**4 / 5
    return torch.where(is_small, series, torch.log1p(safe) / safe)


def _expm1_over(r: Tensor) -> Tensor:
    """(exp(r) - 1) / r, exact near 0 too."""
    is_small = r.abs() < MAX_ARGUMENT_FOR_SERIES
    safe = torch.where(is_small, 1.0, r)
    series = 1 + r / 2 + r**2 / 6 + r**3 / 24 + r**4 / 120
    return torch.where(is_small, series, torch.expm1(safe) / safe)
