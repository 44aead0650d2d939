"""Affine deformations of images: rotation, two scales, shear, shift and mirror.

`unwarp.warps.affine_family` states the convention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import DataError
from unwarp.warps.affine_family import ScalingFamily
from unwarp.warps.affine_map import AffineMap, is_checked
from unwarp.warps.maps import Map
from unwarp.warps.mirror import mirror_first
from unwarp.warps.warp import check_theta


@dataclass(frozen=True)
class Affine2d(ScalingFamily):
    """Affine deformations that keep orientation unless `mirror`, the default warp of images.

    `p_obs = R G S p_template + t`, with `S = diag(exp theta_1, exp theta_2)` and shear `theta_3`.
    Theta is (rotation, log_scale_x, log_scale_y, shear, shift_x, shift_y), and with a mirror also
    (mirror), `p_obs = R G S F^m p_template + t`. The family is closed under products and inverses.
    Theta is exact for every affine map of positive determinant, with a mirror also of negative.

    Attributes:
        rotation: Largest angle in degrees that one stage predicts; 180 is the full circle, 0 none.
        shift: Largest shift in half-widths that one stage predicts.
        scale: Largest factor that one stage predicts; the smallest is its inverse. 1 for none.
        shear: Largest shear k that one stage predicts, the tangent of the shear angle.
        mirror: Whether templates may be mirrored; the encoder tries both.

    >>> import torch
    >>> warp = Affine2d(size=(40, 40))
    >>> turned = warp.map(torch.tensor([[0.1, 0.0, 0.0, 0.0, 0.5, 0.0]]))
    >>> {f.name: round(float(v), 2) for f, v in warp.summary(turned).items()}["shift_x_px"]
    10.0
    """

    name: ClassVar[str] = "affine"
    shear: float = 0.5

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Rotation (rad), two log scales, shear, two shifts (half-widths), any mirror."""
        limit = math.log(self.scale)
        return (
            self._angle_factor(),
            Factor("log_scale_x", "log factor", -limit, limit),
            Factor("log_scale_y", "log factor", -limit, limit),
            Factor("shear", "", -self.shear, self.shear),
            *self._shift_factors(),
            *self._mirror_factors,
        )

    @property
    def _largest_shear(self) -> float:
        return self.shear or super()._largest_shear

    def map(self, theta: Tensor) -> AffineMap:
        """Affine deformations with parameters (N, 6), (N, 7) with a mirror."""
        check_theta(self, theta)
        map = self._matrix(
            theta[:, 0], theta[:, 1].exp(), theta[:, 2].exp(), theta[:, 3], theta[:, 4:6]
        )
        return mirror_first(map, theta[:, 6:])

    def theta(self, map: Map) -> Tensor:
        """Theta by the QR decomposition R G S of the linear part.

        Args:
            map: N deformations; only their last part is used (identity if it is not affine).

        Returns:
            Theta (N, 6), the angle in (-pi, pi]; (N, 7) with a mirror.

        Raises:
            DataError: A map is singular, or a reflection and the family has no mirror. Maps that
                require gradients are not checked, since training would wait for the device.
        """
        angle, scale_x, scale_y, shear, shift = self._decompose(map)
        # scale_x is a length, so that scale_y has the sign of the determinant
        is_flipped = (scale_y <= 0) | (scale_x == 0)
        if is_checked(scale_y) and is_flipped.any():
            row = int(is_flipped.nonzero()[0])
            raise DataError(
                f"map {row} has scale_y={float(scale_y[row]):.3g}, so it is a reflection or "
                f"singular and has no theta of {self.name!r}; give maps of positive determinant, "
                "or a warp with mirror=True for reflections"
            )
        linear = torch.stack([angle, scale_x.log(), scale_y.log(), shear], -1)
        return torch.cat([linear, shift, self._mirrors(map)], -1)
