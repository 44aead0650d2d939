"""Affine deformations of pictures: rotation, scale, shear and shift, with an exact chart in both directions.

Convention:
    `p_obs = R G S p_template + t`, in pixels about the centre of the frame: scale `S = diag(sx, sy)` first, then shear
    `G = [[1, k], [0, 1]]`, then rotation `R = [[cos a, sin a], [-sin a, cos a]]` (positive: counter-clockwise as seen,
    because y points down), then the shift `t`. Since it acts in pixels, a rotation stays one on a frame that is not
    square. Shifts are in half-widths of their axis inside, in pixels outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps.maps import Map
from unwarp.warps.warp import Warp
from unwarp.warps.window import Padding, Window, resample


@dataclass(frozen=True)
class AffineMap(Map):
    """N affine maps as matrices (N, 2, 3) that push template points to observed ones, in frame coordinates."""

    matrix: Tensor

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def reference(self) -> Tensor:
        return self.matrix

    def __getitem__(self, rows: Tensor | slice) -> AffineMap:
        return AffineMap(self.matrix[rows])

    def push(self, points: Tensor) -> Tensor:
        if points.ndim > 2:
            linear, shift = self.matrix[..., :2], self.matrix[..., 2]
            return points @ linear.mT + shift[:, None]
        # points that all rows share: one product of matrices instead of N small ones, which take ten times as long
        rows = self.matrix.flatten(0, 1) @ F.pad(points, (0, 1), value=1.0).mT
        return rows.reshape(len(self), 2, -1).mT

    def pull(self, points: Tensor) -> Tensor:
        return self.invert().push(points)

    def invert(self) -> AffineMap:
        (a, b, tx), (c, d, ty) = (row.unbind(-1) for row in self.matrix.unbind(-2))
        det = a * d - b * c
        rows = (d, -b, b * ty - d * tx, -c, a, c * tx - a * ty)
        return AffineMap((torch.stack(rows, -1) / det[:, None]).reshape(-1, 2, 3))

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Deform templates, with the window's zoom multiplied into the matrices instead of into every point."""
        source = source or Window.frame(x.shape[2:])
        target = target or source
        zoom = self.matrix.new_tensor(source.extent[::-1])[:, None]
        reads = AffineMap(self.invert().matrix / zoom)
        return resample(
            x, reads.push(target.lattice(x)), Window.frame(source.size), target, padding
        )

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        if not isinstance(inner, AffineMap):
            return None
        linear = self.matrix[..., :2]
        shift = linear @ inner.matrix[..., 2:] + self.matrix[..., 2:]
        return (AffineMap(torch.cat([linear @ inner.matrix[..., :2], shift], -1)),)


def translation(shift: Tensor) -> AffineMap:
    """Pure shifts (N, 2), (x, y) in half-widths, as affine maps."""
    linear = torch.eye(2, dtype=shift.dtype, device=shift.device).expand(len(shift), 2, 2)
    return AffineMap(torch.cat([linear, shift[..., None]], -1))


@dataclass(frozen=True)
class _Planar(Warp):
    """What the affine families share: the 2 x 3 matrix from six named numbers, and back."""

    rotation: float = 45.0
    shift: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.rotation <= 180:
            raise ConfigError(f"rotation={self.rotation} must lie in (0, 180] degrees")
        if min(self._half) < 0:
            raise ConfigError(f"{self} has a negative range; give 0 or more")

    @property
    def _half(self) -> tuple[float, ...]:
        return tuple(f.half_range for f in self.factors)

    def constrain(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw) * torch.tensor(self._half, dtype=raw.dtype, device=raw.device)

    def mean(self, map: Map) -> Map:
        """As `Warp.mean`; on a full circle shifts of all directions cancel: the point that moves least goes to the middle."""
        mean = super().mean(map)
        if self.rotation < 180:
            return mean
        rows = affine_part(map).matrix.flatten(0, 1)
        linear, shift = rows[:, :2], rows[:, 2:]
        away = torch.linalg.solve(linear.mT @ linear, linear.mT @ shift)
        centred = affine_part(mean).matrix[..., :2]
        return AffineMap(torch.cat([centred, centred @ away], -1))

    def _aspect(self) -> float:
        height, width = self.size
        return height / width

    def _matrix(
        self, angle: Tensor, scale_x: Tensor, scale_y: Tensor, shear: Tensor, shift: Tensor
    ) -> AffineMap:
        cos, sin, aspect = angle.cos(), angle.sin(), self._aspect()
        a, c = cos * scale_x, -sin * scale_x
        b, d = (shear * cos + sin) * scale_y, (cos - shear * sin) * scale_y
        rows = (a, b * aspect, shift[:, 0], c / aspect, d, shift[:, 1])
        return AffineMap(torch.stack(rows, -1).reshape(-1, 2, 3))

    def _linear(self, map: Map) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """The four entries of the linear part in pixels, row by row, and the shift in half-widths."""
        matrix = affine_part(map).matrix
        (a, b), (c, d) = (row.unbind(-1) for row in matrix[..., :2].unbind(-2))
        return a, b / self._aspect(), c * self._aspect(), d, matrix[..., 2]

    def _numbers(self, map: Map) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        a, b, c, d, shift = self._linear(map)
        scale_x = torch.hypot(a, c)
        scale_y = (a * d - b * c) / scale_x
        return torch.atan2(-c, a), scale_x, scale_y, (a * b + c * d) / (a * d - b * c), shift

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        angle, _, _, _, shift = self._numbers(map)
        limit, (height, width) = self.rotation, self.size
        return {
            Factor("rotation_deg", "deg", -limit, limit, limit == 180): angle.rad2deg(),
            Factor("shift_x_px", "px", -self.shift * width / 2, self.shift * width / 2): shift[:, 0]
            * width
            / 2,
            Factor("shift_y_px", "px", -self.shift * height / 2, self.shift * height / 2): shift[
                :, 1
            ]
            * height
            / 2,
        }

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        names = [factor.name for factor in self.summary(translation(torch.zeros(1, 2)))]
        missing = [name for name in names if name not in columns]
        if missing:
            raise ConfigError(
                f"columns {', '.join(missing)} are missing; {self.name!r} needs {', '.join(names)}"
            )
        turn, right, down = (columns[name] for name in ("rotation_deg", "shift_x_px", "shift_y_px"))
        one, (height, width) = torch.ones_like(turn), self.size
        scale_x, scale_y, shear = (
            columns.get(name, one) for name in ("scale_x", "scale_y", "shear_deg")
        )
        slope = shear.deg2rad().tan() if "shear_deg" in columns else 0 * one
        shift = torch.stack([right * 2 / width, down * 2 / height], -1)
        return self.theta(self._matrix(turn.deg2rad(), scale_x, scale_y, slope, shift))

    def _angle_factor(self) -> Factor:
        limit = math.radians(self.rotation)
        return Factor("rotation", "rad", -limit, limit, self.rotation == 180)

    def _shift_factors(self) -> tuple[Factor, ...]:
        return tuple(
            Factor(f"shift_{axis}", "half-widths", -self.shift, self.shift) for axis in "xy"
        )


