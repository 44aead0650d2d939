"""Affine maps on a frame that is not square."""

from __future__ import annotations

import math

import torch

from unwarp.warps import Affine2d, AffineMap, Warp

FRAME = (24, 32)
WARP = Affine2d(size=FRAME)


def random_maps(n: int = 4, seed: int = 0) -> AffineMap:
    """Random maps that use all columns of theta, float64."""
    raw = 0.5 * torch.randn(
        n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    return WARP.map(WARP.constrain(raw))


def rotation(degrees: float, warp: Warp) -> AffineMap:
    """A rotation about the middle of the frame."""
    theta = torch.zeros(1, len(warp.factors), dtype=torch.float64)
    theta[0, 0] = math.radians(degrees)
    return warp.map(theta)  # type: ignore[return-value]
