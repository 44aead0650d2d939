"""Pictures in the formats of Pillow, and other pictures written likewise.

Grey pictures (black and white, 8-bit, 16-bit, 32-bit) have one channel, colour and palette pictures
have three. Transparent pictures are blended with black; their alpha channel is kept beside them.
The orientation in the EXIF data is applied, as image viewers do.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from unwarp.core import Array
from unwarp.data.form import Frame, Output, Picture, unblend
from unwarp.data.formats.registry import picture_reader
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.limits import check_expansion, check_size, stored_bytes
from unwarp.errors import DataError

BYTES_PER_PIXEL = 4
"""Memory of a pixel while a picture is decoded: red, green, blue and alpha."""

GREY_MODES = ("1", "L", "LA", "I", "F")
"""Modes of Pillow with one channel, besides the 16-bit ones, which begin with `I;16`."""

KEPT_FACTS = ("dpi", "icc_profile")
"""Facts about a file that are written again."""

LOSSLESS: Mapping[str, Mapping[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "GIF": {"optimize": False},
}
"""Options of formats that lose the least."""

RGB16_DEPTH, RGB16_KINDS = 16, (2, 4, 6)
"""Bit depth and colour types of the PNG files that Pillow reads with 8 bits only."""


@dataclass(frozen=True)
class PillowMode:
    """The way that a file of Pillow's formats stores pictures.

    Attributes:
        format: Pillow's name of the format, such as `PNG`.
        mode: Pillow's name of the mode, such as `P`.
        palette: Colours of a palette, red, green, blue and alpha of each; empty for other modes.
        options: Further options of `Image.save`.
        key: Value or colour that stands for transparent; None if there is none.

    >>> PillowMode("PNG", "LA").channels, PillowMode("PNG", "LA").has_alpha
    (1, True)
    """

    format: str
    mode: str
    palette: bytes = b""
    options: Mapping[str, Any] = field(default_factory=dict)
    key: Any = None

    @property
    def channels(self) -> int:
        """Number of channels, without the alpha channel."""
        return 1 if _is_grey(self.mode) else 3

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers in the file."""
        wide = {"I": np.int32, "F": np.float32}.get(self.mode, np.uint8)
        return np.dtype(np.uint16 if self.mode.startswith("I;16") else wide)

    @property
    def has_alpha(self) -> bool:
        """Whether pictures may be transparent."""
        is_clear = any(value < 255 for value in self.palette[3::4])
        return self.mode in ("LA", "RGBA", "PA") or is_clear or self.key is not None

    def encode(self, frames: Sequence[Frame]) -> bytes:
        """The content of a file with pictures.

        Args:
            frames: One picture or more, of one size.
        """
        first, *rest = [self._image(pixels, alpha) for pixels, alpha in frames]
        options = {**LOSSLESS.get(self.format, {}), **self.options}
        if self.key is not None:
            options["transparency"] = self.key
        if rest:
            options |= {"save_all": True, "append_images": rest}
        out = io.BytesIO()
        first.save(out, self.format, **options)
        return out.getvalue()

    def _image(self, pixels: Array, alpha: Array | None) -> Image.Image:
        """A picture (C, H, W) in the mode of the file."""
        if alpha is not None:
            pixels = unblend(pixels, alpha)
        if self.mode == "P":
            return self._with_palette(pixels, alpha)
        if self.mode == "1":
            return Image.fromarray(pixels[0] > 127)
        image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2))
        if self.key is not None and alpha is not None:
            return _with_key(image, alpha, self.key)
        if alpha is not None:
            image.putalpha(Image.fromarray(alpha))
        is_other = self.mode == "PA" or (self.mode == "LA" and self.format == "GIF")
        target = "RGBA" if is_other else self.mode
        return image if image.mode == target or target == "I;16B" else image.convert(target)

    def _with_palette(self, pixels: Array, alpha: Array | None) -> Image.Image:
        """A picture in the nearest colours of the palette."""
        opaque = np.full(pixels.shape[1:], 255, np.uint8)
        colours = np.concatenate([pixels, (opaque if alpha is None else alpha)[None]])
        points = colours.reshape(4, -1).T
        from scipy.spatial import KDTree

        entries = np.frombuffer(self.palette, np.uint8).reshape(-1, 4).astype(np.float64)
        rows = KDTree(_premultiplied(entries)).query(_premultiplied(points))[1]
        image = Image.fromarray(rows.astype(np.uint8).reshape(pixels.shape[1:]))
        image.putpalette(entries[:, :3].astype(np.uint8).tobytes())
        if (entries[:, 3] < 255).any():
            image.info["transparency"] = entries[:, 3].astype(np.uint8).tobytes()
            if self.format == "GIF":
                image.info["transparency"] = int(entries[:, 3].argmin())
        return image


