"""Starts: first estimates of the pose, without parameters.

A pose begins at rest or at the intensity moments of a picture, at one angle or at several angles of
the full circle. The stages of the pose network predict the part of the deformation that is left.
"""

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
START_KINDS: tuple[StartKind, ...] = ("learned", "centroid", "moments")

N_CIRCLE_ANGLES = 8
"""Angles at which poses begin, by default, on the full circle."""
MIN_SPREAD_IN_FRAMES = 0.05
"""Least spread of intensity, as a share of the shorter side of the frame; it bounds the scale."""
MAX_DARK_RIM_SHARE = 0.03
"""Greatest mean intensity of a dark rim, as a share of the picture's maximum."""


@dataclass(frozen=True)
class Start:
    """First estimate of the pose of pictures.

    A function of the picture without parameters or gradients.

    Attributes:
        kind: `learned`: the identity, since the first stage of the pose network sees the whole
            frame. `centroid`: the shift to the centre of the intensity above the background.
            `moments`: that shift, and the scale that brings the root mean square distance from the
            centre to a quarter of the shorter side of `window`.
        window: The part of the frame that templates fill.
        angles: Angles in radians at which poses begin.

    >>> x = torch.zeros(1, 1, 4, 4)
    >>> x[..., 1:3, 3] = 1.0  # bright pixels at the right edge
    >>> Start("centroid", Window.frame((4, 4)))(x).push(torch.zeros(1, 2))
    tensor([[[0.7500, 0.0000]]])
    """

    kind: StartKind
    window: Window
    angles: tuple[float, ...] = (0.0,)

    def __call__(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """First poses of pictures.

        Args:
            x: Pictures (N, C, H, W); samples of any other shape for `learned`.
            angles: Angles in radians at which the poses begin: (N,), or (K * N,) for K poses of
                each picture, with all pictures at the first angle first. None for no rotation.

        Returns:
            Maps, N of them or K * N; a rotation acts on the template before the start's own map.
        """
        start: Map = IdentityMap(len(x)) if self.kind == "learned" else self._moments_map(x)
        if angles is None:
            return start
        rows = torch.arange(len(angles), device=angles.device) % len(x)
        return start[rows].compose(rotation(angles, x.shape[2] / x.shape[3]))

    def _moments_map(self, x: Tensor) -> AffineMap:
        """Scale and shift of pictures from their moments; scale 1 for `centroid`."""
        shift, spread = _intensity_moments(x.detach())
        reference = min(self.window.size) / 4
        scale = spread / reference if self.kind == "moments" else torch.ones_like(spread)
        linear = scale[:, None, None] * translation(shift).matrix[..., :2]
        return AffineMap(torch.cat([linear, shift[..., None]], -1))


def without_shift(start: Map) -> Map:
    """A start without its shift, the part that the prior counts.

    The prior over the deformation is centred on the picture's centroid, so the shift costs nothing.
    The scale does, and so things of different shapes agree on one convention of size.

    Args:
        start: First poses, as a `Start` returns them.

    Returns:
        Maps with the same scale and rotation; other maps than affine ones as they are.
    """
    if not isinstance(start, AffineMap):
        return start
    return AffineMap(start.matrix * start.matrix.new_tensor([1.0, 1.0, 0.0]))


def build_start(
    kind: StartKind, starts: int | Literal["auto"], warp: Warp, window: Window
) -> Start:
    """The start for the poses of a warp.

    Samples that are no pictures, and models without a warp, begin at rest for every `kind`.

    Args:
        kind: `learned`, `centroid` or `moments`.
        starts: Number of angles, evenly spaced on the circle; `auto` for eight if the warp turns
            the full circle, else one.
        warp: The family of deformations, bound to a frame.
        window: The part of the frame that templates fill.

    Raises:
        ConfigError: The warp does not turn the full circle but `starts` is above 1, or it has no
            deformation for the poses of `kind`.

    >>> from unwarp.warps import Affine2d
    >>> len(build_start("learned", "auto", Affine2d(rotation=180), Window.frame((8, 8))).angles)
    8
    """
    family = warp.parts[-1] if warp.parts else warp
    is_pose = len(window.size) == 2 and bool(warp.factors)
    has_circle = is_pose and any(factor.periodic for factor in family.factors)
    n = (N_CIRCLE_ANGLES if has_circle else 1) if starts == "auto" else starts
    if n > 1 and not has_circle:
        raise ConfigError(
            f"starts={n} needs a warp that turns the full circle, such as "
            f"Affine2d(rotation=180), got {warp.name!r}; set starts=1"
        )
    angles = tuple(2 * math.pi * k / n for k in range(n))
    start = Start(kind if is_pose else "learned", window, angles)
    if start.kind != "learned" and not _can_represent(family, start):
        raise ConfigError(
            f"start={kind!r} begins at poses that the warp {warp.name!r} does not contain; "
            "use start='learned'"
        )
    return start


def _can_represent(family: Warp, start: Start) -> bool:
    """Whether a family contains the poses that a start may return, tried on one of them."""
    pose = translation(torch.tensor([[0.1, -0.2]]))
    if start.kind == "moments":
        pose = AffineMap(pose.matrix * torch.tensor([1.2, 1.2, 1.0]))
    map = family.map(family.theta(pose))
    points = pose.matrix[0, :, :2]
    return map.is_invertible and torch.allclose(map.push(points), pose.push(points), atol=1e-4)


def rotation(angles: Tensor, aspect: float) -> AffineMap:
    """Rotations about the centre of a frame, counter-clockwise as seen.

    Args:
        angles: Angles (N,) in radians.
        aspect: Height of the frame over its width, in pixels.

    Returns:
        Affine maps, N of them.
    """
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    entries = torch.stack([cos, sin * aspect, zero, -sin / aspect, cos, zero], -1)
    return AffineMap(entries.reshape(-1, 2, 3))


def rotation_angle(map: Map, aspect: float) -> Tensor:
    """Angles by which the affine part of maps turns the horizontal axis.

    The inverse of `rotation`.

    Args:
        map: Maps, N of them.
        aspect: Height of the frame over its width, in pixels.

    Returns:
        Angles (N,) in radians, in (-pi, pi], counter-clockwise as seen.

    >>> rotation_angle(rotation(torch.tensor([0.5]), 0.75), 0.75)
    tensor([0.5000])
    """
    horizontal = affine_part(map).matrix[..., 0]
    return torch.atan2(-horizontal[:, 1] * aspect, horizontal[:, 0])


def _background_level(x: Tensor) -> Tensor:
    """Intensity (N, 1, 1, 1) below which a pixel counts as background.

    0 if the rim of the picture is dark, else half of the picture's maximum. Without it, noise or
    light all over a picture would move the centre of intensity towards the middle.
    """
    sides = [x[..., 0, :], x[..., -1, :], x[..., 1:-1, 0], x[..., 1:-1, -1]]
    rim = torch.cat(sides, -1).flatten(1)
    brightest = x.flatten(1).amax(1)
    is_light = rim.mean(1) > MAX_DARK_RIM_SHARE * brightest
    return torch.where(is_light, brightest / 2, 0)[:, None, None, None]


def _intensity_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centre of intensity and spread around it, for pictures (N, C, H, W).

    Returns:
        Centres (N, 2) as (x, y) in half-widths and half-heights, and root mean square distances
        from them (N,) in pixels.
    """
    mass = (x - _background_level(x)).clamp_min(0).sum(1)
    total = mass.sum((1, 2)).clamp_min(1e-6)
    height, width = mass.shape[1:]
    column_shares, row_shares = mass.sum(1) / total[:, None], mass.sum(2) / total[:, None]
    centres, variances = [], []
    for shares, n in ((column_shares, width), (row_shares, height)):
        positions = ((2 * torch.arange(n, device=x.device) + 1) / n - 1).to(x.dtype)
        centre = (shares * positions).sum(1)
        centres.append(centre)
        squares = (positions - centre[:, None]).square()
        variances.append((shares * squares).sum(1) * (n / 2) ** 2)
    least = (MIN_SPREAD_IN_FRAMES * min(height, width)) ** 2
    return torch.stack(centres, -1), (variances[0] + variances[1]).clamp_min(least).sqrt()
