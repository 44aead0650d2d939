"""Tiles: small drawings of single images or series.

All tiles of a row or grid (`unwarp.plots.galleries`) are drawn into the same axes. Coordinates of
the axes are in tile widths: a tile has the width 1 and the height `aspect_ratio`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.plots.style import COLOURS, TEXT_COLOUR

TILE_INCHES = 0.62
"""Width of the tile of an image, and least width of the tile of a series."""

SERIES_ASPECT_RATIO = 0.62
"""Height over width of the tile of a series."""

SERIES_ROW_INCHES = 6.6
"""Width of a row of a few series, which are drawn up to twice as wide as images."""

TILE_STEP = 1.14
"""Distance from one tile to the next, gap included, in tile widths."""


def is_image(sample: Array) -> bool:
    """Whether a sample is an image (C, H, W), not a series."""
    return sample.ndim == 3


def to_displayed(x: Array) -> Array:
    """An image (C, H, W) in the layout that matplotlib displays.

    Args:
        x: Intensities; values below 0 or above 1 are clipped.

    Returns:
        Colours (H, W, 3) of three channels; otherwise the first channel (H, W). Values are within
        [0, 1].

    >>> to_displayed(np.full((3, 4, 5), 2.0)).shape
    (4, 5, 3)
    """
    pixels = x[0] if x.shape[0] != 3 else np.moveaxis(x, 0, -1)
    return np.clip(pixels, 0, 1)


def common_limits(samples: Iterable[Array | None]) -> tuple[float, float]:
    """Lower and upper limit of the values of samples, with a margin.

    Tiles of series that share these limits can be compared by height.

    Args:
        samples: Samples of any shape, at least one of them not None.

    Returns:
        The least and the greatest value, each moved outwards by 5 % of their difference, or by
        0.5 if all values are equal.

    >>> common_limits([np.array([0.0, 10.0]), None])
    (-0.5, 10.5)
    """
    values = [x[np.isfinite(x)] for x in samples if x is not None]  # series may have gaps
    ranges = [(float(x.min()), float(x.max())) for x in values if x.size] or [(0.0, 0.0)]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    # a margin of 0, if all values are equal, is replaced by 0.5
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def aspect_ratio(sample: Array) -> float:
    """Height over width of the tile of a sample.

    Args:
        sample: An image (C, H, W) or a series (C, T).

    Returns:
        H / W of an image, `SERIES_ASPECT_RATIO` of a series.
    """
    return sample.shape[1] / sample.shape[2] if is_image(sample) else SERIES_ASPECT_RATIO


def tile_inches(sample: Array, n_tiles: int) -> float:
    """Width of the tile of a sample, in inches.

    All images have the same width. The fewer series a row has, the wider they are drawn, up to
    twice the width of an image.

    Args:
        sample: An image (C, H, W) or a series (C, T).
        n_tiles: Number of tiles in the row.
    """
    if is_image(sample):
        return TILE_INCHES
    share = SERIES_ROW_INCHES / (TILE_STEP * n_tiles)
    return float(np.clip(share, TILE_INCHES, 2 * TILE_INCHES))


def draw_tile(
    axis: Any, sample: Array | None, limits: tuple[float, float], x: float = 0.0, y: float = 0.0
) -> list[Any]:
    """Draw one sample into axes.

    An image is shown in grey from 0 (black) to 1 (white), or in colour if it has three channels.
    A series is drawn from left to right, one curve per channel: dark if it has one channel,
    otherwise in a colour for each channel.

    Args:
        axis: Axes of matplotlib.
        sample: An image (C, H, W) or a series (C, T); None leaves the place empty.
        limits: Values at the lower and the upper edge of the tile of a series, such as
            `common_limits` returns; ignored for images.
        x: Left edge of the tile, in tile widths.
        y: Lower edge of the tile, in tile widths.

    Returns:
        Drawings of matplotlib: one image, or one line per channel; none if `sample` is None.
    """
    if sample is None:
        return []
    if not is_image(sample):
        return _draw_series(axis, sample, limits, x, y)
    extent = (x, x + 1, y, y + aspect_ratio(sample))
    style = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    return [axis.imshow(to_displayed(sample), extent=extent, **style)]


def _draw_series(
    axis: Any, sample: Array, limits: tuple[float, float], x: float, y: float
) -> list[Any]:
    """Draw a series (C, T) with its lower left corner at (x, y), one line per channel."""
    heights = SERIES_ASPECT_RATIO * (sample - limits[0]) / (limits[1] - limits[0])
    times = x + np.linspace(0, 1, sample.shape[1])
    colours = (TEXT_COLOUR,) if len(sample) == 1 else COLOURS
    return [
        axis.plot(times, y + channel, color=colours[i % len(colours)], linewidth=0.8)[0]
        for i, channel in enumerate(heights)
    ]


def hide_frame(axis: Any, width: float, height: float) -> None:
    """Set the range of axes and hide their frame and ticks.

    Args:
        axis: Axes of matplotlib.
        width: Upper end of the horizontal range, which begins at 0, in tile widths.
        height: Upper end of the vertical range, which begins at 0, in tile widths.
    """
    axis.set(xlim=(0, width), ylim=(0, height), xticks=[], yticks=[], aspect="equal")
    axis.spines[:].set_visible(False)
