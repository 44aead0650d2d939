"""TIFF files: single pictures, stacks of pages, OME-TIFF and ImageJ hyperstacks.

Pillow reads what it reads without loss. The package tifffile reads the rest: 16-bit colour, types
such as float64, other numbers of channels, and the axes of stacks. An uncompressed stack of pages
is mapped from disk.

The axes of a stack are letters: Y and X of a page, C or S channels, all others (T, Z, I, Q ...)
count pictures.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageSequence

from unwarp.core import Array
from unwarp.data.form import Frame, Output, Picture, blend, unblend, white_of
from unwarp.data.formats.pillow_files import read_pillow
from unwarp.data.formats.registry import picture_reader
from unwarp.data.formats.tiff_axes import (
    channel_axes,
    count_axes,
    long_axes,
    page_axes,
    picture_shape,
)
from unwarp.data.formats.tiff_pages import check_pages
from unwarp.data.hints import Hints
from unwarp.data.limits import check_expansion, check_size, stored_bytes
from unwarp.data.mapped import join_rows
from unwarp.disk.files import Write
from unwarp.errors import DataError

INSTALL = "pip install 'unwarp[tiff]'"

PILLOW_DEPTHS = {1: (1,), 8: (1,), 16: (1,), 32: (2, 3)}
"""Sample formats (1 unsigned, 2 signed, 3 float) by the depth in bits that Pillow reads exactly."""

BITS, CHANNELS, DESCRIPTION, EXTRA, FORMAT, PHOTOMETRIC = 258, 277, 270, 338, 339, 262
"""Tags of a TIFF page."""

MAX_BYTES_OF_SMALL_FILES = 1 << 31
"""Size up to which a TIFF file is not written as a BigTIFF file."""

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of TIFF files in both byte orders, and of large ones."""

MARKS_OF_AXES = ("<OME", "ImageJ=", '{"shape":')
"""Starts of, or words in, descriptions that name the axes of a stack."""


@dataclass(frozen=True)
class TiffMode:
    """The way that a TIFF file stores a stack of pictures.

    Attributes:
        dtype: Type of the numbers.
        channels: Number of channels, without the alpha channel.
        has_alpha: Whether the pages have an alpha channel.
        is_colour: Whether the channels are red, green and blue.
        page: Letters of the axes of one picture: `YX`, `CYX`, `YXS` or `SYX`.
        axes: Letters of the axes that count pictures, such as `TZ`; empty for one picture.
        counts: Number of entries along each of `axes`.
        kind: `ome`, `imagej`, or another word for plain pages.
        compression: Name of a compression that tifffile writes without further packages; empty for
            none.

    >>> stack = TiffMode(np.dtype(np.uint8), 1, axes="T", counts=(2,))
    >>> page = np.zeros((1, 4, 4), np.uint8)
    >>> stack.encode([(page, None), (page, None)])[:2]  # doctest: +SKIP
    b'II'
    """

    dtype: np.dtype[Any]
    channels: int
    has_alpha: bool = False
    is_colour: bool = False
    page: str = "YX"
    axes: str = ""
    counts: tuple[int, ...] = ()
    kind: str = ""
    compression: str = ""

    def encode(self, frames: Sequence[Frame]) -> bytes:
        """The content of a file with pictures.

        Args:
            frames: One picture or more.
        """
        out = io.BytesIO()
        self.write(out, frames)
        return out.getvalue()

    def write(self, file: BinaryIO, frames: Sequence[Frame]) -> None:
        """Write pictures to a file.

        Args:
            file: The opened file.
            frames: One picture or more.
        """
        tifffile = import_tifffile("writing")
        with tifffile.TiffWriter(
            file,
            ome=self.kind == "ome",
            imagej=self.kind == "imagej",
            bigtiff=self.kind != "imagej" and _n_bytes(frames) > MAX_BYTES_OF_SMALL_FILES,
        ) as writer:
            if len({pixels.shape for pixels, _ in frames}) > 1:
                for frame in frames:
                    self._write(writer, [frame], "", ())
            else:
                is_whole = math.prod(self.counts) == len(frames)
                axes = (self.axes, self.counts) if is_whole else ("T", (len(frames),))
                self._write(writer, frames, *axes)

    def _write(
        self, writer: Any, frames: Sequence[Frame], axes: str, counts: tuple[int, ...]
    ) -> None:
        """Write pictures of one size as one series of pages."""
        stack, page = join_rows(_planes(frame)[None] for frame in frames), self.page
        options: dict[str, Any] = {"photometric": "rgb" if self.is_colour else "minisblack"}
        if page == "YX":
            stack = stack[:, 0]
        elif "S" in page:
            is_last = page == "YXS"
            stack = np.moveaxis(stack, 1, 3) if is_last else stack
            options |= {"planarconfig": "contig" if is_last else "separate"}
        if len(_planes(frames[0])) > self.channels:
            options |= {"extrasamples": ["unassalpha"]}
        if self.compression and self.kind != "imagej":
            options |= {"compression": self.compression}
        stack = stack.reshape(*counts, *stack.shape[1:])
        if self.kind == "imagej":
            stack, axes, page = _in_imagej_order(stack, axes + page), "", "TZCYXS"
        writer.write(stack, metadata={"axes": axes + page}, **options)


