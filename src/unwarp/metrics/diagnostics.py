"""Diagnostics without labels: parameters at bounds, unused codes, ambiguous poses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Factor
from unwarp.metrics.registry import score_function
from unwarp.warps import Affine2d, Map
from unwarp.warps.affine_map import affine_part

MAX_FOLLOW_ERROR_DEG = 10.0
MAX_FOLLOW_ERROR_PX = 2.0
"""Errors in following a probe above which the pose of a sample counts as ambiguous."""


@score_function
def at_bounds(table: Mapping[Factor, Array], fraction: float = 0.95) -> dict[str, float]:
    """Share of deformation parameters near the bounds of their ranges.

    A high share means that the range is too narrow, or that poses are lost. A column with a range
    that starts at 0 has one bound only; columns of positive ranges are compared by their logarithm;
    periodic columns have no bounds and are left out.

    Args:
        table: Values (N,) of each deformation column, in the unit of its `Factor`.
        fraction: A value is near a bound if it is beyond this fraction of the half-range about
            the middle (of the whole range, if there is one bound).

    Returns:
        `at_bounds` (share over all samples and columns), `at_bounds_samples` (share of samples
        with at least one column near a bound), and the share of each column as `at_bounds_<name>`.
        All are 0 to 1; the first two alone, both 0, if every column is periodic.
    """
    hits = {
        factor.name: _near_bounds(factor, column, fraction)
        for factor, column in table.items()
        if not factor.periodic
    }
    if not hits:
        return {"at_bounds": 0.0, "at_bounds_samples": 0.0}
    stacked = np.stack([*hits.values()])
    columns = {f"at_bounds_{name}": float(hit.mean()) for name, hit in hits.items()}
    return {
        "at_bounds": float(stacked.mean()),
        "at_bounds_samples": float(stacked.any(0).mean()),
    } | columns


def _near_bounds(factor: Factor, values: Array, fraction: float) -> NDArray[np.bool_]:
    """Mask (N,) of the values beyond `fraction` of the factor's range."""
    low, high = factor.low, factor.high
    if low > 0:  # a product's factor, such as a scale: 1/2 and 2 are equally far from 1
        low, high, values = np.log(low), np.log(high), np.log(np.maximum(values, 1e-6))
    middle, half = (low + high) / 2, (high - low) / 2
    if low < 0:
        return np.abs(values - middle) > fraction * half
    return values > low + fraction * (high - low)


@score_function(best=0.0)
def unused_content(codes: Array, min_share: float = 0.01) -> float:
    """Number of content dimensions that hardly vary.

    Args:
        codes: Content codes (N, D).
        min_share: A dimension is unused if its variance is below this share of the largest one.

    Returns:
        0 to D; D if no dimension varies. A model could do with that many fewer dimensions.
    """
    variance = codes.var(0)
    return float((variance < min_share * max(float(variance.max()), 1e-12)).sum())


@score_function(best=0.0)
def ambiguous(map: Map, probe: Map, probed_map: Map, size: tuple[int, int]) -> dict[str, float]:
    """How faithfully estimated poses follow a known deformation of the images.

    Each image is deformed by a known affine map and encoded again. The pose of the copy should be
    `probe o map`; the error is the affine part of `(probe o map)^-1 o probed_map`. A pose that does
    not follow has more than one explanation, such as an upside-down 6 that reads as a 9. No truth
    is needed.

    Args:
        map: Deformations estimated for the images (N).
        probe: Known deformations that were put on top of the images (N).
        probed_map: Deformations estimated for the deformed images (N).
        size: Frame in pixels (H, W).

    Returns:
        `follow_deg` and `follow_px` (median errors of angle and shift), and `ambiguous` (share of
        images that are off by more than 10 degrees or 2 pixels). All are 0 at best.
    """
    warp = Affine2d(size=size)
    error = probe.compose(affine_part(map)).invert().compose(affine_part(probed_map))
    columns = {factor.name: column.numpy() for factor, column in warp.summary(error).items()}
    angle = np.abs(columns["rotation_deg"])
    shift = np.hypot(columns["shift_x_px"], columns["shift_y_px"])
    is_lost = (angle > MAX_FOLLOW_ERROR_DEG) | (shift > MAX_FOLLOW_ERROR_PX)
    return {
        "follow_deg": float(np.median(angle)),
        "follow_px": float(np.median(shift)),
        "ambiguous": float(is_lost.mean()),
    }
