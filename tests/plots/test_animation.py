"""Moving pictures: frames that show each sample, and GIF files that play there and back and stay small."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from unwarp.errors import DataError
from unwarp.plots.animation import animate, moving

RANDOM = np.random.default_rng(0)


def played(data: bytes) -> list[np.ndarray]:  # type: ignore[type-arg]
    file = Image.open(io.BytesIO(data))
    frames = []
    for i in range(getattr(file, "n_frames", 1)):
        file.seek(i)
        frames.append(np.asarray(file.convert("L")).copy())
    return frames


def test_a_gif_plays_its_frames_there_and_back_for_ever() -> None:
    ramp = np.linspace(0, 1, 5)[:, None, None] * np.ones((5, 24, 32))
    data = animate(ramp, seconds=1.0)
    file = Image.open(io.BytesIO(data))
    assert (file.format, file.size, file.info["loop"], file.info["duration"]) == (
        "GIF",
        (32, 24),
        0,
        200,
    )
    shades = [frame.mean() / 255 for frame in played(data)]
    np.testing.assert_allclose(shades, [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25], atol=0.02)


def test_a_file_stays_below_its_bound_whatever_is_shown() -> None:
    noise = RANDOM.random((12, 200, 200))
    data = animate(noise, most=60_000)
    assert len(data) <= 60_000
    assert min(Image.open(io.BytesIO(data)).size) >= 25
    assert len(animate(noise)) <= 300_000


def test_colour_is_kept() -> None:
    red = np.zeros((3, 20, 20, 3))
    red[..., 0] = 1
    red[1, :10] = 0
    file = Image.open(io.BytesIO(animate(red)))
    assert file.convert("RGB").getpixel((5, 15)) == (255, 0, 0)


def test_every_frame_shows_its_samples_and_words_in_place() -> None:
    bright = np.ones((3, 1, 8, 8)) * np.array([0.0, 0.5, 1.0])[:, None, None, None]
    tiles = {f"tile {i}": bright for i in range(8)}
    frames = moving(tiles, {"tile 0": ["a", "b", "c"]})
    assert frames.dtype == np.uint8 and frames.shape[0] == 3 and frames.shape[3] == 3
    levels = [
        np.bincount(frame[..., 0].ravel(), minlength=256)[[0, 127, 128, 255]] for frame in frames
    ]
    area = levels[0][0]
    assert area > 8 * 90**2
    assert levels[1][1] + levels[1][2] >= 0.98 * area
    assert levels[2][3] >= levels[0][3] + 0.98 * area
    still = moving({"tile 0": bright[:1].repeat(2, 0)})
    assert np.array_equal(still[0], still[1])


def test_series_move_too() -> None:
    frames = moving({"series": RANDOM.random((2, 2, 30))})
    assert not np.array_equal(frames[0], frames[1])


@pytest.mark.parametrize("shape", [(0, 8, 8), (8, 8), (2, 8, 8, 4)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="frames have shape"):
        animate(np.zeros(shape))
