"""The range of values of images, despite hot pixels and varying light.

A hot pixel is a single pixel far above its neighbours. It must not decide the range of all others.
If lamps or exposures differ from image to image, each image gets its own range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array
from unwarp.data.blocks import row_blocks
from unwarp.data.scaling import Scaler

MAX_CONTRAST_RATIO = 1.8
"""Largest ratio of the contrasts of images (90 % to 10 % quantile) in a constant light."""

MAX_SPREAD_OF_GROUND = 0.25
"""Largest spread of the background (90 % minus 10 % quantile) in a constant light, over the median
contrast of an image."""

MIN_RATIO_OF_HOT_PIXELS = 2.0
"""Smallest ratio of the range of all pixels to that without single pixels at which these are hot.
"""

MAX_RATIO_OF_HOT_PIXELS = 1e30
"""Largest ratio of these ranges that can be scaled in float32."""

MAX_NOISE_OF_RIM = 0.1
"""Largest standard deviation of the rim over the contrast at which its median is the background."""

MAX_NOISE_FOR_VARIATION = 0.3
"""Standard deviation of the rim over the contrast below which a variation of the light shows."""

IMAGES_FOR_LIGHT = 512
"""Number of images that are looked at to find out about the light."""

MIN_IMAGES_FOR_LIGHT, NUMBERS_FOR_LIGHT = 4, 1 << 26
"""Least number of images for the same, and greatest number of their values."""


@dataclass(frozen=True)
class Light:
    """Background, darkest and brightest values of images.

    Single pixels do not count: values are those of a median filter of 3 x 3 pixels.

    Attributes:
        low: Smallest value of each image (N,).
        high: Largest value of each image (N,).
        ground: Background: the median of the outermost pixels of each image (N,).
        noise: Standard deviation of the outermost pixels of each image (N,).

    >>> x = np.zeros((2, 1, 9, 9))
    >>> x[:, :, 3:7, 3:7], x[0, 0, 0, 0] = 0.5, 60.0  # the last is a hot pixel
    >>> Light.of(x).high.tolist()
    [0.5, 0.5]
    """

    low: Array
    high: Array
    ground: Array
    noise: Array

    @classmethod
    def of(cls, x: Array) -> Self:
        """The light of images (N, C, H, W)."""
        low, high, ground, noise = (np.empty(len(x)) for _ in range(4))
        for rows, part, smooth in _smooth_blocks(x):
            low[rows], high[rows] = smooth.min((1, 2, 3)), smooth.max((1, 2, 3))
            edges = (part[..., 0, :], part[..., -1, :], part[..., 0], part[..., -1])
            rim = np.concatenate([edge.reshape(len(part), -1) for edge in edges], 1)
            ground[rows], noise[rows] = np.median(rim, 1), rim.std(1)
        return cls(low, high, ground, noise)

    @property
    def has_dark_ground(self) -> bool:
        """Whether most images are bright on a dark background without much noise."""
        contrast: Array = np.maximum(self.high - self.low, np.finfo(float).tiny)
        is_dark = self.high - self.ground > self.ground - self.low
        return bool(np.mean(is_dark & (self.noise < MAX_NOISE_OF_RIM * contrast)) > 0.5)

    @property
    def variation(self) -> str:
        """How the light varies, in words; empty if it is constant."""
        contrast = np.maximum(self.high - self.ground, self.ground - self.low)
        typical = float(np.median(contrast))
        if np.median(self.noise) >= MAX_NOISE_FOR_VARIATION * typical:
            return ""
        dim, bright = np.quantile(contrast, (0.1, 0.9))
        darkest, brightest = np.quantile(self.ground, (0.1, 0.9))
        if brightest - darkest > MAX_SPREAD_OF_GROUND * typical:
            return f"backgrounds of images range from {darkest:.3g} to {brightest:.3g}"
        if bright > MAX_CONTRAST_RATIO * max(dim, np.finfo(float).tiny):
            return f"contrasts of images range from {dim:.3g} to {bright:.3g}"
        return ""


def sample_of_images(x: Array) -> Array:
    """Up to 512 images, fewer large ones, spread evenly over all."""
    n = min(IMAGES_FOR_LIGHT, max(MIN_IMAGES_FOR_LIGHT, NUMBERS_FOR_LIGHT // x[0].size))
    rows = np.unique(np.linspace(0, len(x) - 1, n).astype(int))
    return np.asarray(x[rows])


def fit_image_scaler(x: Array, has_dark_ground: bool) -> Scaler:
    """The scale that gives each image its own range.

    Args:
        x: Images (N, C, H, W).
        has_dark_ground: Whether the background becomes 0; else the smallest value does.

    Returns:
        A scale for these N images only, with offset and factor (N, 1, 1, 1). The largest value of
        an image, without single pixels, becomes 1. An image without contrast becomes 0.
    """
    light = Light.of(x)
    offset = light.ground if has_dark_ground else light.low
    contrast = light.high - offset
    factor = np.where(contrast > 0, contrast, 1.0)
    return Scaler(offset.reshape(-1, 1, 1, 1), factor.reshape(-1, 1, 1, 1))


def range_of_images(x: Array, low: float, high: float) -> tuple[float, float]:
    """The range of images without hot pixels, from a dark background.

    Args:
        x: Images (N, C, H, W).
        low: Smallest value of all.
        high: Largest value of all.

    Returns:
        The median background if it is dark, else `low`; and `high`. If single pixels are far
        outside the range of all others, the range is that of all others.
    """
    light = Light.of(sample_of_images(x))
    span = float(light.high.max() - light.low.min())
    if span and MIN_RATIO_OF_HOT_PIXELS * span <= high - low < MAX_RATIO_OF_HOT_PIXELS * span:
        low, high = _range_of_others(x, span)
    return float(np.median(light.ground)) if light.has_dark_ground else low, high


def _range_of_others(x: Array, span: float) -> tuple[float, float]:
    """The range of all pixels that differ from their neighbours by at most `span`."""
    ends = [
        (float(values.min()), float(values.max()))
        for _, part, smooth in _smooth_blocks(x)
        if (values := part[np.abs(part - smooth) <= span]).size
    ]
    return min(end for end, _ in ends), max(end for _, end in ends)


def _smooth_blocks(x: Array) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Blocks of images in float64, with their rows and with a median filter applied to them."""
    from scipy.ndimage import median_filter

    for rows in row_blocks(x):
        part = x[rows].astype(np.float64)
        yield rows, part, median_filter(part, size=(1, 1, 3, 3), mode="nearest")
