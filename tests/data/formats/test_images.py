"""Folders of pictures: saved pixels come back, damaged files are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.images import class_names, picture_suffixes
from unwarp.data.formats.images import read_folder as read_source
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.errors import DataError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (10, 12), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (10, 12, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (10, 12), dtype=np.uint16)


def read_folder(folder: Path | str) -> tuple[np.ndarray, list[str]]:
    """The pictures of a folder and their names."""
    source = read_source(folder)
    return source.x, list(source.names)


def save(path: Path, pixels: np.ndarray | Image.Image, **options: object) -> None:
    """Save an array or a picture, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".tiff", ".pgm", ".webp"])
def test_lossless_pixels_are_exact(tmp_path: Path, suffix: str) -> None:
    """Grey and colour pixels come back exactly from lossless formats."""
    options = {"lossless": True} if suffix == ".webp" else {}
    save(tmp_path / "grey" / f"a{suffix}", GREY, **options)
    save(tmp_path / "colour" / f"a{suffix.replace('pgm', 'ppm')}", COLOUR, **options)
    colour, _ = read_folder(tmp_path / "colour")
    assert colour.shape == (1, 3, 10, 12) and colour.dtype == np.uint8
    np.testing.assert_array_equal(colour[0], COLOUR.transpose(2, 0, 1))
    grey, _ = read_folder(tmp_path / "grey")
    # webp knows colour only
    np.testing.assert_array_equal(grey[0, 0], GREY)
    assert len(grey[0]) == (3 if suffix == ".webp" else 1)


@pytest.mark.parametrize("suffix", picture_suffixes())
def test_listed_suffixes_are_read(tmp_path: Path, suffix: str) -> None:
    """A picture with any of the listed suffixes is read."""
    save(tmp_path / f"a{suffix}", Image.fromarray(GREY).convert("L" if suffix == ".pgm" else "RGB"))
    x, names = read_folder(tmp_path)
    assert x.shape[2:] == (10, 12) and names == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_16_bit_pictures_stay_16_bit(tmp_path: Path, suffix: str) -> None:
    """16-bit pixels come back as they are."""
    save(tmp_path / f"a{suffix}", DEEP)
    x, _ = read_folder(tmp_path)
    assert x.dtype == np.uint16 and x.shape == (1, 1, 10, 12)
    np.testing.assert_array_equal(x[0, 0], DEEP)


def test_black_and_white_is_0_and_255(tmp_path: Path) -> None:
    """Pixels of one bit become 0 and 255."""
    save(tmp_path / "a.png", GREY > 127)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0, 0], np.where(GREY > 127, 255, 0))


def test_transparency_is_laid_over_black(tmp_path: Path) -> None:
    """Transparent pixels, grey or coloured, are mixed with black."""
    alpha = RANDOM.integers(0, 256, (10, 12, 1), dtype=np.uint8)
    save(tmp_path / "colour" / "a.png", np.concatenate([COLOUR, alpha], 2))
    x, _ = read_folder(tmp_path / "colour")
    np.testing.assert_allclose(x[0], (COLOUR * (alpha / 255)).transpose(2, 0, 1), atol=1)
    save(tmp_path / "grey" / "a.png", np.concatenate([GREY[..., None], alpha], 2))
    x, _ = read_folder(tmp_path / "grey")
    assert x.shape == (1, 1, 10, 12)
    np.testing.assert_allclose(x[0, 0], GREY * (alpha[..., 0] / 255), atol=1)


def test_palettes_become_colours(tmp_path: Path) -> None:
    """A palette gives three channels, its transparent entry is black."""
    flat = np.zeros((10, 12, 3), np.uint8)
    flat[:, 6:] = (10, 200, 30)
    palette = Image.fromarray(flat).quantize(2)
    save(tmp_path / "a.gif", palette)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0], flat.transpose(2, 0, 1))
    save(tmp_path / "a.gif", palette, transparency=palette.getpixel((11, 0)))
    np.testing.assert_array_equal(read_folder(tmp_path)[0], 0)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_mixed_pictures_are_widened(tmp_path: Path, order: tuple[str, str, str]) -> None:
    """A folder with grey, colour and 16-bit pictures gives uint16 with three channels."""
    save(tmp_path / f"{order[0]}.png", GREY)
    save(tmp_path / f"{order[1]}.png", COLOUR)
    save(tmp_path / f"{order[2]}.png", DEEP)
    x, names = read_folder(tmp_path)
    assert x.shape == (3, 3, 10, 12) and x.dtype == np.uint16
    grey, colour, deep = (x[names.index(f"{name}.png")] for name in order)
    np.testing.assert_array_equal(grey, np.stack([GREY.astype(np.uint16) * 257] * 3))
    np.testing.assert_array_equal(colour, COLOUR.transpose(2, 0, 1).astype(np.uint16) * 257)
    np.testing.assert_array_equal(deep, np.stack([DEEP] * 3))


def test_grey_and_colour_stay_uint8(tmp_path: Path) -> None:
    """A folder with 8-bit pictures alone stays uint8."""
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", COLOUR)
    x, _ = read_folder(tmp_path)
    assert x.shape == (2, 3, 10, 12) and x.dtype == np.uint8


