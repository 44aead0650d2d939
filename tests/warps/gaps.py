"""Series with missing values."""

from __future__ import annotations

import torch


def series_with_gaps(
    seed: int = 0, n: int = 5, channels: int = 2, length: int = 40
) -> torch.Tensor:
    """Series with a fifth of their values missing, first and last ones among them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, channels, length, generator=generator)
    is_missing = torch.rand(x.shape, generator=generator) < 0.2
    is_missing[0, 0, :3], is_missing[1, 1, -4:] = True, True
    return x.masked_fill(is_missing, torch.nan)
