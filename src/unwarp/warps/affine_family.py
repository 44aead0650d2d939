"""Bases of the affine families: rotation, scale, shear, shift and mirror.

Convention:
    `p_obs = R G S p_template + t`, in pixels about the centre of the frame: first the scale
    `S = diag(sx, sy)`, then the shear `G = [[1, k], [0, 1]]`, then the rotation
    `R = [[cos a, sin a], [-sin a, cos a]]` (a > 0 turns counter-clockwise as seen, since y points
    down), then the shift `t`. The linear part acts in pixels, so that a rotation stays a rotation
    on a frame that is not square. Theta has shifts in half-widths, the summary columns in pixels.

    With `mirror=True`, `p_obs = R G S F^m p_template + t`: where the last column of theta is 1, the
    mirror `F = diag(-1, 1)` first exchanges left and right of the template.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.affine_map import AffineMap, affine_part, translation
from unwarp.warps.constants import constant, flags, lazy_property
from unwarp.warps.maps import Map
from unwarp.warps.mirror import MIRROR, mirror_first, reflections
from unwarp.warps.warp import Warp, log_slope_of_tanh, mean_of_columns

CHANGES_SIGN_IN_MIRROR = ("rotation", "shear", "shift_x")
"""Columns of theta with the opposite sign for the mirror image F A F of an affine map A."""


@dataclass(frozen=True)
class AffineFamily(Warp):
    """Base of the affine families: matrices from named parameters, and the reverse.

    A family adds its `name`, `factors`, `map` and `theta`. It gets the bounds, the mean, and the
    columns for people. The first factor is the rotation, the last ones are the shifts and any
    mirror. A range of 0, or a largest scale of 1, switches a factor off: its column stays, at the
    identity. `Rigid2d(rotation=0)` are the translations.

    Attributes:
        rotation: Largest angle in degrees, in [0, 180]; 180 is the full circle.
        shift: Largest shift in half-widths.
        mirror: Whether templates may be mirrored: left and right exchanged first.

    >>> from unwarp.warps import Rigid2d
    >>> [factor.name for factor in Rigid2d(rotation=180, mirror=True).factors]
    ['rotation', 'shift_x', 'shift_y', 'mirror']
    """

    rotation: float = 45.0
    shift: float = 1.0
    mirror: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.rotation <= 180:
            raise ConfigError(
                f"rotation={self.rotation} is out of range; give the largest angle in degrees, "
                "from 0 (no rotation) to 180"
            )
        if min(self._half_ranges) < 0:
            raise ConfigError(f"a range is negative in {self}; give ranges of 0 or more")

    @property
    def continuous(self) -> Warp:
        """The family without the mirror, which the stages of an encoder predict."""
        return replace(self, mirror=False)

    @lazy_property
    def _half_ranges(self) -> tuple[float, ...]:
        """Half-ranges of all columns of theta but the mirror."""
        return tuple(factor.half_range for factor in self.factors if not factor.discrete)

    @property
    def _mirror_factors(self) -> tuple[Factor, ...]:
        """The factor of the mirror, if the family has one."""
        return (MIRROR,) if self.mirror else ()

    def constrain(self, raw: Tensor) -> Tensor:
        """Theta (N, P) of real numbers `raw` (N, P).

        It is `half_range tanh(raw)`; the mirror is 1 where its number is above 0, else 0.
        """
        half_ranges = constant(self._half_ranges, raw)
        if not self.mirror:
            return torch.tanh(raw) * half_ranges
        numbers, mirrors = raw[:, : len(half_ranges)], raw[:, len(half_ranges) :]
        return torch.cat([torch.tanh(numbers) * half_ranges, (mirrors > 0).to(raw)], -1)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Log derivatives (N, P) of tanh, or 0.

        They are those at `raw` (N, P). Columns with a range of 0, and the mirror, have 0.
        """
        is_off = F.pad(self._is_off(raw), (0, len(self._mirror_factors)), value=True)
        return log_slope_of_tanh(raw).masked_fill(is_off, 0.0)

    def _is_off(self, like: Tensor) -> Tensor:
        """Whether each column but the mirror has a range of 0, on the device of a tensor."""
        return flags(tuple(half == 0 for half in self._half_ranges), like)

    def mean(self, map: Map) -> Map:
        """The mean deformation; rotations on a full circle have another mean shift.

        If rotations are limited, this is `Warp.mean`. The mean is never a mirror: a mirrored map
        M = A F counts by the mean of F A F, since centring finds B in maps A_i F^m B, and F B F is
        the mirror image of B. If objects turn by all angles about a centre
        that is not the middle of the frame, their shifts point in all directions and average to 0.
        The mean map then shifts the template by s before its linear part acts, and s minimises
        `sum_i |A_i s - t_i|^2` over the maps [A_i | t_i].

        Args:
            map: N deformations.

        Returns:
            An affine map of one row.
        """
        mean = self.map(mean_of_columns(self._unmirrored_theta(map), self.factors))
        if self.rotation < 180:
            return mean
        # s by least squares: normal equations over the rows of all maps
        rows = affine_part(map).matrix.flatten(0, 1)
        linear, shift = rows[:, :2], rows[:, 2:]
        template_shift = torch.linalg.solve(linear.mT @ linear, linear.mT @ shift)
        mean_linear = affine_part(mean).matrix[..., :2]
        return AffineMap(torch.cat([mean_linear, mean_linear @ template_shift], -1))

    def _unmirrored_theta(self, map: Map) -> Tensor:
        """Theta (N, P) of a map; that of F A F for a mirrored map A F."""
        theta = self.theta(map)
        is_mirrored = theta[:, len(self._half_ranges) :].sum(-1, keepdim=True) > 0
        signs = [-1.0 if f.name in CHANGES_SIGN_IN_MIRROR else 1.0 for f in self.factors]
        return torch.where(is_mirrored, theta * theta.new_tensor(signs), theta)

    def _aspect(self) -> float:
        """Height over width of the frame, in pixels."""
        height, width = self.size
        return height / width

    def _matrix(
        self, angle: Tensor, scale_x: Tensor, scale_y: Tensor, shear: Tensor, shift: Tensor
    ) -> AffineMap:
        """Affine maps in half-widths from angles, scales, shears (N,) and shifts (N, 2)."""
        cos, sin, aspect = angle.cos(), angle.sin(), self._aspect()
        a, c = cos * scale_x, -sin * scale_x
        b, d = (shear * cos + sin) * scale_y, (cos - shear * sin) * scale_y
        # b turns y into x and c turns x into y, and half-widths of x and y differ in pixels
        rows = (a, b * aspect, shift[:, 0], c / aspect, d, shift[:, 1])
        return AffineMap(torch.stack(rows, -1).reshape(-1, 2, 3))

    def _mirrors(self, map: Map) -> Tensor:
        """The column of the mirror (N, 1), or (N, 0) for a family without it."""
        return reflections(map)[:, : len(self._mirror_factors)]

    def _pixel_entries(self, map: Map) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Entries (N,) of the linear part in pixels, row by row, and shifts (N, 2).

        If the family has a mirror, they are those of A in maps A F^m.
        """
        matrix = mirror_first(affine_part(map), self._mirrors(map)).matrix
        (a, b), (c, d) = (row.unbind(-1) for row in matrix[..., :2].unbind(-2))
        return a, b / self._aspect(), c * self._aspect(), d, matrix[..., 2]

    def _decompose(self, map: Map) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Angles (rad), scales x and y, shears k (N,) and shifts (N, 2): inverts `_matrix`."""
        a, b, c, d, shift = self._pixel_entries(map)
        # R keeps lengths, so the first column of R G S has length sx, and the determinant is sx sy
        scale_x = torch.hypot(a, c)
        scale_y = (a * d - b * c) / scale_x
        return torch.atan2(-c, a), scale_x, scale_y, (a * b + c * d) / (a * d - b * c), shift

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns `rotation_deg`, `shift_x_px`, `shift_y_px` and, if any, `mirror` of a map."""
        angle, _, _, _, shift = self._decompose(map)
        limit, (height, width) = self.rotation, self.size
        max_x, max_y = self.shift * width / 2, self.shift * height / 2
        return {
            Factor("rotation_deg", "deg", -limit, limit, limit == 180): angle.rad2deg(),
            Factor("shift_x_px", "px", -max_x, max_x): shift[:, 0] * width / 2,
            Factor("shift_y_px", "px", -max_y, max_y): shift[:, 1] * height / 2,
            **dict(zip(self._mirror_factors, self._mirrors(map).unbind(1), strict=True)),
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta from the columns of `summary`.

        Args:
            columns: Columns (N,) by name: degrees, factors and pixels.

        Returns:
            Theta (N, P).

        Raises:
            ConfigError: A column of `summary` is missing.
        """
        names = [factor.name for factor in self.summary(translation(torch.zeros(1, 2)))]
        missing = [name for name in names if name not in columns]
        if missing:
            raise ConfigError(
                f"columns {', '.join(missing)} are missing; {self.name!r} needs {', '.join(names)}"
            )
        angle, x, y = (columns[name] for name in ("rotation_deg", "shift_x_px", "shift_y_px"))
        ones, (height, width) = torch.ones_like(angle), self.size
        # families without scales or shear have no such columns
        scale_x, scale_y, shear_angle = (
            columns.get(name, ones) for name in ("scale_x", "scale_y", "shear_deg")
        )
        shear = shear_angle.deg2rad().tan() if "shear_deg" in columns else 0 * ones
        shift = torch.stack([x * 2 / width, y * 2 / height], -1)
        mirrors = torch.stack([columns[f.name] for f in self._mirror_factors] or [ones], -1)
        map = self._matrix(angle.deg2rad(), scale_x, scale_y, shear, shift)
        return self.theta(mirror_first(map, mirrors[:, : len(self._mirror_factors)]))

    def _angle_factor(self) -> Factor:
        limit = math.radians(self.rotation)
        return Factor("rotation", "rad", -limit, limit, self.rotation == 180)

    def _shift_factors(self) -> tuple[Factor, ...]:
        return tuple(
            Factor(f"shift_{axis}", "half-widths", -self.shift, self.shift) for axis in "xy"
        )


