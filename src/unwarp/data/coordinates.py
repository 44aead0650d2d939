"""Points and times of a user in the coordinates of a map.

Users state points in pixels or sample numbers and events in seconds. Maps work in normalised
coordinates: -1 to 1 between the outer pixel edges of an image, 0 to 1 between the first and the
last sample of a series.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.data.recordings import IrregularSeries
from unwarp.data.schema import Prepared, Schema
from unwarp.errors import DataError


def to_frame(schema: Schema, points: Any, samples: Prepared) -> Tensor:
    """Pixels or sample numbers in normalised coordinates.

    Convention:
        The centre of the first pixel is (0, 0), and the outer pixel edges are at -1 and 1. Sample i
        of T samples of a series is at i / (T - 1).

    Args:
        schema: Description of the samples.
        points: Points (K, axes) of all samples, or (N, K, axes); x before y in pixels for images,
            or sample numbers for series. Points outside the frame are allowed.
        samples: The N samples that the points belong to.

    Returns:
        Points (N, K, axes), float32.

    Raises:
        DataError: `points` has another shape, or the samples are series of unequal lengths or with
            time stamps: resampling changes their sample numbers.
    """
    if isinstance(samples.origin, IrregularSeries) and schema.clock.any_length:
        raise DataError(
            "X holds series of unequal lengths or with times; use transform_events for points in "
            "them"
        )
    size, n, pixels = _frame_size(schema), len(samples), np.asarray(points, float)
    has_axes = pixels.shape[-1:] == size.shape and pixels.ndim in (2, 3)
    if not has_axes or (pixels.ndim == 3 and len(pixels) != n):
        raise DataError(
            f"points has shape {pixels.shape}; give (K, {len(size)}) or ({n}, K, {len(size)})"
        )
    coordinates = pixels / (size - 1) if schema.domain.has_times else (2 * pixels + 1) / size - 1
    return torch.as_tensor(coordinates, dtype=torch.float32).expand(n, *coordinates.shape[-2:])


def from_frame(schema: Schema, framed: Tensor) -> Array:
    """Normalised coordinates as pixels or sample numbers, the inverse of `to_frame`.

    Args:
        schema: Description of the samples.
        framed: Points (..., axes) in normalised coordinates.

    Returns:
        Points (..., axes): x before y in pixels for images, or sample numbers for series.
    """
    coordinates, size = framed.numpy(), _frame_size(schema)
    if schema.domain.has_times:
        return np.asarray(coordinates * (size - 1))
    return np.asarray(((coordinates + 1) * size - 1) / 2)


def time_spans(schema: Schema, samples: Prepared, inverse: bool = False) -> tuple[Array, Array]:
    """First and last time of each series, before and after alignment.

    Args:
        schema: Description of the samples.
        samples: N series.
        inverse: Whether to swap the two results, for the way from aligned to observed times.

    Returns:
        Times as observed (N, 2) and as aligned (N, 2), in the unit of the time stamps; without time
        stamps in seconds, or in samples if there is no sampling rate.

    Raises:
        DataError: The samples do not run over time.
    """
    if not schema.domain.has_times:
        raise DataError("events are of series; for pictures use transform_points")
    observed = samples.origin.spans(schema.clock)
    aligned = np.broadcast_to(schema.times[[0, -1]], observed.shape)
    return (aligned, observed) if inverse else (observed, aligned)


def _frame_size(schema: Schema) -> Array:
    """Width and height of images in pixels, or the length of series in samples."""
    return np.array(schema.shape[1:][::-1], float)
