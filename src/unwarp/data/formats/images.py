"""Folders of pictures as one array, with the file names.

All pictures of a folder must have one size; their bit depths and numbers of channels may differ.
Pillow decodes the files.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from unwarp.core import Array
from unwarp.data.limits import check_size
from unwarp.errors import DataError

IMAGE_SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".webp",
    ".pgm",
    ".ppm",
)
"""Suffixes, in lower case, of the picture files that `read_folder` reads."""

BYTES_PER_PIXEL = 4
"""Memory of a pixel while a picture is decoded: red, green, blue and alpha."""

MAX_UINT8, MAX_UINT16 = np.float32(255), np.float32(65535)


def read_folder(folder: str | Path) -> tuple[Array, list[str]]:
    """Read all pictures in a folder and its subfolders, sorted by path.

    Grey pictures (black and white, 8-bit, 16-bit) have one channel, colour and palette pictures
    have three. If a folder has both, all get three channels. Transparent pixels are blended with a
    black background. The orientation in the EXIF data is applied, as image viewers do. Hidden files
    and files with other suffixes are skipped.

    Args:
        folder: The folder.

    Returns:
        Images (N, C, H, W): uint8 from 0 to 255, or float32 in [0, 1] if a picture is 16-bit. Then
        the paths of the pictures relative to `folder` (N), with forward slashes.

    Raises:
        DataError: The folder has no picture, pictures differ in size, a file is damaged or has
            several frames, or pixels are neither 8-bit nor 16-bit.
    """
    folder = Path(folder)
    names = _picture_names(folder)
    first = _read_pixels(folder / names[0])
    check_size(len(names) * first.nbytes, f"{folder}: its {len(names):,} pictures")
    x = np.empty((len(names), *first.shape), first.dtype)
    for row, name in enumerate(names):
        picture = _read_pixels(folder / name)
        if picture.shape[1:] != first.shape[1:]:
            raise DataError(
                f"pictures in {folder} differ in size: {names[0]} is {_size_in_words(first)}, "
                f"{name} is {_size_in_words(picture)} (width x height); "
                "resize or crop all to one size first"
            )
        if x[row].nbytes < (n_bytes := _widen(picture, x).nbytes):
            check_size(len(names) * n_bytes, f"{folder}: its {len(names):,} pictures")
        x = _widen(x, picture)
        x[row] = _widen(picture, x)
    return x, names


def class_names(names: list[str]) -> NDArray[np.str_] | None:
    """Labels of pictures: the names of their subfolders.

    Args:
        names: Paths of pictures relative to a folder (N), with forward slashes.

    Returns:
        Labels (N,); None unless every picture is in a direct subfolder of the folder.

    >>> class_names(["cat/1.png", "dog/1.png"])
    array(['cat', 'dog'], dtype='<U3')
    """
    if all(name.count("/") == 1 for name in names):
        return np.array([name.split("/")[0] for name in names], dtype=np.str_)
    return None


def _picture_names(folder: Path) -> list[str]:
    """Paths of the pictures relative to `folder`, sorted."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the pictures")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    visible = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    names = sorted(path.as_posix() for path in visible if path.suffix.lower() in IMAGE_SUFFIXES)
    if not names:
        raise DataError(
            f"{folder} contains no pictures; supported suffixes are {', '.join(IMAGE_SUFFIXES)}"
        )
    return names


def _read_pixels(path: Path) -> Array:
    """One picture (C, H, W), uint8, or float32 in [0, 1] if the file is 16-bit."""
    try:
        with Image.open(path) as image:
            check_size(math.prod(image.size) * BYTES_PER_PIXEL, f"{path}")
            # other frames of an MPO file are previews or other views of the photograph: skip them
            n_frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            # pillow opens 16-bit PNG and PPM files in the 32-bit mode I
            is_16_bit = image.mode.startswith("I;16") or (
                image.mode == "I" and image.format in ("PNG", "PPM")
            )
            _check_content(path, n_frames, None if is_16_bit else image.mode)
            return _channels_first(ImageOps.exif_transpose(image), is_16_bit)
    except DataError:
        raise
    except Exception as error:  # a damaged file makes pillow raise nearly anything
        raise DataError(
            f"{path} cannot be read as a picture: {error or type(error).__name__}; "
            "repair or remove it"
        ) from error


def _check_content(path: Path, n_frames: int, mode: str | None) -> None:
    """Refuse a file with several frames, or with a mode of numbers without a known range."""
    if n_frames > 1:
        raise DataError(f"{path} contains {n_frames} frames; save each frame as one file")
    if mode in ("I", "F"):
        raise DataError(
            f"{path} has pixels of mode {mode}, which have no known range; "
            "save it as 8-bit or 16-bit, or give an array as .npy"
        )


def _channels_first(image: Image.Image, is_16_bit: bool) -> Array:
    """The pixels (C, H, W) of an upright picture."""
    if is_16_bit:
        return np.asarray(image).astype(np.float32)[None] / MAX_UINT16
    is_grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    if is_grey:
        # red, green and blue are equal; a conversion to grey could round the value
        return np.asarray(image.convert("RGB"))[None, :, :, 0]
    return np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)


def _widen(x: Array, reference: Array) -> Array:
    """Convert `x` (..., C, H, W) to the channels and dtype of `reference`, if those hold more."""
    if x.shape[-3] < reference.shape[-3]:
        x = np.repeat(x, reference.shape[-3], axis=-3)
    if x.dtype == np.uint8 and reference.dtype == np.float32:
        x = x.astype(np.float32) / MAX_UINT8
    return x


def _size_in_words(picture: Array) -> str:
    """Width and height of a picture (C, H, W), such as `12 x 10`."""
    return f"{picture.shape[2]} x {picture.shape[1]}"
