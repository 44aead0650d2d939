"""Conversion of a user's points and times to the coordinates of maps.

Users give points of images in pixels and points of series as indices of time steps. Maps (batches
of deformations) use normalised coordinates. In an image these are -1 at the left or upper outer
pixel edge and 1 at the right or lower one. In a series they are 0 at the first time step and 1 at
the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.numbers import real_numbers
from unwarp.data.schema import Prepared, Schema
from unwarp.data.sizes import Sizing
from unwarp.errors import DataError


def to_frame(schema: Schema, points: Any, samples: Prepared, is_aligned: bool = False) -> Tensor:
    """Convert pixels, or indices of time steps, to normalised coordinates.

    Convention:
        In pixels, (0, 0) is the centre of the first pixel. In an image W pixels wide, the pixel
        coordinate x becomes (2 x + 1) / W - 1, so that the outer pixel edges, x = -0.5 and
        x = W - 0.5, become -1 and 1. In a series of T time steps, step i becomes i / (T - 1).

    Args:
        schema: Description of the samples.
        points: Points (K, axes) that all samples share, or (N, K, axes). For images, axes is 2, and
            a point is (x, y) in pixels; for series, axes is 1, and a point is the index of a time
            step. Fractions, and points outside the samples, are allowed.
        samples: The N samples that the points belong to. Pixels are those of each picture, also if
            pictures of several sizes were brought to one.
        is_aligned: Whether the points belong to the aligned samples.

    Returns:
        Points (N, K, axes), float32.

    Raises:
        DataError: `points` has another shape or values that are no numbers, or the samples are
            series of unequal lengths or with time stamps. Resampling changes the time steps of
            such series.
    """
    if isinstance(samples.origin, IrregularSeries) and schema.clock.any_length:
        raise DataError(
            "X holds series of unequal lengths or with times, which are resampled; use "
            "transform_events, which takes times instead of points"
        )
    size, n, pixels = _frame_size(schema), len(samples), real_numbers("points", points, finite=True)
    has_axes = pixels.shape[-1:] == size.shape and pixels.ndim in (2, 3)
    if not has_axes or (pixels.ndim == 3 and len(pixels) != n):
        raise DataError(
            f"points has shape {pixels.shape}; give (K, {len(size)}) or ({n}, K, {len(size)})"
        )
    sizing = _sizing_of(samples, is_aligned)
    if sizing is not None:
        pixels = sizing.to_common(np.broadcast_to(pixels, (n, *pixels.shape[-2:])))
    coordinates = pixels / (size - 1) if schema.domain.has_times else (2 * pixels + 1) / size - 1
    return torch.as_tensor(coordinates, dtype=torch.float32).expand(n, *coordinates.shape[-2:])


def from_frame(
    schema: Schema, framed: Tensor, samples: Prepared, is_aligned: bool = False
) -> Array:
    """Convert normalised coordinates to pixels or time steps, the inverse of `to_frame`.

    Args:
        schema: Description of the samples.
        framed: Points (N, K, axes) in normalised coordinates.
        samples: The N samples that the points belong to.
        is_aligned: Whether the points belong to the aligned samples.

    Returns:
        Points (N, K, axes): (x, y) in pixels for images, or indices of time steps for series.
    """
    coordinates, size = framed.numpy(), _frame_size(schema)
    if schema.domain.has_times:
        return np.asarray(coordinates * (size - 1))
    pixels = np.asarray(((coordinates + 1) * size - 1) / 2)
    sizing = _sizing_of(samples, is_aligned)
    return pixels if sizing is None else sizing.from_common(pixels)


def _sizing_of(samples: Prepared, is_aligned: bool) -> Sizing | None:
    """The sizing between pixels of pictures and of the model; None if they are the same.

    Aligned pictures have the sizes of the observed ones, except those that were cropped.
    """
    sizing = samples.sizing
    return None if sizing is None or (is_aligned and sizing.rule == "crop") else sizing


def time_spans(schema: Schema, samples: Prepared, inverse: bool = False) -> tuple[Array, Array]:
    """First and last time of each series, before and after alignment.

    Args:
        schema: Description of the samples.
        samples: N series.
        inverse: Whether to swap the two results, to convert aligned times to observed times.

    Returns:
        The first and last times of the observed series (N, 2), then of the aligned series (N, 2).
        They are in the unit of the time stamps, else in seconds if there is a sampling rate, else
        in time steps.

    Raises:
        DataError: The domain of the samples has no axis of time.
    """
    if not schema.domain.has_times:
        raise DataError(
            f"events belong to series, X holds {schema.domain.plural}; use transform_points"
        )
    frame = schema.times[[0, -1]]
    observed = samples.origin.spans(schema.clock, frame)
    aligned = np.broadcast_to(frame, observed.shape)
    return (aligned, observed) if inverse else (observed, aligned)


def _frame_size(schema: Schema) -> Array:
    """Width and height of images in pixels, or the number of time steps of series."""
    return np.array(schema.user_shape[1:][::-1], float)