@dataclass(frozen=True)
class ScalingFamily(AffineFamily):
    """Base of the affine families that scale.

    It adds the columns `scale_x`, `scale_y` and `shear_deg` to the summary.

    Attributes:
        scale: Largest factor, at least 1; the smallest is its inverse.

    >>> import torch
    >>> from unwarp.warps import Similarity2d
    >>> warp = Similarity2d(scale=1.25)
    >>> scale_x = list(warp.summary(warp.map(torch.zeros(1, 4))))[1]
    >>> scale_x.name, scale_x.low, scale_x.high
    ('scale_x', 0.8, 1.25)
    """

    scale: float = 1.6

    def __post_init__(self) -> None:
        Warp.__post_init__(self)  # types first; the factors then need a scale above 0
        if not self.scale >= 1:
            raise ConfigError(
                f"scale={self.scale} is the largest factor; give 1 (one size) or more"
            )
        super().__post_init__()

    @property
    def _largest_shear(self) -> float:
        """Tangent of the end of the range of `shear_deg`; 1 for a family without shears."""
        return 1.0

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns `rotation_deg`, two scales, `shear_deg`, two shifts and, if any, `mirror`."""
        _, scale_x, scale_y, shear, _ = self._decompose(map)
        rotation, *rest = super().summary(map).items()
        limit = math.degrees(math.atan(self._largest_shear))
        scales = [
            (Factor("scale_x", "factor", 1 / self.scale, self.scale), scale_x),
            (Factor("scale_y", "factor", 1 / self.scale, self.scale), scale_y),
            (Factor("shear_deg", "deg", -limit, limit), shear.atan().rad2deg()),
        ]
        return dict([rotation, *scales, *rest])