@dataclass(frozen=True)
class Rigid2d(_Planar):
    """Rotation and shift: theta is (rotation, shift x, shift y).

    Attributes:
        rotation: Largest angle in degrees that one stage predicts; 180 is the full circle.
        shift: Largest shift in half-widths.
    """

    name: ClassVar[str] = "rigid"

    @property
    def factors(self) -> tuple[Factor, ...]:
        return (self._angle_factor(), *self._shift_factors())

    def map(self, theta: Tensor) -> AffineMap:
        one = torch.ones_like(theta[:, 0])
        return self._matrix(theta[:, 0], one, one, 0 * one, theta[:, 1:3])

    def theta(self, map: Map) -> Tensor:
        a, b, c, d, shift = self._linear(map)
        return torch.cat([torch.atan2(b - c, a + d)[:, None], shift], -1)


@dataclass(frozen=True)
class _Scaling(_Planar):
    """What the affine families with scales share."""

    scale: float = 1.6

    def __post_init__(self) -> None:
        if not self.scale > 1:
            raise ConfigError(f"scale={self.scale} is the largest factor and must be above 1")
        super().__post_init__()

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        _, scale_x, scale_y, shear, _ = self._numbers(map)
        turn, *shifts = super().summary(map).items()
        scales = [
            (Factor("scale_x", "factor", 1 / self.scale, self.scale), scale_x),
            (Factor("scale_y", "factor", 1 / self.scale, self.scale), scale_y),
            (Factor("shear_deg", "deg", -45.0, 45.0), shear.atan().rad2deg()),
        ]
        return dict([turn, *scales, *shifts])


@dataclass(frozen=True)
class Affine2d(_Scaling):
    """All affine deformations: theta is (rotation, log scale x, log scale y, shear, shift x, shift y).

    Attributes:
        rotation: Largest angle in degrees that one stage predicts; 180 is the full circle.
        shift: Largest shift in half-widths.
        scale: Largest factor; the smallest is its inverse.
        shear: Largest shear k.

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
        log = math.log(self.scale)
        scales = (
            Factor("log_scale_x", "log factor", -log, log),
            Factor("log_scale_y", "log factor", -log, log),
        )
        return (
            self._angle_factor(),
            *scales,
            Factor("shear", "", -self.shear, self.shear),
            *self._shift_factors(),
        )

    def map(self, theta: Tensor) -> AffineMap:
        return self._matrix(
            theta[:, 0], theta[:, 1].exp(), theta[:, 2].exp(), theta[:, 3], theta[:, 4:6]
        )

    def theta(self, map: Map) -> Tensor:
        angle, scale_x, scale_y, shear, shift = self._numbers(map)
        return torch.cat([torch.stack([angle, scale_x.log(), scale_y.log(), shear], -1), shift], -1)


@dataclass(frozen=True)
class Similarity2d(_Scaling):
    """Rotation, one scale and shift: theta is (rotation, log scale, shift x, shift y)."""

    name: ClassVar[str] = "similarity"

    @property
    def factors(self) -> tuple[Factor, ...]:
        log = math.log(self.scale)
        return (
            self._angle_factor(),
            Factor("log_scale", "log factor", -log, log),
            *self._shift_factors(),
        )

    def map(self, theta: Tensor) -> AffineMap:
        scale = theta[:, 1].exp()
        return self._matrix(theta[:, 0], scale, scale, torch.zeros_like(scale), theta[:, 2:4])

    def theta(self, map: Map) -> Tensor:
        a, b, c, d, shift = self._linear(map)
        angle, scale = torch.atan2(b - c, a + d), torch.hypot(a + d, b - c) / 2
        return torch.cat([torch.stack([angle, scale.log()], -1), shift], -1)


def affine_part(map: Map) -> AffineMap:
    """The affine end of a map: all of an `AffineMap`, the last part of a chain, the identity where there is none."""
    last = map.parts[-1] if map.parts else None
    return (
        last if isinstance(last, AffineMap) else translation(map.reference.new_zeros(len(map), 2))
    )
