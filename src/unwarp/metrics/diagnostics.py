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
"""Largest error of the angle, in the score `ambiguous`, of a pose that is not ambiguous."""

MAX_FOLLOW_ERROR_PX = 2.0
"""Largest error of the shift, in the score `ambiguous`, of a pose that is not ambiguous."""


@score_function
def at_bounds(table: Mapping[Factor, Array], fraction: float = 0.95) -> dict[str, float]:
    """Share of deformation parameters near the bounds of their ranges.

    A high share means that the range is too narrow, or that the model estimates many poses badly.
    A range that begins at 0 has only an upper bound. Values of a range that begins above 0, such as
    scale factors, are compared by their logarithms. Periodic and discrete columns have no bounds
    and are left out.

    Args:
        table: Values (N,) of each deformation column, in the unit of its `Factor`.
        fraction: A value is near a bound if its distance from the middle of the range exceeds this
            fraction of the half-range. If the range has only an upper bound, its distance from 0
            must exceed this fraction of the whole range.

    Returns:
        `at_bounds` (share over all samples and columns), `at_bounds_samples` (share of samples
        with at least one column near a bound), and the share of each column as `at_bounds_<name>`.
        All are 0 to 1. Without a column that has bounds, only the first two are returned, both 0.
    """
    hits = {
        factor.name: _near_bounds(factor, column, fraction)
        for factor, column in table.items()
        if not factor.periodic and not factor.discrete
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
    """Mask (N,) of the values near a bound, as in `at_bounds`."""
    low, high = factor.low, factor.high
    if low > 0:  # a scale factor, for example: 1/2 and 2 are equally far from 1
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
        0 to D; D if no dimension varies. A model with that many fewer dimensions would do as well.
    """
    variance = codes.var(0)
    return float((variance < min_share * max(float(variance.max()), 1e-12)).sum())


@score_function(best=0.0)
def ambiguous(map: Map, probe: Map, probed_map: Map, size: tuple[int, int]) -> dict[str, float]:
    """Errors of estimated poses after a known deformation of the images.

    Each image is deformed by a known affine map, the probe, and encoded again. The estimated map of
    the deformed image should be `probe o map`; the error is the affine part of
    `(probe o map)^-1 o probed_map`. A large error means that the pose is ambiguous, such as that of
    a 6 that is taken for an upside-down 9. The true deformations are not needed.

    Args:
        map: Estimated maps of the images, N rows.
        probe: Known maps that were applied to the images, N rows.
        probed_map: Estimated maps of the deformed images, N rows.
        size: Height and width of the frame in pixels (H, W).

    Returns:
        `follow_deg` and `follow_px` (median errors of angle and shift), and `ambiguous` (share of
        images with an error above 10 degrees or 2 pixels, or with a wrong mirror). All are 0 at
        best.
    """
    warp = Affine2d(size=size, mirror=True)
    error = probe.compose(affine_part(map)).invert().compose(affine_part(probed_map))
    columns = {factor.name: column.numpy() for factor, column in warp.summary(error).items()}
    angle = np.abs(columns["rotation_deg"])
    shift = np.hypot(columns["shift_x_px"], columns["shift_y_px"])
    is_ambiguous = (angle > MAX_FOLLOW_ERROR_DEG) | (shift > MAX_FOLLOW_ERROR_PX)
    is_ambiguous |= columns["mirror"] > 0
    return {
        "follow_deg": float(np.median(angle)),
        "follow_px": float(np.median(shift)),
        "ambiguous": float(is_ambiguous.mean()),
    }
