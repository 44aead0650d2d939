"""The start: the first estimate of the pose of a sample.

It is made before any stage of the pose network runs. It has no trainable parameters. It is the
identity, or it is computed from the intensity moments of an image. It may also rotate the template
by one of several angles, the start angles, so that a pose anywhere on the full circle is near one
of them. For a warp with a mirror, each start angle is tried with the template as it is and with its
mirror image. The stages of the pose network then predict the rest of the deformation.

Convention:
    Start angles are numbers (N,) in radians. If the warp has a mirror, they are pairs (N, 2): the
    angle, and 1 for a mirrored template or 0. The mirror acts on the template first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.models.registration import moving_part
from unwarp.warps import AffineMap, IdentityMap, Map, TimeMap, Warp, Window, translation
from unwarp.warps.affine_map import affine_part
from unwarp.warps.constants import constant
from unwarp.warps.mirror import mirror_first, reflections

StartKind = Literal["learned", "centroid", "moments", "search"]
START_KINDS: tuple[StartKind, ...] = ("learned", "centroid", "moments", "search")

N_CIRCLE_ANGLES = 8
"""Default number of start angles for a warp that turns the full circle."""
MIN_SPREAD_IN_FRAMES = 0.05
"""Least spread of intensity, as a share of the frame's shorter side; it keeps scales above 0."""
MAX_DARK_RIM_SHARE = 0.03
"""Mean intensity of the outermost pixels, over the image's maximum, up to which a rim is dark."""


