"""The share of noise in pictures."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

SMALLEST = 1e-12
"""Lower bound of a variance that others are divided by."""


def noise_share(x: Tensor) -> float:
    """Share of white noise in the variance of pictures, the median.

    The noise is measured by a mask that smooth pictures do not answer.

    Args:
        x: Pictures (N, C, H, W).

    Reference:
        Immerkaer (1996), Fast noise variance estimation.

    >>> import torch
    >>> noise_share(torch.ones(2, 1, 8, 8))
    0.0
    """
    slope = x.new_tensor([1.0, -2.0, 1.0])
    mask = slope[:, None] * slope
    answer = F.conv2d(x.flatten(0, 1)[:, None], mask[None, None])
    noise = answer.square().mean((1, 2, 3)) / mask.square().sum()
    variance = x.flatten(0, 1).var((1, 2)).clamp_min(SMALLEST)
    return float((noise / variance).median().clamp_max(1.0))
