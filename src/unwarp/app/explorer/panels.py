"""Panels of the page: pictures as PNG, series as numbers."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from unwarp.core import Array

GREY, RED, BLUE = (128, 128, 128), (214, 48, 32), (44, 98, 186)
"""Colours of residuals: none, observed values that are greater, and those that are smaller."""

FULL_RESIDUAL = 0.5
"""Difference of intensities that has the full colour."""

SIGNIFICANT_DIGITS = 5
"""Digits of the numbers of a curve."""

PNG_LEVEL = 1
"""Level of compression: the page is on this machine, so that speed counts."""


def picture(x: Array) -> str:
    """An image as the address of a PNG.

    Args:
        x: Intensities (C, H, W), clipped to [0, 1]; of three channels or more the first three are
            colours, else the first is grey.

    >>> picture(np.zeros((1, 2, 2)))[:22]
    'data:image/png;base64,'
    """
    pixels = np.rint(np.clip(np.nan_to_num(x), 0, 1) * 255).astype(np.uint8)
    return _address(np.moveaxis(pixels[:3], 0, -1) if len(x) >= 3 else pixels[0])


def residual_picture(observed: Array, reconstruction: Array) -> str:
    """The difference of two images in colours.

    Red is where the first is brighter, blue where it is darker.

    Args:
        observed: Intensities (C, H, W).
        reconstruction: Intensities (C, H, W).

    Returns:
        The address of a PNG; the mean over channels is drawn, with full colour at 0.5.
    """
    difference = np.nan_to_num(np.clip(observed, 0, 1) - np.clip(reconstruction, 0, 1)).mean(0)
    weight = np.clip(difference / FULL_RESIDUAL, -1, 1)[..., None]
    grey, red, blue = (np.array(colour, float) for colour in (GREY, RED, BLUE))
    colours = np.where(weight > 0, grey + weight * (red - grey), grey - weight * (blue - grey))
    return _address(np.rint(colours).astype(np.uint8))


def _address(pixels: Array) -> str:
    """A data address of pixels (H, W) or (H, W, 3), uint8."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=PNG_LEVEL)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def curves(x: Array, times: Array, n_points: int | None = None) -> dict[str, Any]:
    """A series as lists of numbers.

    Args:
        x: Values (C, T), NaN where they are missing.
        times: Times of the steps (T,).
        n_points: Greatest number of points; None for all.

    Returns:
        `time` (K,) and `values` (C, K), None for missing values.

    >>> curves(np.array([[1.0, np.nan]]), np.array([0.0, 0.5]))
    {'time': [0.0, 0.5], 'values': [[1.0, None]]}
    """
    if n_points is not None and x.shape[-1] > n_points:
        steps = np.linspace(0, x.shape[-1] - 1, n_points).round().astype(int)
        x, times = x[:, steps], times[steps]
    return {"time": numbers(times), "values": [numbers(channel) for channel in x]}


def numbers(values: Array) -> list[float | None]:
    """Numbers for JSON, rounded to five digits of their span.

    Args:
        values: Numbers (K,).

    Returns:
        The numbers; None for those that are not finite.

    >>> numbers(np.array([1.0, np.inf, 1 / 3]))
    [1.0, None, 0.33333]
    """
    x = np.asarray(values, np.float64)
    span = np.ptp(x[np.isfinite(x)]) if np.isfinite(x).any() else 0.0
    if span > 0:
        x = np.round(x, int(SIGNIFICANT_DIGITS - np.floor(np.log10(span)) - 1))
    return [value if math.isfinite(value) else None for value in x.tolist()]


def exact(values: Array) -> list[float]:
    """Numbers for JSON, with all digits of float32.

    Args:
        values: Finite numbers (K,).
    """
    return [float(value) for value in values]


def value_limits(samples: Iterable[Array]) -> tuple[float, float]:
    """Least and greatest finite value of series.

    Args:
        samples: Series of any shapes.
    """
    parts = [x[np.isfinite(x)] for x in samples]
    ends = [(float(x.min()), float(x.max())) for x in parts if x.size] or [(0.0, 1.0)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
