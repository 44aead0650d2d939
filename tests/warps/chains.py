"""A chain of a displacement and an affine warp, with points and random parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps import Affine2d, Chain, Displacement2d, Warp

FRAME = (24, 32)
CHAIN = Chain(Displacement2d(3), Affine2d()).bind(FRAME)
POINTS = torch.rand(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def thetas(warp: Warp, n: int = 4, seed: int = 0) -> Tensor:
    """Random parameters (n, P), float64."""
    raw = torch.randn(
        n, len(warp.factors), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    return warp.constrain(0.5 * raw)
