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


def nearest_index(map: Map, window: Window, padding: Padding = "zeros") -> Tensor:
    """The nearest pixel or time step of the template for each point.

    With it, class numbers and other values that cannot be averaged are deformed.

    Args:
        map: N deformations, from template to observation.
        window: Grid of template and observation, the whole frame.
        padding: `zeros` if points beyond the template have no value; else they get the nearest one.

    Returns:
        Indices (N, P) in the flattened array of the template, int64; -1 for points without a value.

    >>> from unwarp.warps import translation
    >>> right = translation(torch.tensor([[0.5, 0.0]]))
    >>> nearest_index(right, Window.frame((1, 4))).tolist()
    [[-1, 0, 1, 2]]
    """
    points = map.pull(window.lattice(map.reference))
    size = torch.tensor(window.size[::-1], device=points.device)
    is_series = len(window.size) == 1
    steps = points * (size - 1) if is_series else ((points + 1) * size - 1) / 2
    index = steps.round().long()
    is_inside = ((index >= 0) & (index < size)).all(-1)
    index = torch.minimum(index.clamp_min(0), size - 1)
    flat = index[..., -1] * (1 if is_series else size[0])
    flat = flat if is_series else flat + index[..., 0]
    return flat.masked_fill(~is_inside, -1) if padding == "zeros" else flat