def _planes(frame: Frame) -> Array:
    """The channels of a picture, with its alpha channel as the last one."""
    pixels, alpha = frame
    return pixels if alpha is None else np.concatenate([unblend(pixels, alpha), alpha[None]])


def _n_bytes(frames: Sequence[Frame]) -> int:
    return sum(pixels.nbytes for pixels, _ in frames)


def _in_imagej_order(stack: Array, axes: str) -> Array:
    """A stack with the six axes TZCYXS of ImageJ."""
    axes = axes.replace("I", "T").replace("Q", "T")
    order = [axes.index(letter) for letter in "TZCYXS" if letter in axes]
    ordered = stack.transpose(order)
    lengths = iter(ordered.shape)
    return ordered.reshape([next(lengths) if letter in axes else 1 for letter in "TZCYXS"])


def import_tifffile(verb: str) -> Any:
    """The package tifffile.

    Args:
        verb: What it is needed for, such as `reading`.

    Raises:
        DataError: It is not installed.
    """
    if find_spec("tifffile") is None:
        raise DataError(
            f"{verb} this TIFF file needs the package tifffile; install it with: {INSTALL}"
        )
    import tifffile

    # it would print about damaged files, besides the error that it raises
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    return tifffile


def encode_tiff(output: Output) -> Write:
    """A function that writes pictures as the pages of a stack.

    Args:
        output: The pictures.
    """
    x = output.need_pictures(".tif")
    first = output.form.modes[0] if len(output.form.modes) else None
    kind = first.kind if isinstance(first, TiffMode) else ""
    is_colour = x.shape[1] == 3 and x.dtype.kind == "u"
    page = "YX" if x.shape[1] == 1 else "YXS" if is_colour else "CYX"
    is_clear = output.alpha is not None
    mode = TiffMode(x.dtype, x.shape[1], is_clear, is_colour, page, "T", (len(x),), kind)
    if isinstance(first, TiffMode) and first.channels == x.shape[1]:
        mode = replace(first, has_alpha=is_clear)
    alpha = [None] * len(x) if output.alpha is None else list(output.alpha)
    return lambda file: mode.write(file, list(zip(x, alpha, strict=True)))


@picture_reader(".tif", ".tiff", description="a picture or a stack of pages", encode=encode_tiff)
def read_tiff(stream: BinaryIO, name: str, hints: Hints, is_alone: bool) -> list[Picture]:
    """All pictures in a TIFF file.

    Args:
        stream: The opened file.
        name: Its name, for errors.
        hints: The user's hints; the layout decides which of two readings is meant.
        is_alone: Whether the user gave this file alone, and not a folder of files.

    Returns:
        One picture or more.

    Raises:
        DataError: The file is damaged, has two readings, or needs a package that is not installed.
    """
    check_pages(stream, name)
    stream.seek(0)
    if _is_for_pillow(stream, name):
        stream.seek(0)
        return read_pillow(stream, name, hints, is_alone)
    stream.seek(0)
    tifffile = import_tifffile(f"{name}: reading")
    try:
        with tifffile.TiffFile(stream) as file:
            n_bytes = sum(series.nbytes for series in file.series)
            check_size(n_bytes, name)
            check_expansion(n_bytes, stored_bytes(stream), name)
            parts = [_read_series(series, stream, name, hints, is_alone) for series in file.series]
    except DataError:
        raise
    except Exception as error:  # a damaged file makes tifffile raise nearly anything
        if "imagecodecs" in str(error):
            raise DataError(
                f"{name}: {str(error).strip()}; install it with: pip install imagecodecs, or save "
                "the file without compression"
            ) from error
        raise _damage(name, error) from error
    pictures = [picture for part in parts for picture in part]
    if not pictures:
        raise _damage(name, "it has no page")
    return pictures


