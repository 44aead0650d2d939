"""The grid of dSprites: factors, their values, and true maps.

Convention:
    Orientation is positive counter-clockwise as seen. The true map of a frame moves the canonical
    sprite of its shape (scale 1, upright, in the middle) to its pose: `p_obs = R s p_sprite + t`.
    The first and the last of the 40 orientations are the same picture; both count as 0 degrees.
    Positions are in pixels from the middle of the frame, to the right and down.
"""

from __future__ import annotations

import numpy as np
import torch

from unwarp.core import Array, Factor
from unwarp.warps import AffineMap, Similarity2d

SIZE = 64
"""Pixels of a frame along each axis."""

GRID_SHAPE = (1, 3, 6, 40, 32, 32)
"""Number of values of colour, shape, scale, orientation, position x and position y.

The last one varies fastest from row to row of the published file.
"""

N_ORIENTATIONS = GRID_SHAPE[3] - 1
"""Number of different orientations; the last on the grid repeats the first."""

FIRST_VALUES = np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
VALUE_STEPS = np.array([0.0, 1.0, 0.1, 2 * np.pi / 39, 1 / 31, 1 / 31])
"""First value of each latent and the step to its next one, as in the published file."""

SHAPES = ("square", "ellipse", "heart")
"""Name of each label."""

SYMMETRY = {0: 4, 1: 2, 2: 1}
"""Turns of the full circle that leave each shape as it is, by label."""

FACTORS = (
    Factor("shape", "class", 0, 2),
    Factor("scale", "factor", 0.5, 1.0),
    Factor("orientation_deg", "deg", 0.0, 360.0, periodic=True),
    Factor("position_x_px", "px", -16.0, 16.0),
    Factor("position_y_px", "px", -16.0, 16.0),
)
"""Factors of variation of a frame; colour is left out because it is constant."""


def latent_classes(rows: Array) -> Array:
    """Grid indices of rows of the published file, its `latents_classes`.

    Args:
        rows: Row numbers (N,), from 0 to 737,279.

    Returns:
        Indices (N, 6) of colour, shape, scale, orientation, position x and position y.

    >>> latent_classes(np.array([0, 33])).tolist()
    [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
    """
    return np.stack(np.unravel_index(rows, GRID_SHAPE), 1)


def latent_values(classes: Array) -> Array:
    """Values of grid indices, the `latents_values` of the published file.

    Args:
        classes: Grid indices (N, 6).

    Returns:
        Values (N, 6): colour 1, shape 1 to 3, scale 0.5 to 1, orientation in radians from 0 to
        2 pi, positions from 0 to 1.
    """
    values: Array = FIRST_VALUES + VALUE_STEPS * classes
    return values


def factor_values(classes: Array) -> Array:
    """Values of the `FACTORS` of frames.

    Args:
        classes: Grid indices (N, 6).

    Returns:
        Values (N, 5): label 0 to 2, scale, degrees in [0, 360), and pixels from the middle.
    """
    values = latent_values(classes)
    degrees = classes[:, 3] % N_ORIENTATIONS * (360 / N_ORIENTATIONS)
    x, y = 32 * values[:, 4] - 16, 32 * values[:, 5] - 16
    return np.stack([classes[:, 1], values[:, 2], degrees, x, y], 1)


def true_maps(classes: Array) -> AffineMap:
    """The deformation of each frame from the canonical sprite.

    Args:
        classes: Grid indices (N, 6).

    Returns:
        N similarities, each a rotation, one scale and a shift.
    """
    values = latent_values(classes)
    theta = np.stack(
        [
            values[:, 3] % (2 * np.pi),
            np.log(values[:, 2]),
            values[:, 4] - 0.5,
            values[:, 5] - 0.5,
        ],
        1,
    )
    return Similarity2d(size=(SIZE, SIZE)).map(torch.from_numpy(theta.astype(np.float32)))
