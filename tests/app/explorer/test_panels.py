"""Panels: pictures as PNG, and numbers that every browser reads."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from unwarp.app.explorer.panels import (
    BLUE,
    GREY,
    RED,
    curves,
    exact,
    numbers,
    picture,
    residual_picture,
    value_limits,
)


def pixels(address: str) -> np.ndarray:
    """The pixels of a data address."""
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("channels", "shape"), [(1, (3, 5)), (2, (3, 5)), (3, (3, 5, 3)), (4, (3, 5, 3))]
)
def test_pictures_keep_their_pixels(channels: int, shape: tuple[int, ...]) -> None:
    """Grey and colours come back as 8 bits; values beyond [0, 1] are clipped."""
    x = np.linspace(-0.2, 1.2, channels * 15).reshape(channels, 3, 5)
    expected = np.rint(np.clip(x, 0, 1) * 255)
    expected = np.moveaxis(expected[:3], 0, -1) if channels >= 3 else expected[0]
    assert pixels(picture(x)).shape == shape
    np.testing.assert_array_equal(pixels(picture(x)), expected)


def test_residuals_diverge_around_grey() -> None:
    """Brighter than the reconstruction is red, darker is blue, equal is grey."""
    observed = np.array([[[1.0, 0.0, 0.5, np.nan]]])
    x_hat = np.array([[[0.0, 1.0, 0.5, 0.5]]])
    assert pixels(residual_picture(observed, x_hat))[0].tolist() == [
        list(colour) for colour in (RED, BLUE, GREY, GREY)
    ]


def test_numbers_are_json() -> None:
    """No NaN is written, digits follow the span, and codes keep all of them."""
    x = np.array([1e-9, np.nan, np.inf, 1 / 3, 1e4])
    assert json.loads(json.dumps(numbers(x), allow_nan=False)) == [0.0, None, None, 0.3, 1e4]
    assert exact(np.array([1 / 3], np.float32)) == [float(np.float32(1 / 3))]
    assert numbers(np.full(2, 7.25)) == [7.25, 7.25] and numbers(np.full(1, np.nan)) == [None]


def test_long_curves_are_thinned() -> None:
    """Both ends stay, and steps keep their times."""
    x, times = np.arange(100.0)[None], np.arange(100.0) / 10
    thin = curves(x, times, 12)
    assert len(thin["time"]) == 12 and thin["time"][-1] == 9.9
    np.testing.assert_allclose(np.array(thin["values"][0]) / 10, thin["time"])


def test_limits_of_values() -> None:
    """Missing values do not count, and a constant has room."""
    assert value_limits([np.array([np.nan, 2.0]), np.array([5.0])]) == (2.0, 5.0)
    assert value_limits([np.zeros(3)]) == (-0.5, 0.5) and value_limits([]) == (0.0, 1.0)
