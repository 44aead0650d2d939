"""Warps of time as monotone rational-quadratic splines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.time import MIN_SPEED, MonotoneTime

MIN_CELLS_PER_BIN = 4
"""Smallest number of cells of a bin that determines the speeds at its knots by least squares."""


@dataclass(frozen=True)
class SplineTime(MonotoneTime):
    """Monotone rational-quadratic splines on equally wide bins.

    On bin k of K, with the position xi in [0, 1], the height h of the bin, its mean speed s = K h
    and the speeds d0, d1 at its knots,

        gamma = y_k + h (s xi^2 + d0 xi (1 - xi)) / (s + (d0 + d1 - 2 s) xi (1 - xi)).

    The heights are a softmax of theta_1 to theta_{K-1} and 0; the other K + 1 columns are log
    speeds at the knots. gamma' is continuous, and theta is exact for maps of the family. For any
    other map, such as a product of two maps, the heights are exact and the speeds are fitted by
    least squares.

    J. A. Gregory and R. Delbourgo (1982), Piecewise rational quadratic interpolation to monotonic
    data; C. Durkan, A. Bekasov, I. Murray and G. Papamakarios (2019), Neural spline flows. There
    the bins have free widths, and the speeds at both ends are 1.

    Attributes:
        bins: Number K of bins, 2 or more; `cells` is a multiple of it, 4 K or more.
        reach: Largest log height (relative to the last bin) and largest log speed.

    >>> import torch
    >>> warp = SplineTime(bins=2)
    >>> slow_end = warp.map(torch.tensor([[0.5, 0.0, 0.0, -1.0]]))
    >>> [round(float(v), 3) for v in warp.theta(slow_end)[0, ::3]]
    [0.5, -1.0]
    """

    name: ClassVar[str] = "time-spline"
    bins: int = 8
    reach: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        min_cells = MIN_CELLS_PER_BIN * self.bins
        if self.bins < 2 or self.cells % self.bins or self.cells < min_cells:
            raise ConfigError(
                f"SplineTime: bins={self.bins} and cells={self.cells} do not fit together; give "
                f"bins of 2 or more, and cells that are a multiple of bins, {MIN_CELLS_PER_BIN} * "
                "bins or more"
            )
        if not self.reach > 0:
            raise ConfigError(f"SplineTime: reach={self.reach} is not positive; give more than 0")

    @property
    def _speed_factors(self) -> tuple[Factor, ...]:
        names = [f"height_{i}" for i in range(1, self.bins)] + [
            f"speed_{i}" for i in range(self.bins + 1)
        ]
        return tuple(Factor(name, "log factor", -self.reach, self.reach) for name in names)

    def _positions(self, like: Tensor) -> Tensor:
        """Positions xi in a bin (m,) at the ends of its m cells, from 1 / m to 1."""
        m = self.cells // self.bins
        return torch.arange(1, m + 1, dtype=like.dtype, device=like.device) / m

    def _speed(self, theta: Tensor) -> Tensor:
        height = F.pad(theta[:, : self.bins - 1], (0, 1)).softmax(-1)[..., None]
        knot_speed = theta[:, self.bins - 1 :].exp()
        d0, d1 = knot_speed[:, :-1, None], knot_speed[:, 1:, None]
        xi, s = self._positions(theta), height * self.bins
        product = xi * (1 - xi)
        # the fraction of the bin's height at the ends of its cells
        share = (s * xi.square() + d0 * product) / (s + (d0 + d1 - 2 * s) * product)
        return (F.pad(share, (1, 0)).diff() * height).flatten(1) * self.cells

    def _theta_of_speed(self, speed: Tensor) -> Tensor:
        # gamma at the ends of the cells minus gamma at the start of their bin
        rise = speed.reshape(len(speed), self.bins, -1).cumsum(-1) / self.cells
        height = rise[..., -1:]
        log_height = height[..., 0].log()
        knot_speed = self._knot_speed(rise / height, height * self.bins)
        return torch.cat([log_height[:, :-1] - log_height[:, -1:], knot_speed.log()], -1)

    def _knot_speed(self, share: Tensor, s: Tensor) -> Tensor:
        """Speeds at the knots (N, bins + 1) by least squares over the ends of the cells.

        With p = xi (1 - xi), the spline's equation is linear in d0 and d1:
        `d0 (share - 1) p / s + d1 share p / s = xi^2 - share + 2 share p`. Neighbouring bins have
        a knot in common, so that the normal matrix is tridiagonal.

        Args:
            share: Shares of each bin's height at its cells' ends, (N, bins, m).
            s: Mean speed of each bin, (N, bins, 1).
        """
        xi = self._positions(share)[:-1]
        y, product = share[..., :-1], xi * (1 - xi)
        a0, a1 = (y - 1) * product / s, y * product / s
        target = xi.square() - y + 2 * y * product
        diagonal = F.pad(a0.square().sum(-1), (0, 1)) + F.pad(a1.square().sum(-1), (1, 0))
        off_diagonal = (a0 * a1).sum(-1)
        normal = diagonal.diag_embed() + off_diagonal.diag_embed(1) + off_diagonal.diag_embed(-1)
        moment = F.pad((a0 * target).sum(-1), (0, 1)) + F.pad((a1 * target).sum(-1), (1, 0))
        speed: Tensor = torch.linalg.solve(normal, moment)
        return speed.clamp_min(MIN_SPEED)
