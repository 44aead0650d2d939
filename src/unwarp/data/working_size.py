"""The size at which a model learns, and samples at other sizes.

Deformations are in half-widths of an image, or in lengths of a series, so that a map holds at any
size. A model learns small copies of large samples, and its maps are applied to the samples
themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Array, Domain
from unwarp.data.steps import resize_steps
from unwarp.errors import ConfigError

MIN_SHARE_OF_VARIANCE = 0.98
"""Least share of the variance of images that their small copies keep."""

MIN_SHARE_OF_SERIES = 0.995
"""The same for series, without their noise; more, because narrow peaks tell their timing."""

SAMPLES_FOR_SIDE, NUMBERS_FOR_SIDE = 64, 1 << 22
"""Greatest number of samples, and of their values, that are compared with their small copies."""


def find_working_size(samples: Array, domain: Domain, choice: Any = "auto") -> tuple[int, ...]:
    """Size at which a model learns samples.

    Args:
        samples: Samples (N, C, ...) at their full size, of any numeric type.
        domain: Their domain.
        choice: `auto` keeps samples up to the longest working side of the domain; for larger ones,
            it takes the smallest of several sides at which copies keep 98 % of the variance, and
            99.5 % of that of series, whose noise does not count. A whole number is the longest side
            in pixels, or the number of time steps; (H, W) is a size of images. None is the full
            size.

    Returns:
        Sizes of the axes after the channels; those of `samples` for the full size.

    Raises:
        ConfigError: `choice` is none of these, exceeds the full size, or is set for samples of a
            domain without a working size.

    >>> from unwarp.core import IMAGES, SERIES
    >>> find_working_size(np.zeros((5, 1, 28, 20)), IMAGES)
    (28, 20)
    >>> find_working_size(np.zeros((5, 1, 200, 100)), IMAGES, 40)
    (40, 20)
    >>> find_working_size(np.zeros((5, 1, 20_000)), SERIES)
    (512,)
    """
    full = tuple(int(n) for n in samples.shape[2:])
    if choice is None or (choice == "auto" and domain.max_working_side is None):
        return full
    if domain.max_working_side is None:
        raise ConfigError(
            f"working_size={choice!r} is not for {domain.plural}, which have no working size; "
            "leave it out"
        )
    if isinstance(choice, tuple | list):
        return _check_size(tuple(choice), full, choice, domain)
    if choice != "auto":
        return _check_size(_scaled_size(full, choice), full, choice, domain)
    if max(full) <= (domain.max_kept_side or domain.max_working_side):
        return full
    return _find_size(samples, full, domain)


def note_on_size(domain: Domain, size: tuple[int, ...], full_size: tuple[int, ...] | None) -> str:
    """A line on the working size; empty for the full size.

    Args:
        domain: Domain of the samples.
        size: Size at which the model learns.
        full_size: Size of the samples; None if it is the same.
    """
    if full_size is None:
        return ""
    words = [" x ".join(map(str, sides)) for sides in (full_size, size)]
    return (
        f"{domain.plural} of {words[0]} {_unit(domain)} are learned at {words[1]}; results are at "
        "the full size (working_size)"
    )


def _unit(domain: Domain) -> str:
    """Word for the unit of the sides of samples."""
    return "time steps" if domain.has_times else "pixels"


def resize_smoothly(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Samples of another size in the same frame.

    Pixels are averaged with weights that fall towards the neighbours if an axis shrinks; otherwise
    they are interpolated by cubic polynomials. `resize_by_areas` keeps the user's pictures exact.
    Series are resized by `resize_steps`.

    Args:
        x: Images (N, C, H, W), or series (N, C, T).
        size: Height and width of the result in pixels, or its number of time steps.

    Returns:
        Samples (N, C, *size); `x` itself if it has this size.

    >>> resize_smoothly(torch.ones(1, 1, 4, 4), (2, 2)).tolist()
    [[[[1.0, 1.0], [1.0, 1.0]]]]
    """
    if tuple(x.shape[2:]) == tuple(size):
        return x
    if len(size) == 1:
        return resize_steps(x, size[0])
    shrinks = size[0] < x.shape[2] or size[1] < x.shape[3]
    mode = "bilinear" if shrinks else "bicubic"
    return F.interpolate(x, size=tuple(size), mode=mode, antialias=shrinks, align_corners=False)


