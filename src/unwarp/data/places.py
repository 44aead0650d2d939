"""Places and times in samples, in the user's coordinates and in those of a map's frame."""

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
    """Pixels or sample numbers as points (N, K, axes) of a map's frame.

    Args:
        schema: What the samples are.
        points: (K, axes) for all samples or (N, K, axes): x before y, or sample numbers.
        samples: The N samples in which the points lie.

    Convention:
        The first pixel's centre is (0, 0), and pixel edges are at -1 and 1 of the frame. Sample i of T of a
        series stands at i / (T - 1).

    Raises:
        DataError: Points of another shape, or series that were resampled.
    """
    if isinstance(samples.origin, IrregularSeries) and schema.clock.any_length:
        raise DataError(
            "X holds series of unequal lengths or with times; use transform_events for places in them"
        )
    size, n, where = _size(schema), len(samples), np.asarray(points, float)
    if (
        where.shape[-1:] != size.shape
        or where.ndim not in (2, 3)
        or (where.ndim == 3 and len(where) != n)
    ):
        raise DataError(
            f"points has shape {where.shape}; give (K, {len(size)}) or ({n}, K, {len(size)})"
        )
    framed = where / (size - 1) if schema.domain.has_times else (2 * where + 1) / size - 1
    return torch.as_tensor(framed, dtype=torch.float32).expand(n, *framed.shape[-2:])


def from_frame(schema: Schema, framed: Tensor) -> Array:
    """Points of a map's frame (..., axes) as pixels or sample numbers."""
    where, size = framed.numpy(), _size(schema)
    return np.asarray(
        where * (size - 1) if schema.domain.has_times else ((where + 1) * size - 1) / 2
    )


def time_spans(schema: Schema, samples: Prepared, inverse: bool = False) -> tuple[Array, Array]:
    """First and last time of each series as observed (N, 2), and as aligned (N, 2).

    Args:
        schema: What the samples are.
        samples: The N series.
        inverse: Whether to swap the two.

    Raises:
        DataError: The samples do not run over time.
    """
    if not schema.domain.has_times:
        raise DataError("events are of series; for pictures use transform_points")
    observed = samples.origin.spans(schema.clock)
    aligned = np.broadcast_to(schema.times[[0, -1]], observed.shape)
    return (aligned, observed) if inverse else (observed, aligned)


def _size(schema: Schema) -> Array:
    """Width and height, or length."""
    return np.array(schema.shape[1:][::-1], float)
