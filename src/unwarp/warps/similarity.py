"""Similarities of images: rotation, one scale, shift and mirror.

`unwarp.warps.affine_family` states the convention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.warps.affine_family import ScalingFamily
from unwarp.warps.affine_map import AffineMap
from unwarp.warps.maps import Map
from unwarp.warps.mirror import mirror_first
from unwarp.warps.warp import check_theta


@dataclass(frozen=True)
class Similarity2d(ScalingFamily):
    """Rotations, uniform scales and shifts: the similarity group of the plane.

    `p_obs = exp(theta_1) R p_template + t`. Theta is (rotation, log_scale, shift_x, shift_y), and
    with a mirror also (mirror), `p_obs = exp(theta_1) R F^m p_template + t`. Use it if objects
    differ in size but must keep their proportions. The family is closed under
    products and inverses, and theta is exact for its maps. For any other affine map, theta has the
    scaled rotation nearest to the linear part (orthogonal projection).

    Attributes:
        rotation: Largest angle in degrees that one stage predicts; 180 is the full circle, 0 none.
        shift: Largest shift in half-widths that one stage predicts.
        scale: Largest factor that one stage predicts; the smallest is its inverse. 1 for none.
        mirror: Whether templates may be mirrored; the encoder tries both.

    >>> import math, torch
    >>> warp = Similarity2d(size=(40, 40))
    >>> larger = warp.map(torch.tensor([[0.0, math.log(2.0), 0.0, 0.0]]))
    >>> larger.push(torch.tensor([[0.25, -0.5]])).tolist()
    [[[0.5, -1.0]]]
    """

    name: ClassVar[str] = "similarity"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Rotation (rad), log scale, two shifts (half-widths), any mirror."""
        limit = math.log(self.scale)
        return (
            self._angle_factor(),
            Factor("log_scale", "log factor", -limit, limit),
            *self._shift_factors(),
            *self._mirror_factors,
        )

    def map(self, theta: Tensor) -> AffineMap:
        """Scaled rotations and shifts, parameters (N, 4), (N, 5) with a mirror."""
        check_theta(self, theta)
        scale, no_shear = theta[:, 1].exp(), torch.zeros_like(theta[:, 0])
        map = self._matrix(theta[:, 0], scale, scale, no_shear, theta[:, 2:4])
        return mirror_first(map, theta[:, 4:])

    def theta(self, map: Map) -> Tensor:
        """Shift, and angle and log scale of the nearest scaled rotation.

        Args:
            map: N deformations; only their last part is used (identity if it is not affine).

        Returns:
            Theta (N, 4), the angle in (-pi, pi]; (N, 5) with a mirror.
        """
        a, b, c, d, shift = self._pixel_entries(map)
        angle, scale = torch.atan2(b - c, a + d), torch.hypot(a + d, b - c) / 2
        theta = torch.cat([torch.stack([angle, scale.log()], -1), shift], -1)
        return torch.cat([theta.masked_fill(self._is_off(theta), 0.0), self._mirrors(map)], -1)
