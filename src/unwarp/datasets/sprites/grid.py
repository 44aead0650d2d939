"""The grid of dSprites: factors, their values, and true maps.

A frame is an image of dSprites. There is one frame for each combination of the values of six
factors; these combinations are the grid.

Convention:
    Orientation is positive counter-clockwise as seen. The canonical sprite of a shape has scale 1
    and is upright and in the middle of the frame. The true map of a frame moves a point of the
    canonical sprite to the frame: `p_obs = R s p_sprite + t`, with rotation R, scale s and shift t.
    The first and the last of the 40 orientations, 0 and 360 degrees, are both 0 degrees here.
    Positions are in pixels from the middle of the frame, to the right and down.
"""

from __future__ import annotations

import numpy as np
import torch

from unwarp.core import Array, Factor
from unwarp.warps import AffineMap, Similarity2d

SIZE = 64
"""Height and width of a frame in pixels."""

GRID_SHAPE = (1, 3, 6, 40, 32, 32)
"""Number of values of colour, shape, scale, orientation, position x and position y.

Rows of the published file are in this order; position y changes from each row to the next.
"""

N_ORIENTATIONS = GRID_SHAPE[3] - 1
"""Number of different orientations; the last orientation of the grid repeats the first."""

FIRST_VALUES = np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0])
VALUE_STEPS = np.array([0.0, 1.0, 0.1, 2 * np.pi / 39, 1 / 31, 1 / 31])
"""First value of each latent in the published file, and the step from a value to the next.

A latent is a factor in the units of the file; `GRID_SHAPE` has their order.
"""

SHAPES = ("square", "ellipse", "heart")
"""Name of each shape; a label is an index into it."""

SYMMETRY = {0: 4, 1: 2, 2: 1}
"""Order of the rotational symmetry of each shape, by label.

A rotation by 360 / order degrees leaves the shape unchanged: 90 for a square, 180 for an ellipse.
"""

FACTORS = (
    Factor("shape", "class", 0, 2),
    Factor("scale", "factor", 0.5, 1.0),
    Factor("orientation_deg", "deg", 0.0, 360.0, periodic=True),
    Factor("position_x_px", "px", -16.0, 16.0),
    Factor("position_y_px", "px", -16.0, 16.0),
)
"""Factors of variation; colour is left out because it is constant."""


def latent_classes(rows: Array) -> Array:
    """Indices of the factor values of rows of the published file.

    They are the array `latents_classes` of that file.

    Args:
        rows: Row numbers (N,), from 0 to 737,279.

    Returns:
        Indices from 0 (N, 6) of the values of colour, shape, scale, orientation, position x and
        position y.

    >>> latent_classes(np.array([0, 33])).tolist()
    [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
    """
    return np.stack(np.unravel_index(rows, GRID_SHAPE), 1)


def latent_values(classes: Array) -> Array:
    """Factor values of frames in the units of the published file.

    They are the array `latents_values` of that file.

    Args:
        classes: Indices of the values (N, 6), as `latent_classes` returns them.

    Returns:
        Values (N, 6): colour 1, shape 1 to 3, scale 0.5 to 1, orientation in radians from 0 to
        2 pi, positions from 0 to 1.
    """
    values: Array = FIRST_VALUES + VALUE_STEPS * classes
    return values


def factor_values(classes: Array) -> Array:
    """Factor values of frames in the units of `FACTORS`.

    Args:
        classes: Indices of the values (N, 6), as `latent_classes` returns them.

    Returns:
        Values (N, 5): label 0 to 2, scale, orientation in degrees from 0 to below 360, and position
        x and y in pixels from the middle.
    """
    values = latent_values(classes)
    degrees = classes[:, 3] % N_ORIENTATIONS * (360 / N_ORIENTATIONS)
    x, y = 32 * values[:, 4] - 16, 32 * values[:, 5] - 16
    return np.stack([classes[:, 1], values[:, 2], degrees, x, y], 1)


def true_maps(classes: Array) -> AffineMap:
    """The map from the canonical sprite to each frame.

    Args:
        classes: Indices of the values (N, 6), as `latent_classes` returns them.

    Returns:
        N maps, each a rotation, a scale and a shift.
    """
    values = latent_values(classes)
    angle, log_scale = values[:, 3] % (2 * np.pi), np.log(values[:, 2])
    # a position from 0 to 1 is -16 to 16 px from the middle, or -0.5 to 0.5 half-widths of 32 px
    shift_x, shift_y = values[:, 4] - 0.5, values[:, 5] - 0.5
    theta = np.stack([angle, log_scale, shift_x, shift_y], 1)
    return Similarity2d(size=(SIZE, SIZE)).map(torch.from_numpy(theta.astype(np.float32)))
