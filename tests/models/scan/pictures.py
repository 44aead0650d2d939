"""Noisy pictures of spots in known poses."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps import Map, Rigid2d, deform
from unwarp.warps.affine_map import affine_part

SPOTS = (
    ((-0.4, 0.1, 0.2), (0.2, 0.3, 0.15), (0.1, -0.4, 0.25)),
    ((0.4, 0.4, 0.15), (-0.4, 0.3, 0.15), (0.3, -0.4, 0.15), (-0.3, -0.3, 0.15)),
)
"""Spots of two things: places (x, y) and widths in half-widths."""


def thing(kind: int, side: int = 24) -> Tensor:
    """A picture (1, H, W) of spots."""
    steps = (2 * torch.arange(side) + 1) / side - 1
    spots = [((steps - x) ** 2 + (steps[:, None] - y) ** 2) / w**2 for x, y, w in SPOTS[kind]]
    return sum(((-0.7 * spot).exp() for spot in spots), torch.zeros(side, side))[None]


def noisy(warp: Rigid2d, kinds: Tensor, snr: float = 1.0, seed: int = 0) -> tuple[Tensor, Map]:
    """Things (N, 1, H, W) in random poses, with noise, and their maps."""
    generator = torch.Generator().manual_seed(seed)
    clean = torch.stack([thing(kind) for kind in kinds.tolist()])
    map = warp.sample(len(kinds), generator)
    x = deform(clean, map)
    noise = torch.randn(x.shape, generator=generator) * (x.var() / snr).sqrt()
    return x + noise, map


def errors(estimate: Map, map: Map, kinds: Tensor) -> Tensor:
    """Distances (N,) in pixels of three points, less a movement that each kind shares."""
    points, result = torch.tensor([[0.5, 0.0], [-0.3, 0.4], [-0.3, -0.4]]), torch.zeros(len(kinds))
    for kind in kinds.unique():
        rows = (kinds == kind).nonzero()[:, 0]
        undone = affine_part(estimate.invert().compose(map))[rows].push(points)
        result[rows] = 12 * (undone - undone.median(0).values).norm(dim=-1).mean(-1)
    return result
