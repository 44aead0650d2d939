"""Small copies of pictures, whose pixels are averages over areas."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps.constants import cache_tensors


def average_areas(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Pictures of a smaller size in the same frame.

    A pixel of the result is the mean over the area that it covers, with pixels on the edge of this
    area in part.

    Args:
        x: Pictures (N, C, H, W).
        size: Height and width of the result in pixels, at most those of `x`.

    Returns:
        Pictures (N, C, *size); `x` itself if it has this size.

    >>> average_areas(torch.tensor([[[[1.0, 2.0, 3.0]]]]), (1, 2))  # 1 and half of 2; the rest
    tensor([[[[1.3333, 2.6667]]]])
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x
    rows, columns = (_weights(n, m, x) for n, m in zip(x.shape[2:], size, strict=True))
    return rows @ x @ columns.mT


@cache_tensors
def _weights(n: int, m: int, like: Tensor) -> Tensor:
    """Weights (m, n) of n pixels in averages over m areas of one axis."""
    edges = torch.arange(m + 1, dtype=like.dtype, device=like.device)[:, None] * n / m
    pixels = torch.arange(n, dtype=like.dtype, device=like.device)
    overlap = torch.minimum(edges[1:], pixels + 1) - torch.maximum(edges[:-1], pixels)
    return overlap.clamp_min(0) * m / n