def test_subfolders_are_searched(tmp_path: Path) -> None:
    """Pictures are sorted by path; hidden files and other suffixes are skipped."""
    for name in ("b.png", "a/z.png", "a/b/c.png", "c.JPG"):
        save(tmp_path / name, Image.fromarray(GREY), format="PNG")
    for name in ("notes.txt", ".hidden.png", ".cache/d.png", "a/._z.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    x, names = read_folder(str(tmp_path))
    assert names == ["a/b/c.png", "a/z.png", "b.png", "c.JPG"] and len(x) == 4


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A picture is turned as image viewers turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", Image.fromarray(GREY), exif=exif)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0, 0], np.rot90(GREY, -1))


def test_unequal_sizes_are_refused(tmp_path: Path) -> None:
    """The error names the sizes that occur and the option."""
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY)
    save(tmp_path / "sub" / "c.png", GREY[:, :-1])
    with pytest.raises(DataError, match=r"2 of 10 x 12, 1 of 10 x 11 .*sizes='pad'.*'crop'.*'HxW'"):
        read_folder(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tif", ".webp", ".pgm"])
def test_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    """Wherever a file is cut, it is refused by name or gives the complete picture."""
    path = tmp_path / f"a{suffix}"
    save(path, GREY)
    content = path.read_bytes()
    expected, _ = read_folder(tmp_path)
    n_errors = 0
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        try:
            np.testing.assert_array_equal(read_folder(tmp_path)[0], expected)
        except DataError as error:
            assert f"a{suffix}" in str(error)
            n_errors += 1
    assert n_errors > len(content) // 3 * 0.5


def test_text_with_image_suffix_is_named(tmp_path: Path) -> None:
    """A file that is no picture is refused by name."""
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DataError, match=r"a\.png cannot be read"):
        read_folder(tmp_path)


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".png", ".webp"])
def test_frames_are_pictures(tmp_path: Path, suffix: str) -> None:
    """Each frame of an animation, and each page of a lone stack, is one picture."""
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    options = {"lossless": True} if suffix == ".webp" else {}
    path = tmp_path / f"a{suffix}"
    save(path, frames[0], save_all=True, append_images=frames[1:], **options)
    x, names = read_folder(tmp_path)
    np.testing.assert_array_equal(x[:, 0], [GREY, 255 - GREY])
    assert names == [f"a{suffix}[0]", f"a{suffix}[1]"]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_32_bit_pixels_stay_32_bit(tmp_path: Path, dtype: type) -> None:
    """Pixels of 32 bits come back as they are."""
    save(tmp_path / "a.tif", GREY.astype(dtype) * 1000)
    x, _ = read_folder(tmp_path)
    assert x.dtype == dtype
    np.testing.assert_array_equal(x[0, 0], GREY.astype(dtype) * 1000)


def test_types_are_not_mixed(tmp_path: Path) -> None:
    """Bytes and floats have no common range; the error names both types."""
    save(tmp_path / "a.tif", GREY)
    save(tmp_path / "b.tif", GREY.astype(np.float32))
    with pytest.raises(DataError, match="float32, uint8"):
        read_folder(tmp_path)


def test_empty_folder_lists_suffixes(tmp_path: Path) -> None:
    """A folder without pictures is refused with the supported suffixes."""
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"\.png.*\.ppm"):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        read_folder(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["a/1.png", "a/2.png", "b/1.png"], ["a", "a", "b"]),
        (["1.png", "a/1.png"], None),
        (["a/1.png", "a/b/1.png"], None),
        (["1.png"], None),
    ],
)
def test_subfolders_are_labels(names: list[str], labels: list[str] | None) -> None:
    """Subfolders are labels if every picture is exactly one level down."""
    classes = class_names(names)
    assert (None if classes is None else classes.tolist()) == labels


def test_masks_are_not_mixed_in(tmp_path: Path) -> None:
    """Pictures beside a folder of masks are refused by name; a pattern reads both."""
    for name in ("set/images/1.png", "set/Masks/1.png"):
        save(tmp_path / name, GREY)
    with pytest.raises(DataError, match=r"set holds images/ and Masks/.*give .*set/images"):
        read_folder(tmp_path)
    assert len(as_source(f"{tmp_path}/set/*/*.png")) == len(as_source(tmp_path / "set/images")) + 1
    (tmp_path / "set/Masks").rename(tmp_path / "set/cats")
    assert len(read_folder(tmp_path)[0]) == 2


def test_patterns_and_lists_are_read(tmp_path: Path) -> None:
    """A pattern, and a list of paths, give names below the folder that holds all."""
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/notes.txt"):
        save(tmp_path / name, GREY, format="PNG")
    pattern = as_source(f"{tmp_path}/*/*")
    assert pattern.names == ["a/1.png", "a/2.png", "b/1.png"]
    assert pattern.labels is not None and pattern.labels.tolist() == ["a", "a", "b"]
    paths = [tmp_path / "b/1.png", str(tmp_path / "a/2.png")]
    assert as_source(paths).names == ["b/1.png", "a/2.png"]
    with pytest.raises(DataError, match=r"notes\.txt is no picture file"):
        as_source([*paths, tmp_path / "b/notes.txt"])


def test_sizes_are_brought_to_one(tmp_path: Path) -> None:
    """The description says how pictures of several sizes got one size."""
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY[1:, 1:])
    for sizes, shape, word in (("pad", (10, 12), "padded"), ("crop", (9, 11), "cropped")):
        source = as_source(tmp_path, hints=Hints(sizes=sizes))
        assert source.x.shape[2:] == shape and f"{word} " in source.description
    assert as_source(tmp_path, hints=Hints(sizes="6x5")).x.shape[2:] == (6, 5)


def test_pictures_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is opened twice, also where sizes differ."""
    counts: dict[str, int] = {}
    for k in range(4):
        save(tmp_path / f"{k}.png", GREY[k:])
    opened = Path.open

    def count(path: Path, *args: Any, **options: Any) -> Any:
        if path.suffix == ".png":
            counts[path.name] = counts.get(path.name, 0) + 1
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", count)
    as_source(tmp_path, hints=Hints(sizes="pad"))
    assert counts == {f"{k}.png": 1 for k in range(4)}
