"""Registration of pictures: affine maps between pictures by Gauss-Newton steps.

    registration(moving, target, weight, basis)   maps from the targets to the moving pictures
    generators(warp)                              directions of a family of affine maps

The steps are those of the inverse compositional algorithm: the target is differentiated once, and a
step is inverted before it is composed. Gain and offset of the light do not matter.

Reference:
    Baker, Matthews (2004), Lucas-Kanade 20 years on: a unifying framework.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.warps import AffineMap, Map, Warp, Window, translation
from unwarp.warps.affine_map import affine_part

DAMPING = 1e-3
"""Share of the diagonal of the normal equations that is added to it."""

MIN_SHARE_IN_FRAME = 0.5
"""Least share of the weight of a target that a moving picture covers."""

MAX_MOVE = 0.4
"""Greatest movement of a point between the centre and the edges, in half-widths."""

MAX_STEP = 0.1
"""Greatest movement in a step, in half-widths."""

SMALLEST_VARIANCE = 1e-12
"""Lower bound of a variance, so that ratios are finite."""


def generators(warp: Warp) -> Tensor:
    """Directions of the part of a family that moves points last.

    They are the derivatives of its matrices by theta at the identity, so that any family has them.

    Args:
        warp: A family of deformations of images.

    Returns:
        Matrices (P, 2, 3), one for each column of theta that varies; (0, 2, 3) if the maps of the
        family are not affine.

    >>> from unwarp.warps import Rigid2d
    >>> generators(Rigid2d(rotation=0)).tolist()  # shifts
    [[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    family = moving_part(warp)
    none = torch.zeros(0, 2, 3)
    if family is None or not isinstance(family.map(_identity(family)), AffineMap):
        return none
    with torch.enable_grad():
        jacobian: Tensor = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
            lambda theta: affine_part(family.map(theta)).matrix[0], _identity(family)
        )
    varies = [not factor.discrete and factor.half_range > 0 for factor in family.factors]
    return jacobian[:, :, 0].permute(2, 0, 1)[torch.tensor(varies)]


def moving_part(warp: Warp) -> Warp | None:
    """The part of a family that moves points last.

    Args:
        warp: A family of deformations.

    Returns:
        The part; None if the family moves nothing.
    """
    parts = [part for part in warp.parts if part.moves_points and part.factors]
    return parts[-1] if parts else None


def affine_pose(map: Map) -> AffineMap:
    """The affine part of deformations that acts last, without gains.

    Args:
        map: N deformations of images.
    """
    return affine_part(map.invertible_part().point_map)


def _identity(warp: Warp) -> Tensor:
    """Theta (1, P) of the identity."""
    return torch.zeros(1, len(warp.factors))


def sample(x: Tensor, map: AffineMap, padding: str = "border") -> Tensor:
    """Pictures at the places where maps send the pixels, by bicubic interpolation.

    Args:
        x: Pictures (N, C, H, W).
        map: N maps from the pixels of the result to places in `x`.
        padding: Values beyond the pictures: `border` or `zeros`.

    Returns:
        Pictures (N, C, H, W).
    """
    grid = map.push(Window.frame(x.shape[2:]).lattice(x)).reshape(len(map), *x.shape[2:], 2)
    values: Tensor = F.grid_sample(
        x.expand(len(map), -1, -1, -1), grid, "bicubic", padding, align_corners=False
    )
    return values


def is_in_frame(x: Tensor, map: AffineMap) -> Tensor:
    """Whether maps send the pixels into the frame, as numbers.

    Args:
        x: Pictures (N, C, H, W), for the size.
        map: N maps of pixels.

    Returns:
        Numbers (N, 1, H, W): 1 inside, 0 outside, and in between within a pixel of the border, so
        that they are continuous in the maps.
    """
    points = map.push(Window.frame(x.shape[2:]).lattice(x))
    half_sides = x.new_tensor(x.shape[:1:-1]) / 2
    inside = ((1 - points.abs()) * half_sides + 0.5).clamp(0, 1).amin(-1)
    return inside.reshape(len(map), 1, *x.shape[2:])


def similarity(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Weighted correlation of pictures with others, -1 to 1.

    Args:
        x: Pictures (N, C, H, W).
        y: As many others.
        weight: Weights (N, 1, H, W), not negative.

    Returns:
        Correlations (N,), which do not depend on gains and offsets.
    """
    weight = weight.expand_as(x).flatten(1)
    weight = weight / weight.sum(1, keepdim=True).clamp_min(SMALLEST_VARIANCE)
    a, b = (part.flatten(1) for part in (x, y))
    a, b = (part - (weight * part).sum(1, keepdim=True) for part in (a, b))
    norm = (weight * a * a).sum(1) * (weight * b * b).sum(1)
    return (weight * a * b).sum(1) / norm.clamp_min(SMALLEST_VARIANCE).sqrt()


def blurred(x: Tensor, width: float) -> Tensor:
    """Pictures that a Gaussian blurs.

    Args:
        x: Pictures (N, C, H, W).
        width: Standard deviation of the Gaussian in pixels; 0 for none.
    """
    radius = min(round(3 * width), min(x.shape[2:]) - 1)
    if radius < 1:
        return x
    steps = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (steps / width) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    wide = F.pad(x, (radius,) * 4, mode="replicate")
    rows: Tensor = F.conv2d(wide, kernel, groups=x.shape[1])
    columns: Tensor = F.conv2d(rows, kernel.mT, groups=x.shape[1])
    return columns


def white_noise(x: Tensor) -> Tensor:
    """Variances (N, C) of the white noise of pictures.

    The noise is measured by a mask that smooth pictures do not answer.

    Args:
        x: Pictures (N, C, H, W).

    Reference:
        Immerkaer (1996), Fast noise variance estimation.

    >>> white_noise(torch.ones(2, 1, 8, 8)).tolist()
    [[0.0], [0.0]]
    """
    slope = x.new_tensor([1.0, -2.0, 1.0])
    mask = slope[:, None] * slope
    answer = F.conv2d(x.flatten(0, 1)[:, None], mask[None, None])
    return (answer.square().mean((1, 2, 3)) / mask.square().sum()).reshape(x.shape[:2])


@dataclass(frozen=True)
class Equations:
    """Linear least squares of a step: directions, gain and offset.

    Attributes:
        columns: Change of the target by a unit of each direction, the target, and ones
            (N, C * H * W, P + 2).
    """

    columns: Tensor

    @classmethod
    def of(cls, target: Tensor, basis: Tensor) -> Equations:
        """The equations of targets.

        Args:
            target: Pictures (N, C, H, W).
            basis: Directions (P, 2, 3).
        """
        size = target.shape[2:]
        slope_y, slope_x = torch.gradient(target, dim=(2, 3))
        slopes = torch.stack([slope_x * size[1] / 2, slope_y * size[0] / 2], -1).flatten(2, 3)
        points = F.pad(Window.frame(size).lattice(target), (0, 1), value=1.0)
        moves = torch.einsum("qak,pk->pqa", basis.to(target), points)
        change = torch.einsum("ncpa,pqa->ncpq", slopes, moves).flatten(1, 2)
        rest = torch.stack([target.flatten(1), torch.ones_like(target).flatten(1)], -1)
        return cls(torch.cat([change, rest], -1))

    def solve(self, x: Tensor, weight: Tensor) -> Tensor:
        """Steps that make the targets more like pictures.

        Args:
            x: Pictures (N, C, H, W).
            weight: Weights (N, 1, H, W).

        Returns:
            Steps (N, P) along the directions; 0 where the light is reversed.
        """
        weights = weight.expand_as(x).flatten(1)[..., None]
        left = (weights * self.columns).mT
        normal = widened(left @ self.columns)
        diagonal = normal.diagonal(dim1=-2, dim2=-1)
        damped = normal + torch.diag_embed(DAMPING * diagonal + SMALLEST_VARIANCE)
        answer = torch.linalg.solve(damped, widened(left @ x.flatten(1)[..., None]))[..., 0]
        gain = answer[:, -2:-1]
        step = torch.where(gain > SMALLEST_VARIANCE, answer[:, :-2] / gain, 0.0)
        return step.to(x)


def exponential(step: Tensor, basis: Tensor) -> AffineMap:
    """Exponential maps of steps, which stay in a closed family.

    Args:
        step: Lengths of the ways along the directions (N, P).
        basis: Directions (P, 2, 3).
    """
    tangent = torch.einsum("nq,qak->nak", step, basis.to(step))
    return AffineMap(torch.matrix_exp(F.pad(tangent, (0, 0, 0, 1)))[:, :2])


@torch.no_grad()
def registration(
    moving: Tensor,
    target: Tensor,
    weight: Tensor,
    basis: Tensor,
    n_steps: int,
    max_move: float = MAX_MOVE,
) -> tuple[AffineMap, Tensor]:
    """Maps from targets to moving pictures, near the identity.

    Of all steps the most similar pictures count. Pixels that leave the frame have no weight.

    Args:
        moving: Pictures (N, C, H, W).
        target: As many pictures that they are compared with.
        weight: Weights of the pixels of the targets (N, 1, H, W).
        basis: Directions (P, 2, 3) of the family of maps.
        n_steps: Number of steps.
        max_move: Greatest movement of a point between the centre and the edges, in half-widths.

    Returns:
        N affine maps, and the correlations (N,) of the pictures with the targets under them.
    """
    equations = Equations.of(target, basis)
    best = map = translation(moving.new_zeros(len(moving), 2))
    x, inside, score = moving, weight, similarity(moving, target, weight)
    enough = MIN_SHARE_IN_FRAME * weight.sum((1, 2, 3))
    for _ in range(n_steps):
        step = -equations.solve(x, inside)
        # long steps are shortened; if each were tried, rounding would decide between two ways
        share = MAX_STEP / reach(exponential(step, basis)).clamp_min(MAX_STEP)
        map = affine_part(map.compose(exponential(share[:, None] * step, basis)))
        x, inside = sample(moving, map), weight * is_in_frame(moving, map)
        trial = similarity(x, target, inside)
        is_better = (trial > score) & (inside.sum((1, 2, 3)) >= enough) & (reach(map) <= max_move)
        best = AffineMap(torch.where(is_better[:, None, None], map.matrix, best.matrix))
        score = torch.where(is_better, trial, score)
    return best, score


def widened(x: Tensor) -> Tensor:
    """Numbers in double precision, where the device has it.

    Args:
        x: A tensor of floating-point numbers.
    """
    return x if x.device.type == "mps" else x.double()


def reach(map: AffineMap) -> Tensor:
    """Greatest movement (N,) of points half way to the corners, in half-widths.

    Args:
        map: N affine maps.
    """
    points = 0.5 * map.matrix.new_tensor([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    moves: Tensor = (map.push(points) - points).norm(dim=-1)
    return moves.amax(-1)
