"""A renderer of dSprites frames: squares, ellipses and hearts, black and white.

A pixel is 1 if its centre is inside the shape, else 0. In the tests, a rendered frame differs from
the published frame in at most 7 of 4,096 pixels, and in less than one pixel on average. Data sets
of these frames are therefore named "rendered, dSprites-equivalent".
"""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.datasets.sprites.grid import SIZE

SQUARE_HALF_SIDE_PX = 9.6
ELLIPSE_HALF_AXES_PX = (12.76, 7.22)
"""Sizes at scale 1. The half axes of the ellipse are the horizontal and the vertical one."""

HEART_RADII = """
53239 53239 56118 62027 64710 65441 72444 72444 75166 77134 80443 80443 82557 83956 86022 90614
90614 90614 94068 95654 98071 98071 98222 101033 102191 103518 103518 105119 106303 106535 107686
107686 108854 108854 110226 110496 110626 110626 112019 112304 111982 112106 112225 112274 112019
112019 112019 112876 112451 112451 112403 112304 112019 112123 111280 111280 111834 110226 110226
109075 108519 107809 107809 107834 106706 105907 105488 104580 104193 102580 101830 101215 100916
98490 96831 96831 96520 95131 94600 92465 91241 91241 90262 88600 88600 86313 84664 84664 83889
82397 80911 80911 79057 77581 77581 77134 75433 75433 73824 72444 72444 71090 70801 70643 69357
68663 67821 67821 67334 65950 65950 65767 64405 64405 64724 64416 62730 62954 62344 62344 61649
61967 62027 61455 60658 60243 60243 60002 59353 59626 59359 59359 58236 58712 58712 58712 58712
58712 58236 59149 59149 59626 59353 59458 59458 59458 58712 58712 62027 61967 61649 61341 61747
61747 61747 62763 63503 63651 63651 64416 64416 65950 66708 67639 67639 67639 69357 71116 71274
71274 72444 75798 75798 77134 78419 80911 84342 85120 88032 95002 95002
"""
"""Distance of the heart's outline from its centre at scale 1, in 1e-4 pixels.

There is one value per degree of the right half, from -90 (up) to 90 (down); the left half mirrors
it.
"""

WINDOW_PX = 32
"""Side of the square of pixels that is drawn; it contains every sprite at any scale up to 1."""

FRAMES_PER_BLOCK = 1000
"""Number of frames that are drawn at once, to limit memory."""


def render(values: Array) -> Array:
    """Render frames of any scale, orientation and position.

    The values need not be those of the grid.

    Args:
        values: One row per frame (N, 6): colour (ignored), shape (1 square, 2 ellipse, 3 heart),
            scale, orientation in radians, position x and y from 0 to 1.

    Returns:
        Frames (N, 64, 64), uint8, 0 or 1.

    >>> int(render(np.array([[1.0, 1.0, 1.0, 0.0, 0.5, 0.5]])).sum())  # a square of side 19.2
    400
    """
    frames = np.zeros((len(values), SIZE, SIZE), np.uint8)
    for start in range(0, len(values), FRAMES_PER_BLOCK):
        block = slice(start, start + FRAMES_PER_BLOCK)
        _draw(np.asarray(values[block], float), frames[block])
    return frames


def canonical_sprites() -> Array:
    """The canonical sprite of each shape: scale 1, upright, in the middle.

    Returns:
        Frames (3, 64, 64), uint8, 0 or 1, in the order of the labels: square, ellipse, heart.
    """
    return render(np.array([[1.0, shape, 1.0, 0.0, 0.5, 0.5] for shape in (1, 2, 3)]))


def _draw(values: Array, frames: Array) -> None:
    """Draw sprites into frames (n, 64, 64) of zeros, each within a window around it."""
    shape, scale, angle = values[:, 1], values[:, 2, None, None], values[:, 3, None, None]
    # positions from 0 to 1 are 16 to 48 pixels from the left and the upper edge
    centre = 16 + 32 * values[:, 4:]
    window_start = np.floor(centre).astype(int) - WINDOW_PX // 2
    # columns [:, 0] and rows [:, 1] of the window in the frame (n, 2, WINDOW_PX)
    pixel = window_start[:, :, None] + np.arange(WINDOW_PX)
    offset = pixel + 0.5 - centre[:, :, None]
    right, down = offset[:, 0, None, :], offset[:, 1, :, None]
    # coordinates of the pixel centres in the upright sprite at scale 1
    u = (right * np.cos(angle) - down * np.sin(angle)) / scale
    v = (right * np.sin(angle) + down * np.cos(angle)) / scale
    inside = np.zeros(u.shape, bool)
    for label, contains in enumerate((_in_square, _in_ellipse, _in_heart), start=1):
        inside[shape == label] = contains(u[shape == label], v[shape == label])
    frame = np.arange(len(values))[:, None, None]
    frames[frame, pixel[:, 1, :, None], pixel[:, 0, None, :]] = inside


def _in_square(u: Array, v: Array) -> Array:
    """Whether points, in pixels right and down of the middle, are inside the square."""
    return (np.abs(u) < SQUARE_HALF_SIDE_PX) & (np.abs(v) < SQUARE_HALF_SIDE_PX)


def _in_ellipse(u: Array, v: Array) -> Array:
    """Whether points, in pixels right and down of the middle, are inside the ellipse."""
    return (u / ELLIPSE_HALF_AXES_PX[0]) ** 2 + (v / ELLIPSE_HALF_AXES_PX[1]) ** 2 < 1


def _in_heart(u: Array, v: Array) -> Array:
    """Whether points, in pixels right and down of the middle, are inside the heart.

    The radius of the outline is interpolated between whole degrees.
    """
    radii = np.array(HEART_RADII.split(), float) / 1e4
    degrees = np.arange(-90, 91)
    return np.hypot(u, v) < np.interp(np.arctan2(v, np.abs(u)), np.deg2rad(degrees), radii)
