"""TIFF: types, channels, axes and what reads two ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.data.writing import write
from unwarp.errors import DataError

tifffile = pytest.importorskip("tifffile", reason="tifffile is not installed")

RANDOM = np.random.default_rng(0)
COLOURS = {"photometric": "rgb"}
CLEAR = {"photometric": "rgb", "extrasamples": ["unassalpha"]}


def numbers(shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
    """Random numbers of a type, negative ones included."""
    return (RANDOM.normal(size=shape) * 50).astype(dtype)


CASES = [
    ((5, 10, 12), np.uint8, {}, (5, 1, 10, 12)),
    ((5, 10, 12), np.uint8, {"byteorder": ">"}, (5, 1, 10, 12)),
    ((5, 10, 12), np.uint16, {"byteorder": ">"}, (5, 1, 10, 12)),
    ((5, 10, 12), np.int8, {}, (5, 1, 10, 12)),
    ((5, 10, 12), np.int16, {"compression": "zlib"}, (5, 1, 10, 12)),
    ((5, 10, 12), np.int32, {}, (5, 1, 10, 12)),
    ((5, 10, 12), np.uint32, {}, (5, 1, 10, 12)),
    ((5, 10, 12), np.float32, {}, (5, 1, 10, 12)),
    ((5, 10, 12), np.float64, {}, (5, 1, 10, 12)),
    ((10, 12, 3), np.uint16, COLOURS, (1, 3, 10, 12)),
    ((5, 10, 12, 3), np.uint16, COLOURS, (5, 3, 10, 12)),
    ((5, 10, 12, 3), np.uint8, COLOURS, (5, 3, 10, 12)),
    ((3, 10, 12), np.uint8, COLOURS | {"planarconfig": "separate"}, (1, 3, 10, 12)),
    ((10, 12, 2), np.uint8, {"planarconfig": "contig"}, (1, 2, 10, 12)),
    ((5, 2, 10, 12), np.uint8, {"ome": True, "metadata": {"axes": "TCYX"}}, (5, 2, 10, 12)),
    ((5, 10, 12), np.uint8, {"ome": True, "metadata": {"axes": "ZYX"}}, (5, 1, 10, 12)),
    ((5, 2, 10, 12), np.uint16, {"imagej": True, "metadata": {"axes": "TCYX"}}, (5, 2, 10, 12)),
]


@pytest.mark.parametrize(("shape", "dtype", "options", "expected"), CASES)
def test_stack_comes_back(
    tmp_path: Path, shape: tuple[int, ...], dtype: Any, options: Any, expected: tuple[int, ...]
) -> None:
    """Types, channels and axes of a stack stay, read and written, alone and in a folder."""
    values = numbers(shape, dtype)
    tifffile.imwrite(tmp_path / "in.tif", values, **options)
    source = read(tmp_path / "in.tif")
    assert source.x.shape == expected and source.x.dtype == dtype
    assert np.sort(source.x, None).tolist() == np.sort(values, None).tolist()
    for out in ("out.tif", "out/in.tif"):
        write(tmp_path / out.partition("/")[0], source.x, like=source)
        np.testing.assert_array_equal(read(tmp_path / out).x, source.x)
    with (
        tifffile.TiffFile(tmp_path / "in.tif") as old,
        tifffile.TiffFile(tmp_path / "out" / "in.tif") as new,
    ):
        assert (old.is_ome, old.is_imagej) == (new.is_ome, new.is_imagej)
        assert sorted(old.series[0].shape) == sorted(new.series[0].shape)


def test_uncompressed_stack_is_mapped(tmp_path: Path) -> None:
    """Pages that follow one another are not loaded."""
    tifffile.imwrite(tmp_path / "a.tif", numbers((5, 10, 12)))
    assert isinstance(read(tmp_path / "a.tif").x.base.base, np.memmap)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_stack_comes_back(tmp_path: Path, dtype: type) -> None:
    """The alpha channel of a stack is blended with black and written again."""
    values = RANDOM.integers(0, np.iinfo(dtype).max, (4, 10, 12, 4)).astype(dtype)
    tifffile.imwrite(tmp_path / "in.tif", values, **CLEAR)
    source = read(tmp_path / "in.tif")
    assert source.x.shape == (4, 3, 10, 12) and source.form.alpha is not None
    write(tmp_path / "out.tif", source.x, like=source, alpha=source.form.alpha)
    again = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(again[..., 3], values[..., 3])
    np.testing.assert_array_equal(read(tmp_path / "out.tif").x, source.x)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_pages_of_pillow_are_read(tmp_path: Path, compression: str | None) -> None:
    """Pages in any compression of Pillow are read."""
    pages = [Image.fromarray(numbers((10, 12))) for _ in range(3)]
    options = {"save_all": True, "append_images": pages[1:], "compression": compression}
    pages[0].save(tmp_path / "a.tif", **options)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").x[:, 0], np.stack(pages))


@pytest.mark.parametrize(
    ("shape", "options", "first", "last"),
    [
        ((5, 2, 10, 12), {"ome": True, "metadata": {"axes": "TZYX"}}, (5, 2), (10, 1)),
        ((5, 10, 12), {"imagej": True, "metadata": {"axes": "CYX"}}, (1, 5), (5, 1)),
        ((5, 3, 10, 12), {"photometric": "minisblack"}, (5, 3), (15, 1)),
    ],
)
def test_two_readings_are_shown(
    tmp_path: Path, shape: tuple[int, ...], options: Any, first: Any, last: Any
) -> None:
    """Axes that may be channels or pictures are refused; `layout` takes either reading."""
    values = numbers(shape)
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    words = rf"{first[0]} picture.* {first[1]} channel.*'channels_first'.*{last[0]} pictures"
    with pytest.raises(DataError, match=rf"a\.tif has the axes.*two ways.*{words}.*set layout"):
        read(tmp_path / "a.tif")
    for layout, counts in (("channels_first", first), ("channels_last", last)):
        source = read(tmp_path / "a.tif", Hints(layout=layout))
        np.testing.assert_array_equal(source.x, values.reshape(*counts, 10, 12))
        write(tmp_path / layout, source.x, like=source)
        assert tifffile.imread(tmp_path / layout / "a.tif").shape == shape


def test_stacks_of_a_folder_are_asked(tmp_path: Path) -> None:
    """Pages of several short stacks may be channels: the layout decides."""
    for name in "ab":
        tifffile.imwrite(tmp_path / f"{name}.tif", numbers((3, 10, 12)), photometric="minisblack")
    with pytest.raises(DataError, match=r"1 picture\(s\) of 3 channels.*3 pictures"):
        read(tmp_path)
    assert read(tmp_path, Hints(layout="channels_first")).x.shape == (2, 3, 10, 12)
    assert read(tmp_path, Hints(layout="channels_last")).x.shape == (6, 1, 10, 12)


def test_pages_of_several_sizes(tmp_path: Path) -> None:
    """Pages may differ in size, if the user says how to bring them to one."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for size in ((10, 12), (8, 9)):
            writer.write(numbers(size), contiguous=False)
    with pytest.raises(DataError, match="sizes='pad'"):
        read(tmp_path / "a.tif")
    source = read(tmp_path / "a.tif", Hints(sizes="pad"))
    write(tmp_path / "out", source.x, like=source)
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as file:
        assert [page.shape for page in file.pages] == [(10, 12), (8, 9)]


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_missing_tifffile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    """Without tifffile, plain files are read; for others the error names the extra."""
    Image.fromarray(numbers((10, 12))).save(tmp_path / "plain.tif")
    tifffile.imwrite(tmp_path / "deep.tif", numbers((5, 10, 12), dtype))
    monkeypatch.setattr("unwarp.data.formats.tiff.find_spec", lambda name: None)
    assert read(tmp_path / "plain.tif").x.shape == (1, 1, 10, 12)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[tiff\]'"):
        read(tmp_path / "deep.tif")
