"""Rigid deformations of images: rotation, shift and mirror.

`unwarp.warps.affine_family` states the convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.warps.affine_family import AffineFamily
from unwarp.warps.affine_map import AffineMap
from unwarp.warps.maps import Map
from unwarp.warps.mirror import mirror_first
from unwarp.warps.warp import check_theta


@dataclass(frozen=True)
class Rigid2d(AffineFamily):
    """Rotations and shifts: the special Euclidean group SE(2).

    `p_obs = R p_template + t`. Theta is (rotation, shift_x, shift_y), and with a mirror also
    (mirror): the Euclidean group E(2), `p_obs = R F^m p_template + t`. Use it if all objects have
    the same size. The family is closed under products and inverses, and theta is exact for its
    maps. For any other affine map, theta has the rotation nearest to the linear part (orthogonal
    Procrustes problem).

    Attributes:
        rotation: Largest angle in degrees that one stage predicts; 180 is the full circle, 0 none.
        shift: Largest shift in half-widths that one stage predicts.
        mirror: Whether templates may be mirrored; the encoder tries both.

    >>> import math, torch
    >>> quarter = Rigid2d(size=(9, 9)).map(torch.tensor([[math.pi / 2, 0.0, 0.0]]))
    >>> quarter.push(torch.tensor([[1.0, 0.0]])).round().tolist()  # right to top: y points down
    [[[-0.0, -1.0]]]
    """

    name: ClassVar[str] = "rigid"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Rotation (rad), two shifts (half-widths), any mirror."""
        return (self._angle_factor(), *self._shift_factors(), *self._mirror_factors)

    def map(self, theta: Tensor) -> AffineMap:
        """Rotations and shifts with parameters (N, 3), (N, 4) with a mirror."""
        check_theta(self, theta)
        ones = torch.ones_like(theta[:, 0])
        map = self._matrix(theta[:, 0], ones, ones, 0 * ones, theta[:, 1:3])
        return mirror_first(map, theta[:, 3:])

    def theta(self, map: Map) -> Tensor:
        """Angle of the nearest rotation, and shift.

        Args:
            map: N deformations; only their last part is used (identity if it is not affine).

        Returns:
            Theta (N, 3), the angle in (-pi, pi]; (N, 4) with a mirror.
        """
        a, b, c, d, shift = self._pixel_entries(map)
        theta = torch.cat([torch.atan2(b - c, a + d)[:, None], shift], -1)
        return torch.cat([theta.masked_fill(self._is_off(theta), 0.0), self._mirrors(map)], -1)
