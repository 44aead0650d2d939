"""The size at which a model learns, and samples at other sizes.

Deformations of images are in half-widths of the frame, so that a map holds at any size. A model
learns small copies of large images, and its maps are applied to the images themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Array, Domain
from unwarp.errors import ConfigError

SIDES = (24, 32, 40)
"""Sides in pixels that are tried before the longest working side of the domain."""

MIN_SHARE_OF_VARIANCE = 0.98
"""Least share of the variance of images that their small copies keep."""

IMAGES_FOR_SIDE = 64
"""Number of images that are compared with their small copies."""


def find_working_size(samples: Array, domain: Domain, choice: Any = "auto") -> tuple[int, ...]:
    """Height and width at which a model learns images.

    Args:
        samples: Samples (N, C, ...) at their full size, of any numeric type.
        domain: Their domain.
        choice: `auto` keeps samples up to the longest working side of the domain; for larger ones,
            it takes the smallest of several sides at which copies keep 98 % of the variance. A
            whole number is the longest side in pixels, (H, W) a size. None is the full size.

    Returns:
        Sizes of the axes after the channels; those of `samples` for the full size.

    Raises:
        ConfigError: `choice` is none of these, exceeds the full size, or is set for samples that
            have no working size, such as series.

    >>> from unwarp.core import IMAGES
    >>> find_working_size(np.zeros((5, 1, 28, 20)), IMAGES)
    (28, 20)
    >>> find_working_size(np.zeros((5, 1, 200, 100)), IMAGES, 40)
    (40, 20)
    """
    full = tuple(int(n) for n in samples.shape[2:])
    if choice is None or (choice == "auto" and domain.max_working_side is None):
        return full
    if domain.max_working_side is None:
        raise ConfigError(
            f"working_size={choice!r} is for images, and these samples are {domain.plural}; leave "
            "it out"
        )
    if isinstance(choice, tuple | list):
        return _check_size(tuple(choice), full, choice)
    if choice != "auto":
        return _check_size(_scaled_size(full, choice), full, choice)
    if max(full) <= domain.max_working_side:
        return full
    return _find_size(samples, full, domain.max_working_side)


def note_on_size(size: tuple[int, ...], full_size: tuple[int, ...] | None) -> str:
    """A line on the working size; empty for the full size.

    Args:
        size: Size at which the model learns.
        full_size: Size of the samples; None if it is the same.
    """
    if full_size is None:
        return ""
    words = [" x ".join(map(str, pixels)) for pixels in (full_size, size)]
    return (
        f"images of {words[0]} pixels are learned at {words[1]}; results are at the full size "
        "(working_size)"
    )


def resize_smoothly(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Images of another size in the same frame.

    Pixels are averaged with weights that fall towards the neighbours if an axis shrinks; otherwise
    they are interpolated by cubic polynomials. `resize_by_areas` keeps the user's pictures exact.

    Args:
        x: Images (N, C, H, W).
        size: Height and width of the result in pixels.

    Returns:
        Images (N, C, *size); `x` itself if it has this size.

    >>> resize_smoothly(torch.ones(1, 1, 4, 4), (2, 2)).tolist()
    [[[[1.0, 1.0], [1.0, 1.0]]]]
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x
    shrinks = size[0] < x.shape[2] or size[1] < x.shape[3]
    mode = "bilinear" if shrinks else "bicubic"
    return F.interpolate(x, size=tuple(size), mode=mode, antialias=shrinks, align_corners=False)


def _scaled_size(full: tuple[int, ...], side: int) -> tuple[int, ...]:
    """A size with the proportions of `full` and the longest side `side`."""
    return tuple(max(1, round(n * side / max(full))) for n in full)


def _check_size(size: tuple[int, ...], full: tuple[int, ...], choice: Any) -> tuple[int, ...]:
    """The working size; refused if it exceeds the full size."""
    if len(size) != len(full) or any(n > m for n, m in zip(size, full, strict=True)):
        words = " x ".join(map(str, full))
        raise ConfigError(
            f"working_size={choice!r} does not fit images of {words} pixels (height x width); give "
            "a side or a size (H, W) of at most that, 'auto', or None for the full size"
        )
    return size


def _as_tensor(samples: Array) -> Tensor:
    """Samples as a new tensor of real numbers."""
    return torch.from_numpy(np.asarray(samples).astype(np.float32))


def _find_size(samples: Array, full: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """The smallest size at which copies of images keep most of their variance."""
    rows = np.unique(np.linspace(0, len(samples) - 1, IMAGES_FOR_SIDE).astype(int))
    size = _scaled_size(full, min(4 * longest, max(full)))
    x = torch.cat([resize_smoothly(_as_tensor(samples[row : row + 1]), size) for row in rows])
    variance = (x - x.mean((2, 3), keepdim=True)).square().sum()
    for side in SIDES:
        size = _scaled_size(full, side)
        copy = resize_smoothly(resize_smoothly(x, size), tuple(x.shape[2:]))
        if (copy - x).square().sum() <= (1 - MIN_SHARE_OF_VARIANCE) * variance:
            return size
    return _scaled_size(full, longest)
