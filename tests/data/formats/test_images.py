"""Folders of pictures: what was saved is what is read; what is damaged is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.images import SUFFIXES, class_names, read_folder
from unwarp.errors import DataError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (10, 12), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (10, 12, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (10, 12), dtype=np.uint16)


def save(path: Path, pixels: np.ndarray | Image.Image, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".tiff", ".pgm", ".webp"])
def test_lossless_grey_and_colour_come_back_exactly(tmp_path: Path, suffix: str) -> None:
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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_listed_kind_is_read(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a{suffix}", Image.fromarray(GREY).convert("L" if suffix == ".pgm" else "RGB"))
    x, names = read_folder(tmp_path)
    assert x.shape[2:] == (10, 12) and names == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_sixteen_bit_pictures_lie_between_zero_and_one(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a{suffix}", DEEP)
    x, _ = read_folder(tmp_path)
    assert x.dtype == np.float32 and x.shape == (1, 1, 10, 12)
    np.testing.assert_allclose(x[0, 0], DEEP / 65535, atol=1e-6)


def test_black_and_white_is_zero_and_255(tmp_path: Path) -> None:
    save(tmp_path / "a.png", GREY > 127)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0, 0], np.where(GREY > 127, 255, 0))


def test_transparency_is_laid_on_black(tmp_path: Path) -> None:
    alpha = RANDOM.integers(0, 256, (10, 12, 1), dtype=np.uint8)
    save(tmp_path / "colour" / "a.png", np.concatenate([COLOUR, alpha], 2))
    x, _ = read_folder(tmp_path / "colour")
    np.testing.assert_allclose(x[0], (COLOUR * (alpha / 255)).transpose(2, 0, 1), atol=1)
    save(tmp_path / "grey" / "a.png", np.concatenate([GREY[..., None], alpha], 2))
    x, _ = read_folder(tmp_path / "grey")
    assert x.shape == (1, 1, 10, 12)
    np.testing.assert_allclose(x[0, 0], GREY * (alpha[..., 0] / 255), atol=1)


def test_palettes_are_colour_and_their_transparent_entry_is_black(tmp_path: Path) -> None:
    flat = np.zeros((10, 12, 3), np.uint8)
    flat[:, 6:] = (10, 200, 30)
    palette = Image.fromarray(flat).quantize(2)
    save(tmp_path / "a.gif", palette)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0], flat.transpose(2, 0, 1))
    save(tmp_path / "a.gif", palette, transparency=palette.getpixel((11, 0)))
    np.testing.assert_array_equal(read_folder(tmp_path)[0], 0)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_mixed_depths_and_channels_take_the_wider_of_each(
    tmp_path: Path, order: tuple[str, str, str]
) -> None:
    save(tmp_path / f"{order[0]}.png", GREY)
    save(tmp_path / f"{order[1]}.png", COLOUR)
    save(tmp_path / f"{order[2]}.png", DEEP)
    x, names = read_folder(tmp_path)
    assert x.shape == (3, 3, 10, 12) and x.dtype == np.float32
    grey, colour, deep = (x[names.index(f"{name}.png")] for name in order)
    np.testing.assert_allclose(grey, np.stack([GREY / 255] * 3), atol=1e-6)
    np.testing.assert_allclose(colour, COLOUR.transpose(2, 0, 1) / 255, atol=1e-6)
    np.testing.assert_allclose(deep, np.stack([DEEP / 65535] * 3), atol=1e-6)


def test_grey_and_colour_together_stay_uint8(tmp_path: Path) -> None:
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", COLOUR)
    x, _ = read_folder(tmp_path)
    assert x.shape == (2, 3, 10, 12) and x.dtype == np.uint8


def test_pictures_are_found_in_depth_in_order_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a/b/c.png", "c.JPG"):
        save(tmp_path / name, Image.fromarray(GREY), format="PNG")
    for name in ("notes.txt", ".hidden.png", ".cache/d.png", "a/._z.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    x, names = read_folder(str(tmp_path))
    assert names == ["a/b/c.png", "a/z.png", "b.png", "c.JPG"] and len(x) == 4


def test_an_exif_orientation_is_followed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", Image.fromarray(GREY), exif=exif)
    x, _ = read_folder(tmp_path)
    np.testing.assert_array_equal(x[0, 0], np.rot90(GREY, -1))


def test_sizes_that_differ_name_two_files_and_their_sizes(tmp_path: Path) -> None:
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY)
    save(tmp_path / "sub" / "c.png", GREY[:, :-1])
    with pytest.raises(
        DataError, match=r"a\.png is 12 x 10, sub/c\.png is 11 x 10.*resize or crop"
    ):
        read_folder(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".tif", ".webp", ".pgm"])
def test_a_file_cut_short_anywhere_is_named_or_still_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, GREY)
    whole = path.read_bytes()
    expected, _ = read_folder(tmp_path)
    refused = 0
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        try:
            np.testing.assert_array_equal(read_folder(tmp_path)[0], expected)
        except DataError as error:
            assert f"a{suffix}" in str(error)
            refused += 1
    assert refused > len(whole) // 3 * 0.5


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DataError, match=r"a\.png cannot be read"):
        read_folder(tmp_path)


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".png", ".webp"])
def test_several_frames_in_a_file_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    save(tmp_path / f"a{suffix}", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="2 frames"):
        read_folder(tmp_path)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_numbers_without_a_known_range_are_refused(tmp_path: Path, dtype: type) -> None:
    save(tmp_path / "a.tif", GREY.astype(dtype))
    with pytest.raises(DataError, match=r"mode [FI].*\.npy"):
        read_folder(tmp_path)


def test_an_empty_folder_lists_what_is_read(tmp_path: Path) -> None:
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
def test_sub_folders_are_labels_where_all_lie_one_level_down(
    names: list[str], labels: list[str] | None
) -> None:
    found = class_names(names)
    assert (None if found is None else found.tolist()) == labels
