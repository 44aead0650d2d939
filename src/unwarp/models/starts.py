"""Where the search for a pose begins: at rest or at the moments of a picture; at one angle, or at several on the circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.warps import AffineMap, IdentityMap, Map, Warp, Window, translation
from unwarp.warps.affine import affine_part

StartKind = Literal["learned", "centroid", "moments"]
STARTS: tuple[StartKind, ...] = ("learned", "centroid", "moments")
NARROWEST = 0.05
DARK = 0.03


@dataclass(frozen=True)
class Start:
    """The first pose of each picture, a function of the picture without parameters; gradients do not pass it.

    Attributes:
        kind: `learned` (at rest: the first rung looks at the whole frame), `centroid` (the shift of the centre of the intensity that
            stands out from the rim) or
            `moments` (that, and the scale that brings the spread about it to a quarter of `window`).
        window: The part of the frame that templates fill.
        turns: Angles in radians at which to begin.
    """

    kind: StartKind
    window: Window
    turns: tuple[float, ...] = (0.0,)

    def __call__(self, x: Tensor, turn: Tensor | None = None) -> Map:
        """First poses of `x` (N, C, H, W), begun at angles `turn` in radians; at none where that is None.

        Angles are (N,), or (K * N,) for K poses of each sample, one set of samples after the other.
        """
        if self.kind == "learned":
            start: Map = IdentityMap(len(x))
        else:
            shift, spread = _moments(x.detach())
            reference = min(self.window.size) / 4
            scale = spread / reference if self.kind == "moments" else torch.ones_like(spread)
            start = AffineMap(
                torch.cat([scale[:, None, None] * translation(shift).matrix[..., :2], shift[..., None]], -1)
            )
        if turn is None:
            return start
        rows = torch.arange(len(turn), device=turn.device) % len(x)
        return start[rows].compose(rotation(turn, x.shape[2] / x.shape[3]))


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
    start = Start(kind if pictures else "learned", window, tuple(2 * math.pi * k / n for k in range(n)))
    if start.kind != "learned" and not _holds(family, start):
        raise ConfigError(f"start={kind!r} gives a pose that the warp {warp.name!r} cannot hold; use start='learned'")
    return start


def _holds(family: Warp, start: Start) -> bool:
    """Whether the family has the poses that a start can give."""
    likely = translation(torch.tensor([[0.1, -0.2]]))
    if start.kind == "moments":
        likely = AffineMap(likely.matrix * torch.tensor([1.2, 1.2, 1.0]))
    map = family.map(family.theta(likely))
    return map.invertible and torch.allclose(
        map.push(likely.matrix[0, :, :2]), likely.push(likely.matrix[0, :, :2]), atol=1e-4
    )


def rotation(turn: Tensor, aspect: float) -> AffineMap:
    """Turns (N,) in radians about the centre of a frame whose height is `aspect` times its width."""
    cos, sin, zero = turn.cos(), turn.sin(), torch.zeros_like(turn)
    return AffineMap(torch.stack([cos, sin * aspect, zero, -sin / aspect, cos, zero], -1).reshape(-1, 2, 3))


def angle(map: Map, aspect: float) -> Tensor:
    """The turns (N,) in radians of the affine part of `map`, in a frame whose height is `aspect` times its width."""
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