def _scaled_size(full: tuple[int, ...], side: int) -> tuple[int, ...]:
    """A size with the proportions of `full` and the longest side `side`."""
    return tuple(max(1, round(n * side / max(full))) for n in full)


def _check_size(
    size: tuple[int, ...], full: tuple[int, ...], choice: Any, domain: Domain
) -> tuple[int, ...]:
    """The working size; refused if it exceeds the full size."""
    if len(size) != len(full) or any(n > m for n, m in zip(size, full, strict=True)):
        words = f"{domain.plural} of {' x '.join(map(str, full))} {_unit(domain)}"
        is_flat = len(full) > 1
        axes, sizes = (
            (" (height x width)", "a side or a size (H, W)") if is_flat else ("", "a number")
        )
        raise ConfigError(
            f"working_size={choice!r} does not fit {words}{axes}; give {sizes} of at most that, "
            "'auto', or None for the full size"
        )
    return size


def _as_tensor(samples: Array) -> Tensor:
    """Samples as a new tensor of real numbers."""
    return torch.from_numpy(np.asarray(samples).astype(np.float32))


def _find_size(samples: Array, full: tuple[int, ...], domain: Domain) -> tuple[int, ...]:
    """The smallest size at which copies of samples keep most of their variance."""
    longest = min(domain.max_working_side or max(full), max(full))
    x = _probe(samples, full, longest)
    for side in (side for side in domain.working_sides if side < longest):
        if _is_kept(x, _scaled_size(full, side)):
            return _scaled_size(full, side)
    return _scaled_size(full, longest)


def _probe(samples: Array, full: tuple[int, ...], longest: int) -> Tensor:
    """Some samples to compare with small copies: images of a bounded size, standardised series."""
    n = max(2, min(SAMPLES_FOR_SIDE, NUMBERS_FOR_SIDE // math.prod(samples.shape[1:])))
    rows = np.unique(np.linspace(0, len(samples) - 1, n).astype(int))
    if len(full) > 1:
        size = _scaled_size(full, min(4 * longest, max(full)))
        return torch.cat(
            [resize_smoothly(_as_tensor(samples[row : row + 1]), size) for row in rows]
        )
    x = np.asarray(samples[rows], np.float64)
    x = x - np.nanmean(x, -1, keepdims=True)
    deviation = np.nanstd(x, -1, keepdims=True)
    return torch.from_numpy(x / np.where(deviation > 0, deviation, 1.0))


def _is_kept(x: Tensor, size: tuple[int, ...]) -> bool:
    """Whether small copies of samples keep most of their variance.

    The independent noise of series does not count: even and odd steps are copied apart, and their
    covariances stand for variances.
    """
    if x.ndim > 3:
        rest = _loss_of_copy(x, size)
        variance = (x - x.mean((2, 3), keepdim=True)).square().sum()
        return bool(rest.square().sum() <= (1 - MIN_SHARE_OF_VARIANCE) * variance)
    n = x.shape[-1] // 2 * 2
    even, odd = x[..., :n:2], x[..., 1:n:2]
    lost = _loss_of_copy(even, size) * _loss_of_copy(odd, size)
    return bool(lost.nansum() <= (1 - MIN_SHARE_OF_SERIES) * (even * odd).nansum())


def _loss_of_copy(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Small copies of samples, enlarged again, minus the samples."""
    return resize_smoothly(resize_smoothly(x, size), tuple(x.shape[2:])) - x
