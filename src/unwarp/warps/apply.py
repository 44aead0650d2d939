"""Apply maps to samples; missing values (NaN) move with them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unwarp.errors import ConfigError, DataError
from unwarp.values import brief
from unwarp.waiting import can_read, may_have_gaps
from unwarp.warps.maps import Map
from unwarp.warps.window import Band, Padding, Window, check_padding

POINTS_PER_BAND = 1 << 20
"""Greatest number of points of a sample whose positions are computed at once."""

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

    Raises:
        DataError: `x` is no tensor of real numbers (N, C, ...).
        ConfigError: `map` is no map of N rows or of one, or `padding` is unknown.
    """
    _check(x, map, padding)
    return deform(x, map.invertible_part().invert(), target, padding)


def _check(x: Tensor, map: Map, padding: Padding) -> None:
    """Refuse samples, a map and a padding that do not fit together."""
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim < 3:
        form = f"a tensor {tuple(x.shape)}, {x.dtype}" if isinstance(x, Tensor) else brief(x)
        raise DataError(f"x={form} is not allowed; give a tensor (N, C, ...) of real numbers")
    if not isinstance(map, Map) or len(map) not in (1, len(x)):
        form = f"a map of {len(map)} rows" if isinstance(map, Map) else brief(map)
        raise ConfigError(f"map={form} is not allowed; give a Map of {len(x)} rows, or of one")
    check_padding(padding)


def deform(
    x: Tensor,
    map: Map,
    target: Window | None = None,
    padding: Padding = "zeros",
    source: Window | None = None,
) -> Tensor:
    """Apply a map to samples with missing values.

    A value that is interpolated from a missing value is missing, too.

    Args:
        x: Samples (N, C, ...); NaN marks missing values.
        map: N deformations, from template to observation.
        target: Window of the result; None for that of `x`.
        padding: Values beyond the samples: `zeros`, `border` or `reflection`.
        source: Window of `x`; None for the whole frame.

    Returns:
        Deformed samples (N, C, *target.size), NaN for missing values.

    Raises:
        DataError: `x` is no tensor of real numbers (N, C, ...).
        ConfigError: `map` is no map of N rows or of one, or `padding` is unknown.
    """
    _check(x, map, padding)
    is_missing = _missing(x)
    values = x if is_missing is None else x.nan_to_num()
    source = source or Window.frame(x.shape[2:])
    bands = _bands(target or source) if map.parts else (target,)
    parts = [_deform(values, is_missing, map, source, band, padding) for band in bands]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def _missing(x: Tensor) -> Tensor | None:
    """Where samples are NaN; None if none is."""
    if torch.compiler.is_compiling():
        return None  # a traced graph does not branch on values; NaN spreads to its neighbours
    if not can_read(x):
        return x.isnan() if may_have_gaps() else None
    # a sum is NaN if any value is; it takes a third of the time of x.isnan().any()
    return x.isnan() if x.sum().isnan() else None


def _deform(
    x: Tensor,
    is_missing: Tensor | None,
    map: Map,
    source: Window,
    target: Window | None,
    padding: Padding,
) -> Tensor:
    """Deformed samples on a window; NaN where a value is interpolated from a missing one."""
    values = map(x, source, target, padding)
    if is_missing is None:
        return values
    gap_weight = map.point_map(is_missing.to(x), source, target, padding)
    return values.masked_fill(gap_weight > MIN_GAP_WEIGHT, torch.nan)


def _bands(window: Window) -> list[Window]:
    """Parts of a window with few enough points to compute at once; often the window alone."""
    n_lines = max(1, POINTS_PER_BAND * window.size[0] // math.prod(window.size))
    ends = range(0, window.size[0], n_lines)
    if len(ends) == 1:
        return [window]
    return [Band.of(window, slice(i, min(i + n_lines, window.size[0]))) for i in ends]


def nearest_index(map: Map, window: Window, padding: Padding = "zeros") -> Tensor:
    """The nearest pixel or time step of the template for each point.

    With it, class numbers and other values that cannot be averaged are deformed.

    Args:
        map: N deformations, from template to observation.
        window: Grid of template and observation: the whole frame, or a window of series.
        padding: `zeros` if points beyond the template have no value; else they get the nearest one.

    Returns:
        Indices (N, P) in the flattened array of the template, int64; -1 for points without a value.

    >>> from unwarp.warps import translation
    >>> right = translation(torch.tensor([[0.5, 0.0]]))
    >>> nearest_index(right, Window.frame((1, 4))).tolist()
    [[-1, 0, 1, 2]]
    """
    return torch.cat([_nearest(map, window, band, padding) for band in _bands(window)], 1)


def _nearest(map: Map, window: Window, band: Window, padding: Padding) -> Tensor:
    """The nearest pixel or time step of the template for each point of a part of the window."""
    points = map.pull(band.lattice(map.reference))
    size = torch.tensor(window.size[::-1], device=points.device)
    is_series = len(window.size) == 1
    if is_series and window.extent[0] != 1:
        points = (points - 0.5) / window.extent[0] + 0.5
    steps = points * (size - 1) if is_series else ((points + 1) * size - 1) / 2
    index = steps.round().long()
    is_inside = ((index >= 0) & (index < size)).all(-1)
    index = torch.minimum(index.clamp_min(0), size - 1)
    flat = index[..., -1] * (1 if is_series else size[0])
    flat = flat if is_series else flat + index[..., 0]
    return flat.masked_fill(~is_inside, -1) if padding == "zeros" else flat