def _is_grey(mode: str) -> bool:
    return mode in GREY_MODES or mode.startswith("I;16")


def _premultiplied(colours: Array) -> Array:
    """Colours (K, 4) blended with black, and their alpha."""
    alpha = colours[:, 3:].astype(np.float64)
    return np.concatenate([colours[:, :3] * alpha / 255, alpha], 1)


def _with_key(image: Image.Image, alpha: Array, key: Any) -> Image.Image:
    """A picture whose transparent pixels have the colour of the key."""
    mask = Image.fromarray(np.where(alpha < 128, 255, 0).astype(np.uint8))
    image.paste(key if isinstance(key, int) else tuple(key), (0, 0), mask)
    return image


def encode_gif(output: Output) -> bytes:
    """Pictures as the frames of an animation.

    Args:
        output: The pictures.

    Raises:
        DataError: The pictures are not grey or colour with 8 bits.
    """
    x = output.need_pictures(".gif")
    if x.dtype != np.uint8 or x.shape[1] not in (1, 3):
        raise DataError(
            f"a .gif file holds uint8 pictures of 1 or 3 channels, these are {x.dtype} of "
            f"{x.shape[1]}; write them as .tif"
        )
    first = output.form.modes[0] if len(output.form.modes) else None
    is_gif = isinstance(first, PillowMode) and first.format == "GIF"
    options = dict(first.options) if isinstance(first, PillowMode) and is_gif else {}
    names = ("L", "LA") if x.shape[1] == 1 else ("RGB", "RGBA")
    mode = PillowMode("GIF", names[output.alpha is not None], options=options)
    alpha = [None] * len(x) if output.alpha is None else list(output.alpha)
    return mode.encode(list(zip(x, alpha, strict=True)))


@picture_reader(".gif", description="a picture or an animation", encode=encode_gif)
@picture_reader(".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm", ".ppm", description="a picture")
def read_pillow(
    stream: BinaryIO, name: str, hints: Hints = NO_HINTS, is_alone: bool = True
) -> list[Picture]:
    """All pictures in a file of one of Pillow's formats.

    Args:
        stream: The opened file.
        name: Its name, for errors.
        hints: Not used.
        is_alone: Not used.

    Returns:
        The frames of an animation or the pages of a TIFF file, else one picture. Further frames of
        an MPO file are other views of the same photograph, and are left out.

    Raises:
        DataError: The file is damaged or too large.
    """
    try:
        _refuse_deep_colours(stream, name)
        with Image.open(stream) as image:
            n_frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            n_bytes = n_frames * math.prod(image.size) * BYTES_PER_PIXEL
            check_size(n_bytes, name)
            check_expansion(n_bytes, stored_bytes(stream), name)
            if n_frames == 1:
                return [_decode(image, _mode_of(image))]
            return list(_read_frames(image))
    except DataError:
        raise
    except Exception as error:  # a damaged file makes pillow raise nearly anything
        raise DataError(
            f"{name} cannot be read as a picture: {error or type(error).__name__}; "
            "repair or remove it"
        ) from error