def _damage(name: str, error: object) -> DataError:
    reason = error if str(error) else type(error).__name__
    return DataError(f"{name} cannot be read as a picture: {reason}; repair or remove it")


def _is_for_pillow(stream: BinaryIO, name: str) -> bool:
    """Whether Pillow reads a file without loss: one page, or pages without named axes."""
    is_tiff = stream.read(4) in STARTS
    stream.seek(0)
    try:
        with Image.open(stream) as image:
            tags = dict(getattr(image, "tag_v2", {}))
            n_pages = getattr(image, "n_frames", 1)
    except DataError:
        raise
    except Exception:  # tifffile may read it, or says why it cannot
        return not is_tiff
    depths = tags.get(BITS, (1,))
    depths = depths if isinstance(depths, tuple) else (depths,)
    formats = set(tags.get(FORMAT, (3,) if depths[0] == 32 and image.mode == "F" else (1,)))
    is_exact = formats <= set(PILLOW_DEPTHS.get(depths[0], ()))
    n_channels = tags.get(CHANNELS, 1)
    bands = len(image.getbands())
    is_exact &= len(depths) == 1 or (depths[0] == 8 and bands == n_channels)
    text = str(tags.get(DESCRIPTION, ""))
    has_axes = any(mark in text[:2000] for mark in MARKS_OF_AXES)
    if n_pages > 1 and (has_axes or find_spec("tifffile") is not None):
        return False
    return is_exact


def _read_series(
    series: Any, stream: BinaryIO, name: str, hints: Hints, is_alone: bool
) -> list[Picture]:
    """The pictures of a series of pages that belong together."""
    axes, shape = long_axes(series.axes, series.shape)
    page = series.keyframe
    n_alpha = sum(int(extra) in (1, 2) for extra in page.extrasamples) if "S" in axes else 0
    counted, axes = count_axes(axes, shape, hints.layout, name, is_alone)
    values = _values(series, stream).reshape(shape)
    order = [axes.index(letter) for letter in (*counted, *channel_axes(axes, counted), "Y", "X")]
    counts = tuple(shape[axes.index(letter)] for letter in counted)
    stack = values.transpose(order).reshape(-1, *picture_shape(axes, shape, counted))
    stack = np.asarray(stack, stack.dtype.newbyteorder("="))
    mode = TiffMode(
        stack.dtype, stack.shape[1] - n_alpha, n_alpha > 0, page.photometric.name == "RGB",
        page_axes(axes, counted), counted, counts, series.kind, _compression_of(page),
    )  # fmt: skip
    return [_split_alpha(pixels, n_alpha, mode, stack) for pixels in stack]


def _values(series: Any, stream: BinaryIO) -> Array:
    """The pixels of a series, mapped from disk if they are stored in one piece."""
    path = getattr(stream, "name", None)
    if series.dataoffset is not None and isinstance(path, str):
        dtype = series.dtype.newbyteorder(series.parent.byteorder)
        return np.memmap(path, dtype, "r", series.dataoffset, tuple(series.shape))
    try:
        return np.asarray(series.asarray())
    except ValueError as error:
        if "imagecodecs" not in str(error) or len(series.parent.series) > 1:
            raise
        pages = _pages_of_pillow(stream, series)
        if pages is None:
            raise
        return pages


def _pages_of_pillow(stream: BinaryIO, series: Any) -> Array | None:
    """The pixels of pages in a compression that only Pillow knows; None if it does not either."""
    stream.seek(0)
    with Image.open(stream) as image:
        pages = np.stack([np.asarray(page) for page in ImageSequence.Iterator(image)])
    is_whole = pages.dtype == series.dtype and pages.size == math.prod(series.shape)
    return pages.reshape(series.shape) if is_whole else None


def _split_alpha(pixels: Array, n_alpha: int, mode: TiffMode, stack: Array) -> Picture:
    """A picture without its alpha channel, blended with black."""
    if not n_alpha:
        return Picture(pixels, None, mode, stack)
    colours, alpha = pixels[:-n_alpha], pixels[-1]
    if (alpha == white_of(alpha.dtype)).all():
        return Picture(colours, None, mode)
    return Picture(blend(colours, alpha), alpha, mode)


def _compression_of(page: Any) -> str:
    """A compression that tifffile writes without further packages; empty for none."""
    return "zlib" if page.compression.name in ("ADOBE_DEFLATE", "DEFLATE") else ""
