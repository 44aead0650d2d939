"""Samples in which something was not observed: NaN marks it, and is carried along by maps."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps.base import Map, Padding, Window


def canonicalize(x: Tensor, map: Map, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Undo the invertible part of `map` in the observations `x` (N, C, ...): the aligned data; gaps (NaN) go along."""
    return seen_through(map.undoable().invert(), x, target, padding)


def seen_through(map: Map, x: Tensor, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Samples `x` (N, C, ...) deformed by `map`; what would be read from a gap (NaN) is a gap, whatever lies beside it."""
    if not x.sum().isnan():  # a third of the time of looking at each value
        return map(x, target=target, padding=padding)
    gaps = x.isnan()
    values = map(x.nan_to_num(), target=target, padding=padding)
    holes = map.moving(gaps.to(x), target=target, padding=padding)
    return values.masked_fill(holes > 1e-3, torch.nan)


def filled(x: Tensor) -> Tensor:
    """Series (N, C, T) whose gaps (NaN) lie on the line between their neighbours in time; at the ends, the nearest value.

    A channel without any value becomes 0.

    >>> filled(torch.tensor([[[1.0, torch.nan, 3.0, torch.nan]]])).flatten().tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    step, last = torch.arange(x.shape[-1], device=x.device).expand(x.shape), x.shape[-1] - 1
    before = torch.where(x.isnan(), -1, step).cummax(-1).values
    after = torch.where(x.isnan(), last + 1, step).flip(-1).cummin(-1).values.flip(-1)
    left, right = (torch.where(before < 0, after, before), torch.where(after > last, before, after))
    left, right = (place.clamp(0, last) for place in (left, right))
    low, high = (x.gather(-1, place).nan_to_num() for place in (left, right))
    return low + (high - low) * ((step - left) / (right - left).clamp_min(1)).clamp(0, 1)
