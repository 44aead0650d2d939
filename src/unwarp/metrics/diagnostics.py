"""Did it work on data without labels? Signs that need nothing but the samples themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Factor
from unwarp.metrics.registry import score_function
from unwarp.warps import Affine2d, Map
from unwarp.warps.affine_map import affine_part

LOST_DEG = 10.0
LOST_PX = 2.0


@score_function
def at_bounds(table: Mapping[Factor, Array], near: float = 0.95) -> dict[str, float]:
    """Share of parameters beyond `near` of their range: a range too narrow, or lost poses.

    Returns:
        `at_bounds` (over all samples and columns that are not periodic), `at_bounds_samples` (samples with some column
        there), and the share of each column as `at_bounds_` with its name.
    """
    hits = {f.name: _beyond(f, column, near) for f, column in table.items() if not f.periodic}
    if not hits:
        return {"at_bounds": 0.0, "at_bounds_samples": 0.0}
    every = np.stack([*hits.values()])
    columns = {f"at_bounds_{name}": float(hit.mean()) for name, hit in hits.items()}
    return {
        "at_bounds": float(every.mean()),
        "at_bounds_samples": float(every.any(0).mean()),
    } | columns


def _beyond(factor: Factor, values: Array, near: float) -> NDArray[np.bool_]:
    """Which values lie beyond `near` of the factor's range; factors of a product are judged by their logarithm."""
    low, high = factor.low, factor.high
    if low > 0:
        low, high, values = np.log(low), np.log(high), np.log(np.maximum(values, 1e-6))
    middle, half = (low + high) / 2, (high - low) / 2
    return np.abs(values - middle) > near * half if low < 0 else values > low + near * (high - low)


@score_function(best=0.0)
def unused_content(codes: Array, share: float = 0.01) -> float:
    """Number of content dimensions whose variance is below `share` of the largest one's."""
    variance = codes.var(0)
    return float((variance < share * max(float(variance.max()), 1e-12)).sum())


@score_function(best=0.0)
def ambiguous(map: Map, move: Map, moved_map: Map, size: tuple[int, int]) -> dict[str, float]:
    """How faithfully the found deformation follows a known one that was put on top of each sample.

    Args:
        map: Maps found for the samples (N).
        move: Known deformations (N), applied to the samples.
        moved_map: Maps found for the moved samples (N).
        size: Frame in pixels (H, W).

    Returns:
        `follow_deg` and `follow_px` (median errors) and `ambiguous` (share of samples off by more than 10 degrees or
        2 pixels: their pose has more than one explanation).
    """
    warp = Affine2d(size=size)
    error = move.compose(affine_part(map)).invert().compose(affine_part(moved_map))
    columns = {factor.name: column.numpy() for factor, column in warp.summary(error).items()}
    turn = np.abs(columns["rotation_deg"])
    shift = np.hypot(columns["shift_x_px"], columns["shift_y_px"])
    lost = (turn > LOST_DEG) | (shift > LOST_PX)
    return {
        "follow_deg": float(np.median(turn)),
        "follow_px": float(np.median(shift)),
        "ambiguous": float(lost.mean()),
    }