def _refuse_deep_colours(stream: BinaryIO, name: str) -> None:
    """Refuse PNG files of 16 bits a colour, which Pillow would read with 8."""
    start = stream.read(26)
    stream.seek(0)
    is_deep = start[:4] == b"\x89PNG" and len(start) == 26 and start[24] == RGB16_DEPTH
    if is_deep and start[25] in RGB16_KINDS:
        raise DataError(
            f"{name} is a PNG file of 16 bits a channel, which cannot be read without loss; "
            "save it as TIFF"
        )


def _read_frames(image: Image.Image) -> Iterator[Picture]:
    """The frames of an animation, grey if all are; or the pages of a TIFF file."""
    is_animation = image.format != "TIFF"
    options = _options_of(image)
    durations, pictures = [], []
    for frame in ImageSequence.Iterator(image):
        pictures.append(_decode(frame.copy() if is_animation else frame, _mode_of(frame)))
        durations.append(frame.info.get("duration", 0))  # some formats know it once decoded
    if not is_animation:
        yield from pictures
        return
    is_grey = all((picture.pixels == picture.pixels[:1]).all() for picture in pictures)
    is_clear = any(picture.alpha is not None for picture in pictures)
    names = ("LA", "L") if is_grey else ("RGBA", "RGB")
    options |= {"duration": durations, "loop": image.info.get("loop", 0)}
    mode = PillowMode(image.format or "GIF", names[not is_clear], options=options)
    for picture in pictures:
        yield Picture(picture.pixels[:1] if is_grey else picture.pixels, picture.alpha, mode)


def _mode_of(image: Image.Image) -> PillowMode:
    """The mode of an opened picture."""
    # pillow opens 16-bit PGM files in the 32-bit mode I
    mode = "I;16" if image.mode == "I" and image.format in ("PNG", "PPM") else image.mode
    format = "JPEG" if image.format == "MPO" else image.format or "PNG"
    key = image.info.get("transparency")
    if mode == "P":
        return PillowMode(format, mode, _palette_of(image), _options_of(image))
    is_key = key is not None and mode in ("L", "RGB")
    return PillowMode(format, mode, b"", _options_of(image), key if is_key else None)


def _palette_of(image: Image.Image) -> bytes:
    """Colours of the palette, each with its alpha."""
    colours = np.array(image.getpalette("RGB") or [0, 0, 0], np.int64).reshape(-1, 3)
    alpha = np.full(len(colours), 255)
    key = image.info.get("transparency")
    if isinstance(key, bytes):
        alpha[: len(key)] = list(key)[: len(alpha)]
    elif key is not None and key < len(alpha):
        alpha[key] = 0
    return bytes(np.column_stack([colours, alpha]).astype(np.uint8).tobytes())


def _options_of(image: Image.Image) -> dict[str, Any]:
    """Options of `Image.save` that keep facts of a file."""
    options = {name: image.info[name] for name in KEPT_FACTS if image.info.get(name)}
    compression = image.info.get("compression")
    if image.format == "TIFF" and compression not in (None, "raw", "jpeg", "webp"):
        options["compression"] = compression
    return options


def _decode(image: Image.Image, mode: PillowMode) -> Picture:
    """An upright picture, blended with black where it is transparent."""
    upright = ImageOps.exif_transpose(image)
    if mode.dtype != np.uint8:
        return Picture(np.asarray(upright).astype(mode.dtype, copy=False)[None], None, mode)
    if mode.mode == upright.mode == "L" and mode.key is None:
        return Picture(np.asarray(upright)[None], None, mode)
    alpha = None
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        alpha = np.asarray(clear)[:, :, 3].copy()
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
        alpha = None if (alpha == 255).all() else alpha
    colours = np.asarray(upright.convert("RGB"))
    # red, green and blue are equal; a conversion to grey could round the value
    # a copy, so that the two other channels of a grey picture are not kept in memory
    pixels = colours[None, :, :, 0].copy() if mode.channels == 1 else np.moveaxis(colours, 2, 0)
    return Picture(pixels, alpha, mode)
