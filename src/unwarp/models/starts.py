"""First poses: at rest or at the moments of a picture; at one angle, or at several on the circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.warps import AffineMap, IdentityMap, Map, Warp, Window, translation
from unwarp.warps.affine_map import affine_part

StartKind = Literal["learned", "centroid", "moments"]
STARTS: tuple[StartKind, ...] = ("learned", "centroid", "moments")
NARROWEST = 0.05
DARK = 0.03


@dataclass(frozen=True)
class Start:
    """The first pose of a picture, a function of it without parameters or gradients.

    Attributes:
        kind: `learned` (at rest: the first rung looks at the whole frame), `centroid` (the shift of
            the centre of the intensity that stands out from the rim) or `moments` (that, and the
            scale that brings the spread about it to a quarter of `window`).
        window: The part of the frame that templates fill.
        angles: Angles in radians at which to begin.
    """

    kind: StartKind
    window: Window
    angles: tuple[float, ...] = (0.0,)

    def __call__(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """First poses of pictures.

        Args:
            x: Pictures (N, C, H, W).
            angles: Angles in radians at which the poses begin: (N,), or (K * N,) for K poses of
                each picture, one set of pictures after the other; None for none.
        """
        if self.kind == "learned":
            start: Map = IdentityMap(len(x))
        else:
            shift, spread = _moments(x.detach())
            reference = min(self.window.size) / 4
            scale = spread / reference if self.kind == "moments" else torch.ones_like(spread)
            start = AffineMap(
                torch.cat(
                    [scale[:, None, None] * translation(shift).matrix[..., :2], shift[..., None]],
                    -1,
                )
            )
        if angles is None:
            return start
        rows = torch.arange(len(angles), device=angles.device) % len(x)
        return start[rows].compose(rotation(angles, x.shape[2] / x.shape[3]))


def sized(start: Map) -> Map:
    """The part of a start that the prior judges: its scale, and not its shift."""
    if not isinstance(start, AffineMap):
        return start
    return AffineMap(start.matrix * start.matrix.new_tensor([1.0, 1.0, 0.0]))


def start_for(kind: StartKind, starts: int | Literal["auto"], warp: Warp, window: Window) -> Start:
    """The start of a pose of `warp`: eight angles where it turns the full circle, unless a number is given.

    Raises:
        ConfigError: Starts that the warp cannot hold.
    """
    family = warp.parts[-1] if warp.parts else warp
    pictures = len(window.size) == 2 and bool(warp.factors)
    circle = pictures and any(factor.periodic for factor in family.factors)
    n = (8 if circle else 1) if starts == "auto" else starts
    if n > 1 and not circle:
        raise ConfigError(
            f"starts={n} needs a warp that turns the full circle, such as Affine2d(rotation=180), got {warp.name!r}"
        )
    start = Start(
        kind if pictures else "learned", window, tuple(2 * math.pi * k / n for k in range(n))
    )
    if start.kind != "learned" and not _holds(family, start):
        raise ConfigError(
            f"start={kind!r} gives a pose that the warp {warp.name!r} cannot hold; use start='learned'"
        )
    return start


def _holds(family: Warp, start: Start) -> bool:
    """Whether the family has the poses that a start can give."""
    pose = translation(torch.tensor([[0.1, -0.2]]))
    if start.kind == "moments":
        pose = AffineMap(pose.matrix * torch.tensor([1.2, 1.2, 1.0]))
    map = family.map(family.theta(pose))
    points = pose.matrix[0, :, :2]
    return map.invertible and torch.allclose(map.push(points), pose.push(points), atol=1e-4)


def rotation(angles: Tensor, aspect: float) -> AffineMap:
    """Rotations by angles (N,) in radians about the centre of a frame.

    Args:
        angles: Angles (N,) in radians.
        aspect: Height of the frame in widths.
    """
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    entries = torch.stack([cos, sin * aspect, zero, -sin / aspect, cos, zero], -1)
    return AffineMap(entries.reshape(-1, 2, 3))


def angle(map: Map, aspect: float) -> Tensor:
    """The angles (N,) in radians by which the affine part of a map turns.

    Args:
        map: Maps (N).
        aspect: Height of the frame in widths.
    """
    right = affine_part(map).matrix[..., 0]
    return torch.atan2(-right[:, 1] * aspect, right[:, 0])


def _backdrop(x: Tensor) -> Tensor:
    """0 where the rim of a picture is dark, half of its greatest intensity where there is noise or light, (N, 1, 1, 1).

    Without it, what lies all over a picture draws the centre of intensity to the middle.
    """
    rim = torch.cat([x[..., 0, :], x[..., -1, :], x[..., 1:-1, 0], x[..., 1:-1, -1]], -1).flatten(1)
    most = x.flatten(1).amax(1)
    return torch.where(rim.mean(1) > DARK * most, most / 2, 0)[:, None, None, None]


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centre of intensity (N, 2) in half-widths, and root mean square distance from it (N,) in pixels."""
    mass = (x - _backdrop(x)).clamp_min(0).sum(1)
    total = mass.sum((1, 2)).clamp_min(1e-6)
    height, width = mass.shape[1:]
    across, down = mass.sum(1) / total[:, None], mass.sum(2) / total[:, None]
    centres, squares = [], []
    for share, n in ((across, width), (down, height)):
        place = ((2 * torch.arange(n, device=x.device) + 1) / n - 1).to(x.dtype)
        centre = (share * place).sum(1)
        centres.append(centre)
        squares.append((share * (place - centre[:, None]).square()).sum(1) * (n / 2) ** 2)
    narrowest = (NARROWEST * min(height, width)) ** 2
    return torch.stack(centres, -1), (squares[0] + squares[1]).clamp_min(narrowest).sqrt()
