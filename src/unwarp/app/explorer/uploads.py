"""Own samples in a request: lists of numbers, or a file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from unwarp.app.explorer.limits import MAX_SAMPLES, Refusal
from unwarp.app.explorer.views import Viewer
from unwarp.core import Array
from unwarp.data.schema import Prepared
from unwarp.disk.files import write_new
from unwarp.errors import DataError

PICTURES, TABLES = (".png", ".jpg", ".jpeg"), (".csv", ".npy")
"""Suffixes of files that are accepted."""

MAX_PIXELS = 64 << 20
"""Greatest number of pixels of an uploaded picture."""


def prepared_values(viewer: Viewer, values: Any) -> Prepared:
    """Samples of nested lists of numbers.

    Args:
        viewer: The model.
        values: Numbers (n, C, ...), or without the axis of channels (n, ...).

    Raises:
        Refusal: They are no array of numbers, or too many.
        DataError: They do not fit the model.
    """
    shape = viewer.shape
    try:
        x = np.asarray(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        raise Refusal(
            422, "samples is no array of numbers; give nested lists of equal lengths"
        ) from None
    if x.shape[1:] not in (shape, shape[1:]) or (x.shape[1:] != shape and shape[0] != 1):
        expected = f"(n, {', '.join(map(str, shape))})"
        raise Refusal(422, f"samples has shape {x.shape}; give {expected}")
    if len(x) > MAX_SAMPLES:
        raise Refusal(422, f"samples has {len(x)} rows; send at most {MAX_SAMPLES}")
    return _prepare(viewer, x.reshape(len(x), *shape))


def prepared_file(viewer: Viewer, name: str, content: bytes) -> Prepared:
    """Samples of an uploaded file.

    A picture of any size and mode is brought to the size and the channels of the model. Tables and
    arrays are read as the estimator reads files.

    Args:
        viewer: The model.
        name: Name of the file; only its suffix is used.
        content: Its bytes.

    Raises:
        Refusal: The file has an unknown suffix, or holds no picture.
        DataError: The samples do not fit the model.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in PICTURES and viewer.is_image:
        return _prepare(viewer, _read_picture(viewer, content))
    if suffix not in TABLES:
        kinds = PICTURES + TABLES if viewer.is_image else TABLES
        raise Refusal(
            422, f"file {PurePath(name).name[:80]!r} cannot be read here; send {', '.join(kinds)}"
        )
    with TemporaryDirectory(prefix="unwarp-") as folder:
        path = Path(folder) / f"upload{suffix}"
        write_new(path, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the page shows the samples as they are read
            try:
                samples = viewer.unwarper.prepare_samples(str(path))
            except DataError as error:
                raise DataError(str(error).replace(str(path), PurePath(name).name)) from error
            if len(samples) > MAX_SAMPLES:
                raise Refusal(422, f"file has {len(samples)} samples; send at most {MAX_SAMPLES}")
            return samples


def _prepare(viewer: Viewer, x: Array) -> Prepared:
    """Samples (n, C, ...) in the user's units, prepared for the model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return viewer.unwarper.prepare_samples(x)


def _read_picture(viewer: Viewer, content: bytes) -> Array:
    """An uploaded picture (1, C, H, W) in the user's units."""
    channels, height, width = viewer.shape
    if channels not in (1, 3, 4):
        raise Refusal(422, f"the model takes pictures of {channels} channels; send an .npy file")
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            if file.width * file.height > MAX_PIXELS:
                raise Refusal(413, "file has more than 64 million pixels; send a smaller picture")
            image = file.convert(mode)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise Refusal(422, "file is no picture, or a damaged one; send a .png or .jpg") from None
    if image.size != (width, height):
        shrinks = image.width > width or image.height > height
        filter = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
        image = image.resize((width, height), filter)
    pixels = np.asarray(image, np.float32).reshape(height, width, channels) / 255
    x = np.moveaxis(pixels, -1, 0)[None]
    schema = viewer.unwarper.schema_
    return x * 255 if schema.scaled_per_sample else schema.scaler.undo(x)
