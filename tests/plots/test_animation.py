"""Frames show every sample, and GIF files play forth and back and stay small."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from unwarp.core import Array
from unwarp.errors import DataError
from unwarp.plots.animation import animate, render_frames

RANDOM = np.random.default_rng(0)


def decode_gif(data: bytes) -> list[Array]:
    """Grey frames (height, width) of a GIF file."""
    file = Image.open(io.BytesIO(data))
    frames = []
    for i in range(getattr(file, "n_frames", 1)):
        file.seek(i)
        frames.append(np.asarray(file.convert("L")).copy())
    return frames


def test_gif_plays_forth_and_back() -> None:
    """A GIF plays its frames forth and back, at the pace of its duration, forever."""
    ramp = np.linspace(0, 1, 5)[:, None, None] * np.ones((5, 24, 32))
    data = animate(ramp, seconds=1.0)
    file = Image.open(io.BytesIO(data))
    assert (file.format, file.size) == ("GIF", (32, 24))
    assert (file.info["loop"], file.info["duration"]) == (0, 200)
    shades = [frame.mean() / 255 for frame in decode_gif(data)]
    np.testing.assert_allclose(shades, [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25], atol=0.02)


def test_gif_stays_below_its_size() -> None:
    """Frames of noise are reduced until the file is small enough, but not to nothing."""
    noise = RANDOM.random((12, 200, 200))
    data = animate(noise, max_bytes=60_000)
    assert len(data) <= 60_000
    assert min(Image.open(io.BytesIO(data)).size) >= 25
    assert len(animate(noise)) <= 300_000


def test_gif_keeps_colour() -> None:
    """A pure colour stays pure in the palette."""
    red = np.zeros((3, 20, 20, 3))
    red[..., 0] = 1
    red[1, :10] = 0
    file = Image.open(io.BytesIO(animate(red)))
    assert file.convert("RGB").getpixel((5, 15)) == (255, 0, 0)


def test_frames_show_samples() -> None:
    """Every frame shows its samples at the same places, and equal samples give equal frames."""
    bright = np.ones((3, 1, 8, 8)) * np.array([0.0, 0.5, 1.0])[:, None, None, None]
    tiles = {f"tile {i}": bright for i in range(8)}
    frames = render_frames(tiles, {"tile 0": ["a", "b", "c"]})
    assert frames.dtype == np.uint8 and frames.shape[0] == 3 and frames.shape[3] == 3
    levels = [
        np.bincount(frame[..., 0].ravel(), minlength=256)[[0, 127, 128, 255]] for frame in frames
    ]
    area = levels[0][0]
    assert area > 8 * 90**2
    assert levels[1][1] + levels[1][2] >= 0.98 * area
    assert levels[2][3] >= levels[0][3] + 0.98 * area
    repeated = render_frames({"tile 0": bright[:1].repeat(2, 0)})
    assert np.array_equal(repeated[0], repeated[1])


def test_frames_show_series() -> None:
    """Series change from frame to frame as images do."""
    frames = render_frames({"series": RANDOM.random((2, 2, 30))})
    assert not np.array_equal(frames[0], frames[1])


@pytest.mark.parametrize("shape", [(0, 8, 8), (8, 8), (2, 8, 8, 4)])
def test_frames_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """Arrays that are not frames, or no frame at all, raise an error that names their shape."""
    with pytest.raises(DataError, match="frames have shape"):
        animate(np.zeros(shape))