@dataclass(frozen=True)
class Start:
    """The first estimate of the pose: a function from samples to maps.

    It has no trainable parameters and passes no gradients to the samples.

    Attributes:
        kind: `learned`: the identity, and the first stage of the pose network, which sees the whole
            frame, predicts the pose. `centroid`: the shift from the centre of the frame to the
            centre of intensity. `moments`: that shift and a scale. The scale is the root mean
            square distance of the intensity from its centre, divided by a quarter of the shorter
            side of `window`.
        window: The part of the frame that templates fill.
        angles: Start angles in radians among which `PoseSearch` chooses. A call does not use them;
            it takes the chosen angles as an argument.
        has_mirror: Whether `PoseSearch` also chooses between the template and its mirror image.

    >>> x = torch.zeros(1, 1, 4, 4)
    >>> x[..., 1:3, 3] = 1.0  # bright pixels at the right edge
    >>> Start("centroid", Window.frame((4, 4)))(x).push(torch.zeros(1, 2))
    tensor([[[0.7500, 0.0000]]])
    """

    kind: StartKind
    window: Window
    angles: tuple[float, ...] = (0.0,)
    has_mirror: bool = False

    def __call__(self, x: Tensor, angles: Tensor | None = None) -> Map:
        """First estimates of the poses of samples.

        Args:
            x: Images (N, C, H, W); for `learned` also other samples (N, C, ...).
            angles: Start angle of each sample in radians, (N,), or with its mirror, (N, 2); or K
                angles of each sample, (K * N, ...), first the angles of all samples for k = 1, then
                for k = 2, and so on. None for no rotation.

        Returns:
            N maps, or K * N in the order of `angles`. The mirror acts on the template first, then
            the rotation, then the scale and the shift.
        """
        start: Map = IdentityMap(len(x)) if self.kind == "learned" else self._moments_map(x)
        if angles is None:
            return start
        rows = torch.arange(len(x), device=angles.device).repeat(len(angles) // len(x))
        return start[rows].compose(orientation(angles, x.shape[2] / x.shape[3]))

    def _moments_map(self, x: Tensor) -> AffineMap:
        """The scale and shift of images (N, C, H, W) from their intensity moments.

        The scale is 1 for `centroid`.
        """
        shift, spread = _intensity_moments(x.detach())
        reference = min(self.window.size) / 4
        scale = spread / reference if self.kind == "moments" else torch.ones_like(spread)
        linear = scale[:, None, None] * torch.eye(2, dtype=shift.dtype, device=shift.device)
        return AffineMap(torch.cat([linear, shift[..., None]], -1))


def without_shift(start: Map) -> Map:
    """First estimates of the pose with their shift set to 0.

    The prior over the deformation does not penalise the shift of the start: its mean is at the
    centre of intensity of each image. It does penalise the scale of the start, so that templates of
    different classes get similar sizes.

    Args:
        start: N maps that a `Start` returned.

    Returns:
        N maps with the same scale and rotation and without a shift. A search for lags is left out
        whole. Other maps, such as the identity, are returned unchanged.
    """
    if isinstance(start, TimeMap):
        return IdentityMap(len(start))
    if not isinstance(start, AffineMap):
        return start
    return AffineMap(start.matrix * constant((1.0, 1.0, 0.0), start.matrix))


def build_start(
    kind: StartKind, starts: int | Literal["auto"], warp: Warp, window: Window
) -> Start:
    """A start that suits a warp.

    For samples that are not images, and for models without a warp, it is the identity, whatever
    `kind` says. If shifts or scales of the warp are switched off by a range of 0, the start leaves
    them out, too.

    Args:
        kind: `learned`, `centroid` or `moments`, as in `Start`.
        starts: Number of start angles, evenly spaced on the circle; `auto` for eight if the warp
            turns the full circle, else one.
        warp: The family of deformations, bound to a frame.
        window: The part of the frame that templates fill.

    Raises:
        ConfigError: `starts` is above 1 but the warp does not turn the full circle, or the warp
            cannot represent the shifts and scales of `kind`.

    >>> from unwarp.warps import Affine2d
    >>> len(build_start("learned", "auto", Affine2d(rotation=180), Window.frame((8, 8))).angles)
    8
    """
    family = moving_part(warp) or warp
    has_pose = len(window.size) == 2 and bool(warp.factors)  # images, and a warp that moves them
    has_circle = has_pose and any(factor.periodic for factor in family.factors)
    has_mirror = has_pose and any(factor.discrete for factor in family.factors)
    n = (N_CIRCLE_ANGLES if has_circle else 1) if starts == "auto" else starts
    if n > 1 and not has_circle:
        raise ConfigError(
            f"starts={n} needs a warp that turns the full circle, such as "
            f"Affine2d(rotation=180), got {warp.name!r}; set starts=1"
        )
    angles = tuple(2 * math.pi * k / n for k in range(n))
    kind_of_pose = _kind_of(kind, family) if has_pose else "learned"
    start = Start(kind_of_pose, window, angles, has_mirror)
    if start.kind != "learned" and not _can_represent(family, start):
        raise ConfigError(
            f"start={kind!r} needs shifts or scales that the warp {warp.name!r} does not contain; "
            "use start='learned'"
        )
    return start


def is_shifted(warp: Warp) -> bool:
    """Whether a warp of pictures has shifts, as `centroid` needs them.

    Args:
        warp: The family of deformations.

    >>> from unwarp.warps import Affine2d, CosineTime
    >>> is_shifted(Affine2d()), is_shifted(Affine2d(shift=0)), is_shifted(CosineTime())
    (True, False, False)
    """
    family = moving_part(warp)
    if family is None or not isinstance(family.map(torch.zeros(1, len(family.factors))), AffineMap):
        return False
    ranges = {factor.name: factor.half_range for factor in family.factors}
    return bool(ranges.get("shift_x") and ranges.get("shift_y"))


def _kind_of(kind: StartKind, family: Warp) -> StartKind:
    """The kind of start that uses no factor with a range of 0, which is switched off."""
    off = {factor.name.removeprefix("log_") for factor in family.factors if not factor.half_range}
    if off & {"shift_x", "shift_y"}:
        return "learned"
    return "centroid" if kind == "moments" and off & {"scale", "scale_x", "scale_y"} else kind


def _can_represent(family: Warp, start: Start) -> bool:
    """Whether a family can represent the maps that a start returns.

    The family is tried on one such map: it must be unchanged by `family.theta` and `family.map`.
    """
    pose = translation(torch.tensor([[0.1, -0.2]]))  # an arbitrary shift, and a scale of 1.2
    if start.kind == "moments":
        pose = AffineMap(pose.matrix * torch.tensor([1.2, 1.2, 1.0]))
    map = family.map(family.theta(pose))
    points = pose.matrix[0, :, :2]
    return map.is_invertible and torch.allclose(map.push(points), pose.push(points), atol=1e-4)


def orientation(angles: Tensor, aspect: float) -> AffineMap:
    """Rotations, of templates or of their mirror images, about the centre.

    Args:
        angles: Angles (N,) in radians, or angles and mirrors (N, 2).
        aspect: Height of the frame over its width, in pixels.

    Returns:
        N affine maps.
    """
    if angles.ndim < 2:
        return rotation(angles, aspect)
    return mirror_first(rotation(angles[:, 0], aspect), angles[:, 1:])


def follow(angles: Tensor, map: Map, aspect: float, is_turned: bool = True) -> Tensor:
    """Start angles of samples after a known deformation.

    Args:
        angles: Start angles (N,) of the samples in radians, or angles and mirrors (N, 2).
        map: N deformations of the samples.
        aspect: Height of the frame over its width, in pixels.
        is_turned: Whether the angles change; if not, only the mirrors do.

    Returns:
        Start angles (N,) or (N, 2) of the deformed samples.

    >>> half_turn = rotation(torch.tensor([3.0]), 1.0)
    >>> follow(torch.tensor([[0.1, 1.0]]), half_turn, 1.0)
    tensor([[3.1000, 1.0000]])
    """
    mirrors = reflections(map)
    turn = rotation_angle(mirror_first(affine_part(map), mirrors), aspect) * is_turned
    if angles.ndim < 2:
        return angles + turn
    # with the mirror F and a rotation R(a), F R(a) = R(-a) F
    signs = 1 - 2 * mirrors[:, 0]
    is_mirrored = (angles[:, 1] != mirrors[:, 0]).to(angles)
    return torch.stack([turn + signs * angles[:, 0], is_mirrored], -1)


def rotation(angles: Tensor, aspect: float) -> AffineMap:
    """Rotations about the centre of a frame, counter-clockwise as seen.

    Args:
        angles: Angles (N,) in radians.
        aspect: Height of the frame over its width, in pixels.

    Returns:
        N affine maps.
    """
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    entries = torch.stack([cos, sin * aspect, zero, -sin / aspect, cos, zero], -1)
    return AffineMap(entries.reshape(-1, 2, 3))


def rotation_angle(map: Map, aspect: float) -> Tensor:
    """Angles by which the affine part of maps turns the horizontal axis.

    For maps of `rotation` these are the angles of the rotations.

    Args:
        map: N maps of images.
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

    It is 0 if the rim of the image is dark, else half of the image's maximum. A bright background
    is thus left out of the centre of intensity, which it would move towards the centre of the
    frame.
    """
    sides = [x[..., 0, :], x[..., -1, :], x[..., 1:-1, 0], x[..., 1:-1, -1]]
    rim = torch.cat(sides, -1).flatten(1)
    brightest = x.flatten(1).amax(1)
    is_light = rim.mean(1) > MAX_DARK_RIM_SHARE * brightest
    return torch.where(is_light, brightest / 2, 0)[:, None, None, None]


def _intensity_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centre of intensity and spread around it, for images (N, C, H, W).

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
        # pixel centres from -1 to 1, the outer edges of the frame
        positions = ((2 * torch.arange(n, device=x.device) + 1) / n - 1).to(x.dtype)
        centre = (shares * positions).sum(1)
        centres.append(centre)
        squares = (positions - centre[:, None]).square()
        variances.append((shares * squares).sum(1) * (n / 2) ** 2)
    least = (MIN_SPREAD_IN_FRAMES * min(height, width)) ** 2
    return torch.stack(centres, -1), (variances[0] + variances[1]).clamp_min(least).sqrt()
