"""Folders of pictures: one array, all sizes equal, and the file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from unwarp.core import Array
from unwarp.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
"""Kinds of picture files that are read."""


def read_folder(folder: str | Path) -> tuple[Array, list[str]]:
    """Every picture of `folder` and of the folders in it, in the order of their names.

    Grey pictures (black and white, 8-bit, 16-bit) have one channel; colour, palette and transparent ones have three.
    Where a folder holds both, all have three. Transparency is laid on black. A picture with an EXIF orientation is
    turned as a viewer turns it. Hidden files and files of other kinds are passed over.

    Args:
        folder: Where the pictures are.

    Returns:
        Pictures (N, C, H, W), uint8 in 0 to 255, or, where one or more are 16-bit, float32 in [0, 1]; and their paths
        within `folder` (N), with forward slashes.

    Raises:
        DataError: No picture, sizes that differ, a damaged file, more than one frame in a file, or numbers that are
            neither 8-bit nor 16-bit.
    """
    folder = Path(folder)
    names = _names(folder)
    first = _pixels(folder / names[0])
    x = np.empty((len(names), *first.shape), first.dtype)
    for row, name in enumerate(names):
        picture = _pixels(folder / name)
        if picture.shape[1:] != first.shape[1:]:
            raise DataError(
                f"pictures in {folder} differ in size: {names[0]} is {_size(first)}, {name} is {_size(picture)} "
                "(width x height); resize or crop all to one size first"
            )
        x = _widened(x, picture)
        x[row] = _widened(picture, x)
    return x, names


def class_names(names: list[str]) -> NDArray[np.str_] | None:
    """Labels (N,) from paths within a folder: the sub-folders, if every picture lies exactly one level down.

    >>> class_names(["cat/1.png", "dog/1.png"])
    array(['cat', 'dog'], dtype='<U3')
    """
    if all(name.count("/") == 1 for name in names):
        return np.array([name.split("/")[0] for name in names], dtype=np.str_)
    return None


def _names(folder: Path) -> list[str]:
    """Paths of the pictures within `folder`, sorted."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the pictures")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    shown = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    names = sorted(path.as_posix() for path in shown if path.suffix.lower() in SUFFIXES)
    if not names:
        raise DataError(f"{folder} holds no pictures; files that are read: {', '.join(SUFFIXES)}")
    return names


def _pixels(path: Path) -> Array:
    """One picture (C, H, W), uint8, or float32 in [0, 1] where the file is 16-bit."""
    try:
        with Image.open(path) as image:
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            deep = image.mode.startswith("I;16") or (
                image.mode == "I" and image.format in ("PNG", "PPM")
            )
            known = deep or image.mode not in ("I", "F")
            pixels = (
                _channels(ImageOps.exif_transpose(image), deep) if known and frames == 1 else None
            )
    except Exception as error:  # a damaged file makes pillow raise nearly anything
        raise DataError(
            f"{path} cannot be read as a picture: {error or type(error).__name__}; repair or remove it"
        ) from error
    if frames > 1:
        raise DataError(f"{path} holds {frames} frames; save each as a picture of its own")
    if pixels is None:
        raise DataError(
            f"{path} holds numbers of mode {image.mode}; save as 8-bit or 16-bit, or give an array as .npy"
        )
    return pixels


def _channels(image: Image.Image, deep: bool) -> Array:
    """The numbers of an upright picture, channels first."""
    if deep:
        return np.asarray(image).astype(np.float32)[None] / np.float32(65535)
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    if grey:
        # equal red, green and blue: the grey value itself, where a conversion could round
        return np.asarray(image.convert("RGB"))[None, :, :, 0]
    return np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)


def _widened(x: Array, like: Array) -> Array:
    """`x` (..., C, H, W) with the channels and the depth of `reference`, where that has more of them."""
    if x.shape[-3] < like.shape[-3]:
        x = np.repeat(x, like.shape[-3], axis=-3)
    if x.dtype == np.uint8 and like.dtype == np.float32:
        x = x.astype(np.float32) / np.float32(255)
    return x


def _size(picture: Array) -> str:
    return f"{picture.shape[2]} x {picture.shape[1]}"
