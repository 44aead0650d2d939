"""Samples in which something was not observed: NaN marks it."""

from __future__ import annotations

import torch
from torch import Tensor


def fill_from(x: Tensor, x_hat: Tensor) -> Tensor:
    """`x` with the values of `x_hat` where it is NaN; they carry no gradient."""
    return torch.where(x.isnan(), x_hat.detach(), x)


def interpolate_missing(x: Tensor) -> Tensor:
    """Series (N, C, T) whose gaps (NaN) lie on the line between their neighbours in time; at the ends, the nearest value.

    A channel without any value becomes 0.

    >>> interpolate_missing(torch.tensor([[[1.0, torch.nan, 3.0, torch.nan]]])).flatten().tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    step, last = torch.arange(x.shape[-1], device=x.device).expand(x.shape), x.shape[-1] - 1
    before = torch.where(x.isnan(), -1, step).cummax(-1).values
    after = torch.where(x.isnan(), last + 1, step).flip(-1).cummin(-1).values.flip(-1)
    left, right = (torch.where(before < 0, after, before), torch.where(after > last, before, after))
    left, right = (place.clamp(0, last) for place in (left, right))
    low, high = (x.gather(-1, place).nan_to_num() for place in (left, right))
    return low + (high - low) * ((step - left) / (right - left).clamp_min(1)).clamp(0, 1)
