"""Files of Pillow: palettes, keys, animations and deep colours."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unwarp.data.form import Picture
from unwarp.data.formats.pillow_files import read_pillow
from unwarp.errors import DataError

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 4, (10, 12, 3), dtype=np.uint8) * 60


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The content of a file with a picture."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def decoded(content: bytes) -> list[Picture]:
    """The pictures in a file."""
    return read_pillow(io.BytesIO(content), "a.png")


def written(pictures: list[Picture]) -> bytes:
    """The content of a file with pictures that were read."""
    return pictures[0].mode.encode([(picture.pixels, picture.alpha) for picture in pictures])


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette_is_kept(format: str) -> None:
    """A palette picture comes back with its palette and its indices."""
    image = Image.fromarray(COLOUR).quantize(40)
    content = written(decoded(encoded(image, format)))
    with Image.open(io.BytesIO(content)) as again:
        assert again.mode == "P" and again.format == format
        np.testing.assert_array_equal(np.asarray(again.convert("RGB")), image.convert("RGB"))


def test_palette_takes_the_nearest_colour() -> None:
    """Another picture is written in the colours of the palette that are nearest to its own."""
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
    (picture,) = decoded(encoded(image, "PNG"))
    other = np.array([[[9, 190, 90]], [[5, 20, 190]], [[0, 30, 10]]], np.uint8)
    with Image.open(io.BytesIO(picture.mode.encode([(other, None)]))) as again:
        assert np.asarray(again).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("key", [7, bytes([255, 0, 128])])
def test_transparent_palette_is_kept(key: Any) -> None:
    """An entry of a palette that is transparent, or half so, stays it."""
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    image.putpalette([value for k in range(12) for value in (20 * k, 9 * k, 250 - 9 * k)])
    content = encoded(image, "PNG", transparency=key)
    pictures = decoded(content)
    assert pictures[0].alpha is not None
    with Image.open(io.BytesIO(content)) as old, Image.open(io.BytesIO(written(pictures))) as new:
        old_pixels, new_pixels = np.asarray(old.convert("RGBA")), np.asarray(new.convert("RGBA"))
    np.testing.assert_array_equal(old_pixels[..., 3], new_pixels[..., 3])
    is_opaque = old_pixels[..., 3] == 255
    np.testing.assert_array_equal(old_pixels[is_opaque], new_pixels[is_opaque])


@pytest.mark.parametrize(("mode", "key"), [("L", 60), ("RGB", (60, 60, 60))])
def test_key_stays_the_key(mode: str, key: Any) -> None:
    """A colour that stands for transparent does so in the file that is written."""
    pixels = COLOUR[..., 0] if mode == "L" else COLOUR.copy()
    pixels[:2] = 60
    pictures = decoded(encoded(Image.fromarray(pixels), "PNG", transparency=key))
    alpha = pictures[0].alpha
    assert alpha is not None and not alpha[:2].any()
    (again,) = decoded(written(pictures))
    np.testing.assert_array_equal(again.alpha, alpha)
    np.testing.assert_array_equal(again.pixels, pictures[0].pixels)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("channels", [1, 3])
def test_animation_comes_back(format: str, channels: int) -> None:
    """Frames keep their pixels, channels and durations."""
    frames = [Image.fromarray(COLOUR[..., 0] + k if channels == 1 else COLOUR + k) for k in (0, 9)]
    options = {"lossless": True} if format == "WEBP" else {}
    content = encoded(
        frames[0], format, save_all=True, append_images=frames[1:], duration=[70, 120], **options
    )
    pictures = decoded(content)
    again = decoded(written(pictures))
    for old, new, frame in zip(pictures, again, frames, strict=True):
        assert len(old.pixels) == channels
        np.testing.assert_array_equal(old.pixels, new.pixels)
        np.testing.assert_array_equal(old.pixels[0], np.asarray(frame.convert("RGB"))[..., 0])
    assert again[0].mode.options["duration"] == [70, 120]  # type: ignore[attr-defined]


@pytest.mark.parametrize("colour_type", [2, 4, 6])
def test_deep_colour_is_not_rounded(colour_type: int) -> None:
    """A PNG file of 16 bits a channel, which Pillow would cut to 8, is refused."""
    channels = {2: 3, 4: 2, 6: 4}[colour_type]
    rows = b"".join(b"\0" + RANDOM.bytes(4 * 2 * channels) for _ in range(4))
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 4, 4, 16, colour_type, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    with pytest.raises(DataError, match=r"a\.png is a PNG file of 16 bits.*TIFF"):
        decoded(content)


def test_facts_are_written_again() -> None:
    """The resolution and the compression of a file are kept."""
    content = encoded(Image.fromarray(COLOUR), "TIFF", dpi=(300, 300), compression="tiff_lzw")
    with Image.open(io.BytesIO(written(decoded(content)))) as again:
        assert again.info["compression"] == "tiff_lzw"
        assert [round(float(n)) for n in again.info["dpi"]] == [300, 300]
