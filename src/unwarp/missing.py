"""Missing values (NaN), filled from a model or by interpolation."""

from __future__ import annotations

import torch
from torch import Tensor


def fill_missing(x: Tensor, x_hat: Tensor) -> Tensor:
    """Samples with their missing values taken from a reconstruction.

    Args:
        x: Samples, NaN at missing values.
        x_hat: Reconstructions of the same shape; they get no gradient.

    Returns:
        Samples without NaN. Filled values equal `x_hat`, so that they add no reconstruction error.
    """
    return torch.where(x.isnan(), x_hat.detach(), x)


def interpolate_missing(x: Tensor) -> Tensor:
    """Series with their missing values interpolated linearly in time.

    Before the first and after the last value of a channel, its nearest value is repeated. A
    channel without any value becomes 0.

    Args:
        x: Series (N, C, T) with equal time steps, NaN at missing values.

    Returns:
        Series (N, C, T) without NaN.

    >>> interpolate_missing(torch.tensor([[[1.0, torch.nan, 3.0, torch.nan]]])).flatten().tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    step, last_step = torch.arange(x.shape[-1], device=x.device).expand(x.shape), x.shape[-1] - 1
    # steps of the nearest values before and after each step; -1 and last_step + 1 if there is none
    previous_step = torch.where(x.isnan(), -1, step).cummax(-1).values
    next_step = torch.where(x.isnan(), last_step + 1, step).flip(-1).cummin(-1).values.flip(-1)
    left = torch.where(previous_step < 0, next_step, previous_step).clamp(0, last_step)
    right = torch.where(next_step > last_step, previous_step, next_step).clamp(0, last_step)
    left_value, right_value = (x.gather(-1, index).nan_to_num() for index in (left, right))
    weight = ((step - left) / (right - left).clamp_min(1)).clamp(0, 1)
    return left_value + (right_value - left_value) * weight
