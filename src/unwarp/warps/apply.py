"""Apply maps to samples; missing values (NaN) move with them."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.warps.maps import Map
from unwarp.warps.window import Padding, Window

MIN_GAP_WEIGHT = 1e-3
"""A value is missing if missing values have more than this weight in its interpolation."""


def align(x: Tensor, map: Map, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Undo the invertible part of a map in observations.

    Args:
        x: Observations (N, C, ...) on the whole frame; NaN marks missing values.
        map: N deformations, from template to observation.
        target: Window of the result; None for the whole frame at the size of `x`.
        padding: Values beyond the observations: `zeros`, `border` or `reflection`.

    Returns:
        Aligned samples (N, C, *target.size), NaN for missing values.
    """
    return deform(x, map.invertible_part().invert(), target, padding)


def deform(x: Tensor, map: Map, target: Window | None = None, padding: Padding = "zeros") -> Tensor:
    """Apply a map to samples with missing values.

    A value that is interpolated from a missing value is missing, too.

    Args:
        x: Samples (N, C, ...) on the whole frame; NaN marks missing values.
        map: N deformations, from template to observation.
        target: Window of the result; None for the whole frame at the size of `x`.
        padding: Values beyond the samples: `zeros`, `border` or `reflection`.

    Returns:
        Deformed samples (N, C, *target.size), NaN for missing values.
    """
    # a sum is NaN if any value is; it takes a third of the time of x.isnan().any()
    if not x.sum().isnan():
        return map(x, target=target, padding=padding)
    is_missing = x.isnan()
    values = map(x.nan_to_num(), target=target, padding=padding)
    gap_weight = map.point_map(is_missing.to(x), target=target, padding=padding)
    return values.masked_fill(gap_weight > MIN_GAP_WEIGHT, torch.nan)
