"""Which axis is which: the one place that decides whether an array is images or series."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unwarp.core import Array, Domain
from unwarp.errors import ConfigError, DataError

CHANNELS = (1, 3, 4)
"""Channel counts of common pictures: grey, colour, colour with alpha."""


SMALLEST = 8
"""Height and width from which a square 3-D array is taken for pictures."""


def oriented(
    x: Array, domain: str = "auto", image_shape: tuple[int, ...] | None = None
) -> tuple[Array, str]:
    """A view of `x` as images (N, C, H, W), series (N, C, T) or samples of another domain, and the domain's name.

    Args:
        x: Numbers (N, ...), 2-D to 4-D.
        domain: `image` or `series` where the shape alone does not say.
        image_shape: (H, W) or (C, H, W) of the pictures; it settles every doubt.

    Raises:
        DataError: A shape that does not fit what was said of it, or that reads two ways.
        ConfigError: `image_shape` is no shape, or `domain` is `series` at the same time.
    """
    natural = Domain.of_axes(x.ndim - 2) if domain == "auto" and x.ndim > 4 else None
    if natural is not None or domain not in ("auto", "image", "series"):
        natural = natural or Domain.registry[domain]
        return _of_domain(x, natural), natural.name
    if x.ndim not in (2, 3, 4):
        raise DataError(_wrong_rank(x))
    if image_shape is not None:
        return _as_told(x, domain, image_shape), "image"
    if x.ndim == 4:
        if domain == "series":
            raise DataError(
                f"X has shape {x.shape}, but series are (N, T) or (N, C, T); reshape X or drop domain='series'"
            )
        return _channels_first(x), "image"
    if x.ndim == 2:
        if domain == "image":
            raise DataError(
                f"X has shape {x.shape} and domain='image'; say what a row is with image_shape=(H, W)"
            )
        return x[:, None], "series"
    if domain == "series":
        return x, "series"
    if domain == "image" or (x.shape[1] == x.shape[2] >= SMALLEST):
        return x[:, None], "image"
    raise DataError(_two_readings(x))


def _of_domain(x: Array, domain: Domain) -> Array:
    """A view of `x` as samples (N, C, ...) of a domain that is neither images nor series."""
    n_axes = len(domain.axes)
    if x.ndim not in (n_axes + 1, n_axes + 2):
        axes = ", ".join(domain.axes)
        raise DataError(
            f"X has shape {x.shape}, but {domain.plural} are (N, {axes}) or (N, C, {axes})"
        )
    return x[:, None] if x.ndim == n_axes + 1 else x


def _wrong_rank(x: Array) -> str:
    if x.ndim == 1:
        return (
            f"X is 1-D with shape {x.shape}; series are (N, T), images (N, C, H, W). Reshape your data with "
            "X.reshape(1, -1) if it is one sample, or X.reshape(-1, 1) if each sample is one number"
        )
    if x.ndim == 0:
        return "X is a single number; series are (N, T), images (N, C, H, W)"
    return f"X has {x.ndim} axes, shape {x.shape}; series are (N, T) or (N, C, T), images (N, H, W) or (N, C, H, W)"


def _two_readings(x: Array) -> str:
    count, first, second = x.shape
    return (
        f"X has shape {x.shape}, which reads two ways: {count} pictures of height {first} and width {second}, one "
        f"channel (domain='image'), or {count} series of {second} time steps, {first} channels (domain='series'); "
        "say which with domain"
    )


def _channels_first(x: Array) -> Array:
    """4-D `x` as (N, C, H, W), where only one reading makes sense."""
    first = x.shape[1] in CHANNELS and min(x.shape[2:]) > 1
    last = x.shape[3] in CHANNELS and min(x.shape[1:3]) > 1
    if first and last:
        _, a, b, c = x.shape
        raise DataError(
            f"X has shape {x.shape}, which reads two ways: {a} channels of {b} x {c} (image_shape={(a, b, c)}), or, "
            f"channels last, {c} channels of {a} x {b} (image_shape={(c, a, b)}); say which with image_shape=(C, H, W)"
        )
    return np.moveaxis(x, 3, 1) if last else x


def _as_told(x: Array, domain: str, image_shape: tuple[int, ...]) -> Array:
    """`x` as images of `image_shape`: (H, W), (C, H, W), or (H, W, C) where it can only be that."""
    if not isinstance(image_shape, tuple | list):
        raise ConfigError(f"image_shape={image_shape!r} must be (H, W) or (C, H, W)")
    image_shape = tuple(image_shape)
    if domain == "series":
        raise ConfigError(
            f"image_shape={image_shape} is of images, but domain='series'; give one of the two"
        )
    if len(image_shape) not in (2, 3) or any(
        not isinstance(n, int | np.integer) or n < 1 for n in image_shape
    ):
        raise ConfigError(
            f"image_shape={image_shape} must be (H, W) or (C, H, W), whole numbers of at least 1"
        )
    if x.ndim == 2:
        if x.shape[1] != np.prod(image_shape):
            raise DataError(
                f"X has {x.shape[1]} columns, image_shape={image_shape} needs {np.prod(image_shape)}"
            )
        # a told shape is channels first unless it cannot be: the same rule as for 4-D arrays
        x = x.reshape(len(x), *(1,) * (3 - len(image_shape)), *image_shape)
        return np.moveaxis(x, 3, 1) if _is_last(image_shape) else x
    return _matching(x, image_shape)


def _is_last(image_shape: tuple[int, ...]) -> bool:
    return len(image_shape) == 3 and image_shape[2] in CHANNELS and image_shape[0] not in CHANNELS


def _matching(x: Array, image_shape: tuple[int, ...]) -> Array:
    """3-D or 4-D `x` as (N, C, H, W), in the reading that agrees with `image_shape`."""
    told = (image_shape[2], *image_shape[:2]) if _is_last(image_shape) else image_shape
    readings = [x[:, None]] if x.ndim == 3 else [x, np.moveaxis(x, 3, 1)]
    for reading in readings:
        if reading.shape[-len(told) :] == told:
            return reading
    raise DataError(
        f"X has shape {x.shape}, which does not fit image_shape={image_shape}; correct one of the two"
    )


def restore_layout(made: Array, original: Any) -> Array:
    """`made` (N, C, ...) in the shape, the axis order and the dtype of `original`; see `restore_dtype`."""
    source = np.asarray(original.detach().cpu() if isinstance(original, torch.Tensor) else original)
    shape = source.shape
    if made.size == np.prod(shape):
        is_channels_last = made.ndim == len(shape) == 4 and made.shape[1] != shape[1]
        made = np.moveaxis(made, 1, -1) if is_channels_last else made.reshape(shape)
    return restore_dtype(made, source.dtype)


def restore_dtype(made: Array, dtype: np.dtype[Any]) -> Array:
    """Numbers as another type: integers are rounded, booleans cut at 0.5; what is no number stays as it is."""
    if np.issubdtype(dtype, np.integer):
        return np.clip(np.rint(made), np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
    if dtype.kind == "b":
        return made > 0.5
    return made.astype(dtype) if np.issubdtype(dtype, np.floating) else made
