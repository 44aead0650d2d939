"""The share of noise in pictures."""

from __future__ import annotations

from torch import Tensor

from unwarp.models.registration import white_noise

SMALLEST = 1e-12
"""Lower bound of a variance that others are divided by."""


def noise_share(x: Tensor) -> float:
    """Share of white noise in the variance of pictures, the median.

    Args:
        x: Pictures (N, C, H, W).

    >>> import torch
    >>> noise_share(torch.ones(2, 1, 8, 8))
    0.0
    """
    noise = white_noise(x).flatten()
    variance = x.flatten(0, 1).var((1, 2)).clamp_min(SMALLEST)
    return float((noise / variance).median().clamp_max(1.0))
