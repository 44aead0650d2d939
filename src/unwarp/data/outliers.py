"""Samples that would decide the scale of all others.

A series of 1e20 among series of 1 would bring all others to 0. Such samples do not count for the
scale, and their values are limited for training; the user is warned.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, ScaleName
from unwarp.data.blocks import row_blocks
from unwarp.data.precision import wide_dtype
from unwarp.errors import DataWarning

MIN_OUTLIER_RATIO = 1e4
"""Smallest distance from the centre of all samples, over the median distance, of an outlier."""

MAX_OUTLIER_DEVIATIONS = 10.0
"""Scaled values of outliers among series are limited to this many standard deviations."""


def outlier_rows(x: Array, scale: ScaleName | None = "auto") -> NDArray[np.intp]:
    """Indices of samples that would decide the scale alone.

    The distance of a sample is that of its farthest value from the median of the samples' means.

    Args:
        x: Finite samples (N, C, ...).
        scale: As for `fit_scaler`. With `channel`, distances are compared within each channel. With
            `each` and None, no sample influences the scale of another, so there are no outliers.

    Returns:
        Indices in increasing order; in most collections there are none.

    >>> outlier_rows(np.array([[[0.0, 1.0]], [[0.0, 2.0]], [[0.0, 1e20]]])).tolist()
    [2]
    """
    if scale not in ("auto", "channel") or x.dtype == np.uint8:
        return np.array([], np.intp)
    low, high, mean = (np.empty(x.shape[:2]) for _ in range(3))
    for rows in row_blocks(x):
        block = x[rows]
        part = block.reshape(*block.shape[:2], -1)
        low[rows], high[rows] = part.min(-1), part.max(-1)
        mean[rows] = part.mean(-1, dtype=wide_dtype(part))
    axis = 0 if scale == "channel" else None
    centre = np.median(mean, axis)
    distances = np.maximum(high - centre, centre - low)
    if scale == "auto":
        distances = distances.max(1, keepdims=True)
    return np.flatnonzero(np.any([_are_far(column) for column in distances.T], 0))


def _are_far(distances: Array) -> NDArray[np.bool_]:
    """Whether each distance (N,) is that of an outlier; samples at distance 0 do not count."""
    positive = distances[distances > 0]
    if not positive.size:
        return np.zeros(len(distances), bool)
    return np.asarray(distances > MIN_OUTLIER_RATIO * np.median(positive))


def warn_of_outliers(x: Array, rows: NDArray[np.intp]) -> None:
    """Warn that samples do not count for the scale.

    Args:
        x: Samples (N, C, ...).
        rows: Indices of the outliers, at least one.
    """
    row = int(rows[0])
    more = f", and {len(rows) - 1:,} more," if len(rows) > 1 else ""
    typical_rows = np.delete(np.arange(len(x)), rows)
    low, high = min(x[i].min() for i in typical_rows), max(x[i].max() for i in typical_rows)
    warnings.warn(
        f"sample {row} of X{more} has values from {x[row].min():g} to {x[row].max():g}, all others "
        f"from {low:g} to {high:g}; it does not count for the scale, and its values are limited "
        "for training: correct or drop it",
        DataWarning,
        stacklevel=2,
    )


def limit(scaled: NDArray[np.float32], is_bounded: bool) -> NDArray[np.float32]:
    """Scaled values of outliers within the range of the other samples.

    Args:
        scaled: Scaled outliers (M, C, ...); NaN stays NaN.
        is_bounded: Whether the domain has values in [0, 1], as images have.

    Returns:
        Values in [0, 1] for images, and within `MAX_OUTLIER_DEVIATIONS` for series.
    """
    low = 0.0 if is_bounded else -MAX_OUTLIER_DEVIATIONS
    return np.clip(scaled, low, 1.0 if is_bounded else MAX_OUTLIER_DEVIATIONS)
