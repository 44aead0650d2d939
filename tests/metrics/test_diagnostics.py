"""Signs without labels: bounds that are hit, content that is unused, poses that do not follow a known move."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.metrics.diagnostics import ambiguous, at_bounds, unused_content
from unwarp.warps import Affine2d, AffineMap

SIZE = (30, 40)
WARP = Affine2d(size=SIZE)
ANGLE = Factor("rotation_deg", "deg", -45.0, 45.0)


def maps(n: int, seed: int) -> AffineMap:
    raw = torch.randn(n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.map(WARP.constrain(0.4 * raw))


def after(outer: AffineMap, inner: AffineMap) -> AffineMap:
    product = outer.compose(inner)
    assert isinstance(product, AffineMap)
    return product


def test_parameters_and_samples_near_either_end_are_counted_each_once() -> None:
    table = {
        ANGLE: np.array([44.0, -44.0, 0.0, 42.0, 100.0]),
        Factor("shift_x_px", "px", -20.0, 20.0): np.array([20.0, 0.0, 0.0, 0.0, 0.0]),
    }
    found = at_bounds(table)
    assert found["at_bounds"] == pytest.approx(4 / 10)
    assert found["at_bounds_samples"] == pytest.approx(3 / 5)
    assert found["at_bounds_rotation_deg"] == pytest.approx(3 / 5)
    assert found["at_bounds_shift_x_px"] == pytest.approx(1 / 5)


def test_factors_are_judged_in_logarithms() -> None:
    scale = Factor("scale_x", "factor", 1 / 2, 2.0)
    assert at_bounds({scale: np.array([0.51, 1.0, 1.25, 1.95])})["at_bounds"] == pytest.approx(
        2 / 4
    )


def test_a_column_that_starts_at_zero_has_one_end() -> None:
    residual = Factor("residual_px", "px", 0.0, 4.0)
    assert at_bounds({residual: np.array([0.0, 0.1, 2.0, 3.9])})["at_bounds"] == pytest.approx(
        1 / 4
    )


def test_a_full_circle_has_no_ends() -> None:
    circle = Factor("rotation_deg", "deg", -180.0, 180.0, periodic=True)
    assert at_bounds({circle: np.array([-179.0, 0.0, 179.0])})["at_bounds"] == 0.0


def test_content_without_variance_is_unused() -> None:
    code = np.random.default_rng(0).normal(size=(500, 5)) * np.array([1.0, 2.0, 0.01, 0.0, 1.5])
    assert unused_content(code) == 2
    assert unused_content(1000 * code) == 2


def test_a_pose_that_follows_is_not_ambiguous_whatever_the_canonical_frame() -> None:
    true, move, frame = maps(9, 0), maps(9, 1), maps(9, 2)
    found = after(true, frame)
    scores = ambiguous(found, move, after(after(move, true), frame), SIZE)
    assert scores == pytest.approx(
        {"follow_deg": 0.0, "follow_px": 0.0, "ambiguous": 0.0}, abs=1e-6
    )


@pytest.mark.parametrize(("degrees", "lost"), [(5.0, 0.0), (30.0, 0.25)])
def test_a_pose_off_by_more_than_ten_degrees_is_lost(degrees: float, lost: float) -> None:
    found, move = maps(8, 0), maps(8, 1)
    turn: Tensor = torch.zeros(8, 6, dtype=torch.float64)
    turn[:2, 0] = math.radians(degrees)
    scores = ambiguous(found, move, after(after(move, found), WARP.map(turn)), SIZE)
    assert scores["ambiguous"] == lost
    assert scores["follow_deg"] == pytest.approx(0.0, abs=1e-6)
