"""Order and meaning of the axes of an array.

`arrange_axes` is the only function that decides whether an array holds images or series, and which
axis holds the channels. `restore_layout` and `restore_dtype` convert results to the layout and the
dtype of the user's array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unwarp.core import Array, Domain, LayoutName
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import ConfigError, DataError
from unwarp.range_kinds import Sizes

IMAGE_CHANNEL_COUNTS = (1, 3, 4)
"""Numbers of channels of common images: grey, colour, colour with alpha."""

MAX_IMAGE_CHANNELS = 16
"""Largest number of entries of a last axis that may be channels rather than a width."""

MIN_SIDE_OF_SQUARE_IMAGES = 8
"""Smallest height and width in pixels at which an array (N, S, S) is read as square images.

Smaller arrays may as well be series of S channels.
"""


def arrange_axes(
    x: Array,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    layout: LayoutName = "auto",
) -> tuple[Array, str]:
    """An array with its channels first, and its domain.

    Args:
        x: Numbers (N, ...) with 2 to 4 axes, or as many as another registered domain has.
        domain: `image`, `series` or another registered domain; `auto` decides by the number of
            axes.
        image_shape: Shape (H, W) or (C, H, W) of an image; it decides how `x` is read. None if
            unknown.
        layout: Order of the axes of images; `auto` decides by the shape.

    Returns:
        Images (N, C, H, W), series (N, C, T) or samples (N, C, ...) of another domain, as a view of
        `x`, and the name of the domain.

    Raises:
        DataError: The shape does not fit `domain` or `image_shape`, or it can be read in two ways.
        ConfigError: `image_shape` is not a shape, or it or a `layout` is given although the samples
            are no images.

    >>> samples, domain = arrange_axes(np.zeros((5, 9, 7, 3)))
    >>> samples.shape, domain
    ((5, 3, 9, 7), 'image')
    """
    other = _other_domain(x, domain)
    if other is not None:
        return _of_other_domain(x, other), other.name
    if x.ndim not in (2, 3, 4):
        raise DataError(_wrong_rank_message(x))
    if image_shape is not None:
        return _reshape_to_images(x, domain, image_shape, layout), "image"
    if layout != "auto":
        domain = _domain_of_layout(x, domain, layout)
    if x.ndim == 4:
        if domain == "series":
            raise DataError(
                f"X has shape {x.shape}, but series are (N, T) or (N, C, T); reshape X, or leave "
                "domain='series' out"
            )
        return _channels_first(x, layout), "image"
    return _without_channel_axis(x, domain)


def _domain_of_layout(x: Array, domain: str, layout: LayoutName) -> str:
    """The domain of an array with a layout; refused unless it can hold images."""
    if domain == "series" or (domain == "auto" and x.ndim == 2):
        raise ConfigError(
            f"layout={layout!r} is the order of the axes of images, but X has shape {x.shape} and "
            "is read as series; leave layout out, or set image_shape for flattened images"
        )
    return "image"


def _other_domain(x: Array, domain: str) -> Domain | None:
    """The domain of `x` if it is neither images nor series; None if it is one of these."""
    if domain not in ("auto", "image", "series"):
        return Domain.registry[domain]
    return Domain.of_axes(x.ndim - 2) if domain == "auto" and x.ndim > 4 else None


def _of_other_domain(x: Array, domain: Domain) -> Array:
    """A view as samples (N, C, ...) of a domain that is neither images nor series."""
    n_axes = len(domain.axes)
    if x.ndim not in (n_axes + 1, n_axes + 2):
        axes = ", ".join(domain.axes)
        raise DataError(
            f"X has shape {x.shape}, but {domain.plural} are (N, {axes}) or (N, C, {axes}); "
            "reshape X or set another domain"
        )
    return x[:, None] if x.ndim == n_axes + 1 else x


def _without_channel_axis(x: Array, domain: str) -> tuple[Array, str]:
    """Images or series from an array with 2 or 3 axes, and the name of their domain."""
    if x.ndim == 2:
        if domain == "image":
            raise DataError(
                f"X has shape {x.shape} and domain='image'; set image_shape=(H, W), the height and "
                "width of the image in each row"
            )
        return x[:, None], "series"
    if domain == "series":
        return x, "series"
    if domain == "image" or (x.shape[1] == x.shape[2] >= MIN_SIDE_OF_SQUARE_IMAGES):
        return x[:, None], "image"
    raise DataError(_two_readings_message(x))


def _wrong_rank_message(x: Array) -> str:
    if x.ndim == 1:
        return (
            f"X is 1-D with shape {x.shape}; series are (N, T), images (N, C, H, W). Reshape your "
            "data with X.reshape(1, -1) if it is one sample, or X.reshape(-1, 1) if each sample is "
            "one number"
        )
    if x.ndim == 0:
        return "X is a single number; give series (N, T) or images (N, C, H, W)"
    return (
        f"X has {x.ndim} axes, shape {x.shape}; give series (N, T) or (N, C, T), or images "
        "(N, H, W) or (N, C, H, W)"
    )


def _two_readings_message(x: Array) -> str:
    count, first, second = x.shape
    return (
        f"X has shape {x.shape}, which reads two ways: {count} images of height {first} and width "
        f"{second}, one channel (domain='image'), or {count} series of {second} time steps, "
        f"{first} channels (domain='series'); say which of the two they are"
    )


def _channels_first(x: Array, layout: LayoutName) -> Array:
    """An array with 4 axes as images (N, C, H, W); it is refused if it can be read in two ways.

    An axis is that of the channels if it has 1, 3 or 4 entries and the images are then more than
    one pixel high and wide. If neither axis is, channels are taken to be first, unless the last
    axis is so short that it may be that of the channels, too.
    """
    if layout != "auto":
        return x if layout == "channels_first" else np.moveaxis(x, 3, 1)
    is_first = x.shape[1] in IMAGE_CHANNEL_COUNTS and min(x.shape[2:]) > 1
    is_last = x.shape[3] in IMAGE_CHANNEL_COUNTS and min(x.shape[1:3]) > 1
    is_short = x.shape[3] <= MAX_IMAGE_CHANNELS and x.shape[3] < min(x.shape[1:3])
    if is_first == is_last and (is_first or is_short):
        _, a, b, c = x.shape
        raise DataError(
            f"X has shape {x.shape}, which reads two ways: {a} channels of {b} x {c} "
            f"(layout='channels_first'), or {c} channels of {a} x {b} (layout='channels_last'); "
            "set layout to one of them"
        )
    return np.moveaxis(x, 3, 1) if is_last else x


def _reshape_to_images(
    x: Array, domain: str, image_shape: tuple[int, ...], layout: LayoutName
) -> Array:
    """Images (N, C, H, W) with the shape `image_shape`.

    `image_shape` is read as (H, W, C) if only its last number is a common number of channels.
    """
    image_shape = _check_image_shape(image_shape, domain)
    if x.ndim == 2:
        if x.shape[1] != np.prod(image_shape):
            raise DataError(
                f"X has {x.shape[1]} columns, image_shape={image_shape} needs "
                f"{np.prod(image_shape)}; correct one of the two"
            )
        # (H, W) becomes (1, H, W)
        x = x.reshape(len(x), *(1,) * (3 - len(image_shape)), *image_shape)
        return np.moveaxis(x, 3, 1) if _is_channels_last(image_shape, layout) else x
    return _match_image_shape(x, image_shape, layout)


def _check_image_shape(image_shape: tuple[int, ...], domain: str) -> tuple[int, ...]:
    """Return the image shape as a tuple; refuse it if it is not a shape or `domain` is series."""
    if not isinstance(image_shape, tuple | list):
        raise ConfigError(f"image_shape={image_shape!r} is not a tuple; give (H, W) or (C, H, W)")
    image_shape = tuple(image_shape)
    if domain == "series":
        raise ConfigError(
            f"image_shape={image_shape} is for images, but domain='series'; give one of the two"
        )
    if not Sizes((2, 3)).allows(image_shape):
        raise ConfigError(
            f"image_shape={image_shape} must be (H, W) or (C, H, W), whole numbers of at least 1"
        )
    return image_shape


def _is_channels_last(image_shape: tuple[int, ...], layout: LayoutName) -> bool:
    if layout != "auto":
        return len(image_shape) == 3 and layout == "channels_last"
    return (
        len(image_shape) == 3
        and image_shape[2] in IMAGE_CHANNEL_COUNTS
        and image_shape[0] not in IMAGE_CHANNEL_COUNTS
    )


def _match_image_shape(x: Array, image_shape: tuple[int, ...], layout: LayoutName) -> Array:
    """Images (N, C, H, W) from 3 or 4 axes, channels first or last as `image_shape` requires."""
    expected_shape = image_shape
    if _is_channels_last(image_shape, layout):
        expected_shape = (image_shape[2], *image_shape[:2])
    readings = [x[:, None]] if x.ndim == 3 else [x, np.moveaxis(x, 3, 1)]
    if len(readings) == 2 and layout != "auto":
        readings = [readings[layout == "channels_last"]]
    for reading in readings:
        if reading.shape[-len(expected_shape) :] == expected_shape:
            return reading
    raise DataError(
        f"X has shape {x.shape}, which does not fit image_shape={image_shape}; correct one of the "
        "two"
    )


def restore_layout(values: Array, original: Any, layout: LayoutName = "auto") -> Any:
    """Results in the layout and dtype of the user's array.

    Args:
        values: Samples (N, C, ...).
        original: The user's array-like, in any layout that `arrange_axes` reads; or one that takes
            results back by its method `restore`.
        layout: Order of the axes of the user's images, as for `arrange_axes`.

    Returns:
        The values in the layout of `original` if it has as many values, else (N, C, ...), converted
        to its dtype by `restore_dtype`.

    >>> restore_layout(np.zeros((5, 3, 9, 7)), np.zeros((5, 9, 7, 3), np.uint8)).shape
    (5, 9, 7, 3)
    """
    if hasattr(original, "restore"):
        return original.restore(values)
    array = original
    if not isinstance(original, ShardedArray):
        if isinstance(original, torch.Tensor):
            # NumPy lacks bfloat16: results are float32
            is_brain = original.dtype == torch.bfloat16
            original = (original.float() if is_brain else original).detach().cpu()
        array = np.asarray(original)
    shape = array.shape
    if values.size == np.prod(shape):
        is_channels_last = values.ndim == len(shape) == 4 and (
            values.shape[1:] != shape[1:] or layout == "channels_last"
        )
        values = np.moveaxis(values, 1, -1) if is_channels_last else values.reshape(shape)
    return restore_dtype(values, array.dtype)


def restore_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    """Results converted to the dtype of the user's array.

    Args:
        values: Numbers of any shape.
        dtype: Type of the result. For an integer type, numbers are rounded and clipped to its
            range; for booleans, numbers above 0.5 become True.

    Returns:
        The numbers with that dtype; unchanged if it is not a numeric type, or if a number is NaN,
        which integers cannot hold.

    >>> restore_dtype(np.array([-3.0, 1.6, 300.0]), np.dtype("uint8")).tolist()
    [0, 2, 255]
    """
    if values.dtype == dtype:
        return values
    if np.issubdtype(dtype, np.integer):
        if np.isnan(values).any():
            return values
        low, high = np.iinfo(dtype).min, values.dtype.type(np.iinfo(dtype).max)
        if int(high) > np.iinfo(dtype).max:  # rounded up, beyond the range of the integers
            high = np.nextafter(high, values.dtype.type(0))
        return np.clip(np.rint(values), low, high).astype(dtype)
    if dtype.kind == "b":
        return values > 0.5
    return values.astype(dtype) if np.issubdtype(dtype, np.floating) else values
