"""The range of images follows what they show, not lamps or single pixels."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.core import IMAGES
from unwarp.data.light import Light, fit_image_scaler, range_of_images, sample_of_images
from unwarp.data.scale_fitting import fit_scale

RNG = np.random.default_rng(0)
Y, X = np.mgrid[:20, :20]


def blobs(n: int = 40) -> np.ndarray:
    """Blobs (n, 1, 20, 20) at random places on a black background."""
    places = RNG.uniform(7, 13, (n, 2, 1, 1))
    squares = (X - places[:, 0]) ** 2 + (Y - places[:, 1]) ** 2
    return np.exp(-squares / 12)[:, None]


def test_hot_pixels_do_not_count() -> None:
    """One hot pixel in one image changes the range of a 16-bit camera by nothing."""
    x = np.round(blobs() * 2000 + 300).astype(np.uint16)
    clean = fit_scale(x, IMAGES).scaler
    x[5, 0, 3, 3] = 65535
    fit = fit_scale(x, IMAGES)
    assert (fit.scaler.offset, fit.scaler.factor) == (clean.offset, clean.factor)
    assert "single pixels" in fit.note and "65535" in fit.note


@pytest.mark.parametrize("ground", [0.0, 1.0])
def test_own_range_undoes_lamps(ground: float) -> None:
    """Gain and offset of each image vanish, on dark and on bright ground, and come back."""
    x = abs(ground - blobs())
    gain, offset = RNG.uniform(0.2, 1, (len(x), 1, 1, 1)), RNG.uniform(0, 9, (len(x), 1, 1, 1))
    is_dark = Light.of(x).has_dark_ground
    scaler = fit_image_scaler(gain * x + offset, is_dark)
    expected = fit_image_scaler(x, is_dark).apply(x)
    np.testing.assert_allclose(scaler.apply(gain * x + offset), expected, atol=1e-5)
    np.testing.assert_allclose(scaler.undo(expected), gain * x + offset, atol=1e-5)
    assert is_dark == (ground == 0)


def test_auto_notices_lamps() -> None:
    """Lamps or exposures that differ give each image its own range, and the note says why."""
    x = blobs()
    dim = np.geomspace(1, 0.1, len(x))[:, None, None, None]
    for images, word in (
        (x + 9 * RNG.random((len(x), 1, 1, 1)), "backgrounds"),
        (x * dim, "contrasts"),
    ):
        fit = fit_scale(images, IMAGES)
        assert fit.is_per_sample and word in fit.note
        assert not fit_scale(images, IMAGES, has_gain=True).is_per_sample


def test_auto_keeps_one_range() -> None:
    """Equal lamps, noise and random images have one range for all."""
    noisy = blobs() + RNG.normal(0, 0.4, (40, 1, 20, 20))
    for images in (blobs(), noisy, RNG.random((40, 1, 20, 20)), RNG.random((40, 3, 9, 9)) > 0.5):
        fit = fit_scale(images, IMAGES)
        assert not fit.is_per_sample and not fit.note


def test_range_starts_at_the_ground() -> None:
    """On a dark ground with noise, the median of the ground becomes 0."""
    x = blobs() * 1000 + RNG.normal(300, 20, (40, 1, 20, 20))
    low, high = range_of_images(x, x.min(), x.max())
    assert abs(low - 300) < 5 and high == x.max()


def test_few_large_images_are_looked_at() -> None:
    """Of large images, some are copied to find out about the light, not all."""
    x = np.broadcast_to(np.uint8(7), (300, 1, 1500, 1500))
    assert 4 <= len(sample_of_images(x)) <= 30
    assert len(sample_of_images(x[:, :, :64, :64])) == 300
