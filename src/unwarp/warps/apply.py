"""Samples in which something was not observed: NaN marks it, and is carried along by maps."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps.maps import Map
from unwarp.warps.window import Padding, Window


def align(x: Tensor, map: Map, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Undo the invertible part of `map` in the observations `x` (N, C, ...): the aligned data; gaps (NaN) go along."""
    return deform(map.invertible_part().invert(), x, target, padding)


def deform(map: Map, x: Tensor, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Samples `x` (N, C, ...) deformed by `map`; what would be read from a gap (NaN) is a gap, whatever lies beside it."""
    if not x.sum().isnan():  # a third of the time of looking at each value
        return map(x, target=target, padding=padding)
    gaps = x.isnan()
    values = map(x.nan_to_num(), target=target, padding=padding)
    holes = map.point_map(gaps.to(x), target=target, padding=padding)
    return values.masked_fill(holes > 1e-3, torch.nan)
