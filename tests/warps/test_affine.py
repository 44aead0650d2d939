"""Affine maps: the published order of factors, human columns, and signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.pictures import smooth_noise
from tests.warps.affine_maps import WARP, rotation
from unwarp.errors import DataError
from unwarp.warps import Affine2d, AffineMap


def test_affine_follows_published_order() -> None:
    """In pixels of a frame that is not square, push is R G S p + t."""
    angle, log_x, log_y, k, shift_x, shift_y = theta = (0.4, 0.3, -0.2, 0.35, 0.5, -0.25)
    r = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    g, s = np.array([[1, k], [0, 1]]), np.diag(np.exp([log_x, log_y]))
    half_size = np.array([16.0, 12.0])
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    expected = (points * half_size) @ (r @ g @ s).T + np.array([shift_x, shift_y]) * half_size
    map = WARP.map(torch.tensor([theta], dtype=torch.float64))
    observed = map.push(torch.as_tensor(points))[0].numpy() * half_size
    np.testing.assert_allclose(observed, expected, atol=1e-12)


def test_affine_summary_has_human_units() -> None:
    """The columns hold the degrees, factors and pixels that theta was set to."""
    theta = torch.tensor(
        [[math.radians(30), math.log(1.5), math.log(0.8), 0.5, 0.25, -0.5]], dtype=torch.float64
    )
    columns = {f.name: float(column) for f, column in WARP.summary(WARP.map(theta)).items()}
    linear = {
        "rotation_deg": 30,
        "scale_x": 1.5,
        "scale_y": 0.8,
        "shear_deg": math.degrees(math.atan(0.5)),
    }
    assert columns == pytest.approx(linear | {"shift_x_px": 4.0, "shift_y_px": -6.0})


def test_column_ranges_are_those_of_theta() -> None:
    """At the end of the range of a parameter, its human column is at the end of its own."""
    warp = Affine2d(size=(24, 32), rotation=30, scale=1.4, shear=0.5, shift=0.5)
    names = ("rotation_deg", "scale_x", "scale_y", "shear_deg", "shift_x_px", "shift_y_px")
    theta = torch.diag(torch.tensor([factor.high for factor in warp.factors]))
    columns = {factor.name: (factor, x) for factor, x in warp.summary(warp.map(theta)).items()}
    for row, name in enumerate(names):
        factor, values = columns[name]
        assert float(values[row]) == pytest.approx(factor.high, rel=1e-5), name


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotation_is_counter_clockwise(quarters: int) -> None:
    """Positive quarter turns agree with those of NumPy, counter-clockwise as seen."""
    x = smooth_noise(1, (20, 20)).double()
    turned = rotation(90 * quarters, Affine2d(rotation=180).bind((20, 20)))(x)
    np.testing.assert_allclose(turned[0, 0], np.rot90(x[0, 0], quarters), atol=1e-9)


@pytest.mark.parametrize("linear", [[-1.0, 1.0], [1.0, -2.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
def test_affine_theta_refuses_reflections(linear: list[float]) -> None:
    """A map without theta is refused by its row, instead of NaN for it."""
    shift = torch.zeros(1, 2, 1)
    matrix = torch.cat([torch.tensor(linear).diag()[None], shift], -1)
    upright = torch.cat([torch.eye(2)[None], shift], -1)
    with pytest.raises(DataError, match=r"map 1 has scale_y=.*positive determinant"):
        WARP.theta(AffineMap(torch.cat([upright, matrix])))
    assert torch.isfinite(WARP.theta(AffineMap(upright))).all()


def test_theta_of_a_flipped_map_can_train() -> None:
    """A map that requires gradients is not checked, since a check waits for the device."""
    matrix = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], requires_grad=True)
    assert WARP.theta(AffineMap(matrix)).shape == (1, 6)
