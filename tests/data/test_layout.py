"""`arrange_axes` finds the one reading of an array, or refuses it and shows both."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.layout import arrange_axes, restore_dtype, restore_layout
from unwarp.errors import ConfigError, DataError

sides = st.integers(5, 12)


def numbered(*shape: int) -> np.ndarray:
    """An array of a shape with different numbers."""
    return np.arange(np.prod(shape)).reshape(shape)


@given(st.integers(1, 4), sides, sides, st.sampled_from([1, 3, 4]))
def test_channels_last_is_moved(n: int, height: int, width: int, channels: int) -> None:
    """Images with the channels in the last axis become (N, C, H, W)."""
    x = numbered(n, height, width, channels)
    samples, domain = arrange_axes(x)
    assert domain == "image" and samples.shape == (n, channels, height, width)
    for c in range(channels):
        np.testing.assert_array_equal(samples[:, c], x[..., c])


@given(st.integers(1, 4), st.integers(1, 5), sides, sides)
def test_channels_first_is_unchanged(n: int, channels: int, height: int, width: int) -> None:
    """Images (N, C, H, W) are returned as they are."""
    x = numbered(n, channels, height, width)
    assert arrange_axes(x)[0] is x


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (2, 1, 5, 3)])
def test_thin_images_do_not_count(shape: tuple[int, ...]) -> None:
    """A reading with images one pixel high or wide is not considered."""
    x = numbered(*shape)
    assert arrange_axes(x)[0] is x
    assert arrange_axes(np.moveaxis(x, 1, 3))[0].shape == shape


def test_four_axes_may_need_a_shape() -> None:
    """Four axes with two readings are refused unless `image_shape` decides."""
    x = numbered(2, 3, 20, 4)
    with pytest.raises(DataError, match=r"two ways.*3 channels of 20 x 4.*4 channels of 3 x 20"):
        arrange_axes(x)
    assert arrange_axes(x, image_shape=(3, 20, 4))[0] is x
    assert arrange_axes(x, image_shape=(20, 4))[0] is x
    np.testing.assert_array_equal(
        arrange_axes(x, image_shape=(4, 3, 20))[0], x.transpose(0, 3, 1, 2)
    )


@pytest.mark.parametrize("shape", [(2, 16, 16, 2), (2, 16, 16, 5), (2, 64, 48, 16)])
def test_layout_settles_channels(shape: tuple[int, ...]) -> None:
    """A short last axis reads two ways; each value of `layout` takes one of them."""
    x = numbered(*shape)
    with pytest.raises(DataError, match=r"two ways.*'channels_first'.*'channels_last'"):
        arrange_axes(x)
    assert arrange_axes(x, layout="channels_first")[0] is x
    last, domain = arrange_axes(x, layout="channels_last")
    assert domain == "image"
    np.testing.assert_array_equal(last, np.moveaxis(x, 3, 1))
    np.testing.assert_array_equal(restore_layout(last.astype(float), x, "channels_last"), x)


def test_layout_of_a_cube_is_restored() -> None:
    """Results go back to the last axis, also where all axes are equally long."""
    x = numbered(2, 4, 4, 4)
    last = arrange_axes(x, layout="channels_last")[0]
    np.testing.assert_array_equal(restore_layout(last.astype(float), x, "channels_last"), x)


def test_series_have_no_layout() -> None:
    """A layout of pictures is refused for series."""
    for x, domain in ((numbered(3, 5), "auto"), (numbered(3, 2, 5), "series")):
        with pytest.raises(ConfigError, match="layout='channels_last' is the order"):
            arrange_axes(x, domain, layout="channels_last")


@pytest.mark.parametrize("side", [8, 9, 28])
def test_square_three_axes_are_images(side: int) -> None:
    """Square arrays with three axes are images of one channel."""
    samples, domain = arrange_axes(numbered(3, side, side))
    assert domain == "image" and samples.shape == (3, 1, side, side)


@pytest.mark.parametrize("shape", [(3, 7, 7), (3, 28, 29), (30, 2, 50), (64, 64, 3)])
def test_three_axes_may_need_a_domain(shape: tuple[int, int, int]) -> None:
    """Other arrays with three axes are refused unless `domain` or `image_shape` decides."""
    x = numbered(*shape)
    with pytest.raises(DataError, match=r"two ways.*domain='image'.*domain='series'"):
        arrange_axes(x)
    assert arrange_axes(x, "series")[0] is x
    samples, domain = arrange_axes(x, "image")
    assert domain == "image" and samples.shape == (shape[0], 1, *shape[1:])
    assert arrange_axes(x, image_shape=shape[1:])[0].shape == samples.shape


def test_square_series_need_a_domain() -> None:
    """A square array with three axes holds series if `domain` says so."""
    x = numbered(3, 9, 9)
    samples, domain = arrange_axes(x, "series")
    assert domain == "series" and samples is x


@given(st.integers(1, 3), st.integers(2, 6), sides, sides)
def test_rows_become_images(n: int, channels: int, height: int, width: int) -> None:
    """Flattened images get the shape in `image_shape`."""
    x = numbered(n, channels, height, width)
    rows = x.reshape(n, -1)
    np.testing.assert_array_equal(arrange_axes(rows, image_shape=(channels, height, width))[0], x)
    grey = numbered(n, height * width)
    assert arrange_axes(grey, "image", (height, width))[0].shape == (n, 1, height, width)


def test_rows_may_have_channels_last() -> None:
    """An `image_shape` (H, W, C) is accepted if (C, H, W) makes no sense."""
    x = numbered(2, 6, 7, 3)
    np.testing.assert_array_equal(
        arrange_axes(x.reshape(2, -1), image_shape=(6, 7, 3))[0], np.moveaxis(x, 3, 1)
    )
    np.testing.assert_array_equal(arrange_axes(x, image_shape=(6, 7, 3))[0], np.moveaxis(x, 3, 1))


def test_rows_are_series() -> None:
    """An array with two axes holds series."""
    samples, domain = arrange_axes(numbered(3, 5))
    assert domain == "series" and samples.shape == (3, 1, 5)


@pytest.mark.parametrize(
    ("x", "domain", "image_shape", "message"),
    [
        (numbered(3), "auto", None, "Reshape your data"),
        (np.array(1.0), "auto", None, "single number"),
        (numbered(2, 2, 2, 2, 2), "auto", None, "5 axes"),
        (numbered(2, 16), "image", None, r"image_shape=\(H, W\)"),
        (numbered(2, 1, 8, 8), "series", None, r"\(N, T\) or \(N, C, T\)"),
        (numbered(2, 16), "auto", (4, 5), "16 columns.*needs 20"),
        (numbered(2, 8, 8), "auto", (8, 9), "does not fit"),
        (numbered(2, 8, 8), "auto", (3, 8, 8), "does not fit"),
        (numbered(2, 1, 8, 8), "auto", (3, 8, 8), "does not fit"),
    ],
)
def test_other_shapes_are_refused(
    x: np.ndarray, domain: str, image_shape: tuple[int, ...], message: str
) -> None:
    """A shape that contradicts `domain` or `image_shape` is refused."""
    with pytest.raises(DataError, match=message):
        arrange_axes(x, domain, image_shape)


@pytest.mark.parametrize("image_shape", [(), (16,), (1, 1, 4, 4), (4, 0), (4, -4), (4.0, 4.0), 16])
def test_image_shape_is_checked(image_shape: tuple[int, ...]) -> None:
    """An `image_shape` must be two or three positive whole numbers."""
    with pytest.raises(ConfigError, match="image_shape"):
        arrange_axes(numbered(2, 16), "auto", image_shape)


def test_series_have_no_image_shape() -> None:
    """An `image_shape` contradicts `domain='series'`."""
    with pytest.raises(ConfigError, match="one of the two"):
        arrange_axes(numbered(2, 16), "series", (4, 4))


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("precision", ["f4", "f8", "longdouble"])
def test_integers_do_not_wrap_around(dtype: str, precision: str) -> None:
    """Numbers beyond an integer type become its ends, not other numbers."""
    ends = np.iinfo(dtype)
    low, high = restore_dtype(np.array([-1e30, 1e30], precision), np.dtype(dtype)).tolist()
    assert low == ends.min and ends.max - high <= ends.max * 2.0 ** -np.finfo(precision).nmant


def test_gaps_keep_numbers_floating() -> None:
    """Integers cannot hold a gap, so such results stay floating; a mask is False there."""
    values = np.array([1.4, np.nan])
    np.testing.assert_array_equal(restore_dtype(values, np.dtype("int16")), values)
    assert restore_dtype(values, np.dtype(bool)).tolist() == [True, False]


def test_brain_floats_become_float32() -> None:
    """Results for tensors of type bfloat16, which NumPy lacks, are float32 in their layout."""
    values = np.ones((2, 1, 3), np.float32)
    for dtype, expected in ((torch.bfloat16, np.float32), (torch.float16, np.float16)):
        result = restore_layout(values, torch.zeros(2, 3, dtype=dtype))
        assert result.shape == (2, 3) and result.dtype == expected
