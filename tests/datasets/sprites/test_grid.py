"""The grid of dSprites: rows, values, symmetries and true maps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unwarp.core import Array
from unwarp.datasets.sprites import grid
from unwarp.datasets.sprites.renderer import render
from unwarp.warps import Similarity2d

N_ROWS = 3 * 6 * 40 * 32 * 32


def test_rows_run_as_in_the_published_file() -> None:
    """Position y varies fastest, then position x, orientation, scale and shape."""
    rows = np.array([0, 1, 32, 1024, 40 * 1024, 6 * 40 * 1024, N_ROWS - 1])
    expected = [[0] * 6, *np.eye(6, dtype=int)[[5, 4, 3, 2, 1]].tolist(), [0, 2, 5, 39, 31, 31]]
    assert grid.latent_classes(rows).tolist() == expected
    last = grid.latent_values(grid.latent_classes(rows[-1:]))[0]
    np.testing.assert_allclose(last, [1, 3, 1, 2 * np.pi, 1, 1])


def test_last_orientation_repeats_the_first() -> None:
    """The full circle gives the picture of no rotation."""
    classes = np.array([[0, shape, 5, turn, 10, 20] for turn in (0, 39) for shape in range(3)])
    frames = render(grid.latent_values(classes))
    np.testing.assert_array_equal(frames[:3], frames[3:])


@pytest.mark.parametrize(("shape", "order"), grid.SYMMETRY.items())
def test_shapes_have_their_symmetry(shape: int, order: int) -> None:
    """A turn by 360 / order degrees leaves a shape as it is, other turns do not."""

    def rotated(degrees: float) -> Array:
        """The shape, rotated by an angle beside that of the grid."""
        return render(np.array([[1, shape + 1, 1, np.deg2rad(degrees) + 0.1, 0.5, 0.5]]))[0]

    upright = rotated(0)
    assert (rotated(360 / order) != upright).sum() <= 4
    for degrees in (30, 90, 180):
        if degrees % (360 / order):
            assert (rotated(degrees) != upright).sum() > 30


def test_factors_are_columns_of_true_maps() -> None:
    """Rotation, scale and shift of the true maps are the factor values, all within range."""
    rows = np.random.default_rng(0).choice(math.prod(grid.GRID_SHAPE), 2000, replace=False)
    classes = grid.latent_classes(rows)
    values = grid.factor_values(classes)
    summary = Similarity2d(size=(64, 64)).summary(grid.true_maps(classes))
    columns = {factor.name: column.double().numpy() for factor, column in summary.items()}
    shape, scale, degrees, x, y = values.T
    np.testing.assert_array_equal(shape, classes[:, 1])
    np.testing.assert_allclose((columns["rotation_deg"] - degrees + 180) % 360, 180, atol=1e-3)
    for name, expected in (
        ("scale_x", scale),
        ("scale_y", scale),
        ("shift_x_px", x),
        ("shift_y_px", y),
    ):
        np.testing.assert_allclose(columns[name], expected, atol=1e-4)
    for factor, column in zip(grid.FACTORS, values.T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high
    assert [factor.name for factor in grid.FACTORS if factor.periodic] == ["orientation_deg"]
    assert [len(np.unique(column)) for column in values.T] == [3, 6, 39, 32, 32]
