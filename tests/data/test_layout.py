"""Which axis is which: one reading or a refusal that shows both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.layout import oriented
from unwarp.errors import ConfigError, DataError

sides = st.integers(5, 12)


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape)


@given(st.integers(1, 4), sides, sides, st.sampled_from([1, 3, 4]))
def test_channels_last_is_moved_to_the_front(
    n: int, height: int, width: int, channels: int
) -> None:
    x = numbered(n, height, width, channels)
    samples, found = oriented(x)
    assert found == "image" and samples.shape == (n, channels, height, width)
    for c in range(channels):
        np.testing.assert_array_equal(samples[:, c], x[..., c])


@given(st.integers(1, 4), st.integers(1, 6), sides, sides)
def test_channels_first_stays(n: int, channels: int, height: int, width: int) -> None:
    x = numbered(n, channels, height, width)
    assert oriented(x)[0] is x


@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (2, 1, 5, 3)])
def test_a_reading_with_pictures_one_pixel_thin_does_not_count(shape: tuple[int, ...]) -> None:
    x = numbered(*shape)
    assert oriented(x)[0] is x
    assert oriented(np.moveaxis(x, 1, 3))[0].shape == shape


def test_four_axes_that_read_two_ways_are_refused_until_told() -> None:
    x = numbered(2, 3, 20, 4)
    with pytest.raises(DataError, match=r"two ways.*3 channels of 20 x 4.*4 channels of 3 x 20"):
        oriented(x)
    assert oriented(x, image_shape=(3, 20, 4))[0] is x
    assert oriented(x, image_shape=(20, 4))[0] is x
    np.testing.assert_array_equal(oriented(x, image_shape=(4, 3, 20))[0], x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("side", [8, 9, 28])
def test_square_three_axes_are_pictures_of_one_channel(side: int) -> None:
    samples, found = oriented(numbered(3, side, side))
    assert found == "image" and samples.shape == (3, 1, side, side)


@pytest.mark.parametrize("shape", [(3, 7, 7), (3, 28, 29), (30, 2, 50), (64, 64, 3)])
def test_other_three_axes_are_refused_until_told(shape: tuple[int, int, int]) -> None:
    x = numbered(*shape)
    with pytest.raises(DataError, match=r"two ways.*domain='image'.*domain='series'"):
        oriented(x)
    assert oriented(x, "series")[0] is x
    samples, found = oriented(x, "image")
    assert found == "image" and samples.shape == (shape[0], 1, *shape[1:])
    assert oriented(x, image_shape=shape[1:])[0].shape == samples.shape


def test_a_square_array_is_series_when_told() -> None:
    x = numbered(3, 9, 9)
    samples, found = oriented(x, "series")
    assert found == "series" and samples is x


@given(st.integers(1, 3), st.integers(2, 6), sides, sides)
def test_rows_become_pictures_again(n: int, channels: int, height: int, width: int) -> None:
    x = numbered(n, channels, height, width)
    rows = x.reshape(n, -1)
    np.testing.assert_array_equal(oriented(rows, image_shape=(channels, height, width))[0], x)
    grey = numbered(n, height * width)
    assert oriented(grey, "image", (height, width))[0].shape == (n, 1, height, width)


def test_rows_of_pictures_with_channels_last_are_read_as_told() -> None:
    x = numbered(2, 6, 7, 3)
    np.testing.assert_array_equal(
        oriented(x.reshape(2, -1), image_shape=(6, 7, 3))[0], np.moveaxis(x, 3, 1)
    )
    np.testing.assert_array_equal(oriented(x, image_shape=(6, 7, 3))[0], np.moveaxis(x, 3, 1))


def test_rows_are_series_of_one_channel() -> None:
    samples, found = oriented(numbered(3, 5))
    assert found == "series" and samples.shape == (3, 1, 5)


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
def test_shapes_that_do_not_fit_are_refused(
    x: np.ndarray, domain: str, image_shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        oriented(x, domain, image_shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("image_shape", [(), (16,), (1, 1, 4, 4), (4, 0), (4, -4), (4.0, 4.0), 16])
def test_senseless_image_shapes_are_refused(image_shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="image_shape"):
        oriented(numbered(2, 16), "auto", image_shape)


def test_series_have_no_image_shape() -> None:
    with pytest.raises(ConfigError, match="one of the two"):
        oriented(numbered(2, 16), "series", (4, 4))
