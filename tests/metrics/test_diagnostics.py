"""Diagnostics without labels: parameters at bounds, unused codes, ambiguous poses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.core import Factor
from unwarp.metrics.diagnostics import ambiguous, at_bounds, unused_content
from unwarp.warps import Affine2d, AffineMap, Rigid2d

SIZE = (30, 40)
WARP = Affine2d(size=SIZE)
ANGLE = Factor("rotation_deg", "deg", -45.0, 45.0)


def maps(n: int, seed: int) -> AffineMap:
    """Random affine maps (n)."""
    raw = torch.randn(n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.map(WARP.constrain(0.4 * raw))


def composed(outer: AffineMap, inner: AffineMap) -> AffineMap:
    """`outer o inner` as an affine map."""
    product = outer.compose(inner)
    assert isinstance(product, AffineMap)
    return product


def test_at_bounds_counts() -> None:
    """Values near either end are counted, by parameter, sample and column."""
    table = {
        ANGLE: np.array([44.0, -44.0, 0.0, 42.0, 100.0]),
        Factor("shift_x_px", "px", -20.0, 20.0): np.array([20.0, 0.0, 0.0, 0.0, 0.0]),
    }
    scores = at_bounds(table)
    assert scores["at_bounds"] == pytest.approx(4 / 10)
    assert scores["at_bounds_samples"] == pytest.approx(3 / 5)
    assert scores["at_bounds_rotation_deg"] == pytest.approx(3 / 5)
    assert scores["at_bounds_shift_x_px"] == pytest.approx(1 / 5)


def test_at_bounds_of_scales() -> None:
    """Scale factors are compared with their bounds by their logarithm."""
    scale = Factor("scale_x", "factor", 1 / 2, 2.0)
    assert at_bounds({scale: np.array([0.51, 1.0, 1.25, 1.95])})["at_bounds"] == pytest.approx(
        2 / 4
    )


def test_at_bounds_of_one_sided_range() -> None:
    """A range that starts at 0 has an upper bound only."""
    residual = Factor("residual_px", "px", 0.0, 4.0)
    assert at_bounds({residual: np.array([0.0, 0.1, 2.0, 3.9])})["at_bounds"] == pytest.approx(
        1 / 4
    )


def test_at_bounds_of_full_circle() -> None:
    """A periodic column has no bounds."""
    circle = Factor("rotation_deg", "deg", -180.0, 180.0, periodic=True)
    assert at_bounds({circle: np.array([-179.0, 0.0, 179.0])})["at_bounds"] == 0.0


def test_unused_content_counts() -> None:
    """Dimensions of little variance are unused, at any scale of the code."""
    codes = np.random.default_rng(0).normal(size=(500, 5)) * np.array([1.0, 2.0, 0.01, 0.0, 1.5])
    assert unused_content(codes) == 2
    assert unused_content(1000 * codes) == 2


def test_following_pose_is_unambiguous() -> None:
    """A pose that follows the probe has no error, in any canonical frame."""
    true, probe_map, frame = maps(9, 0), maps(9, 1), maps(9, 2)
    estimate = composed(true, frame)
    scores = ambiguous(estimate, probe_map, composed(composed(probe_map, true), frame), SIZE)
    assert scores == pytest.approx(
        {"follow_deg": 0.0, "follow_px": 0.0, "ambiguous": 0.0}, abs=1e-6
    )


@pytest.mark.parametrize(("degrees", "share"), [(5.0, 0.0), (30.0, 0.25)])
def test_ambiguous_above_ten_degrees(degrees: float, share: float) -> None:
    """A pose that is off by more than 10 degrees counts as ambiguous."""
    estimate, probe_map = maps(8, 0), maps(8, 1)
    theta: Tensor = torch.zeros(8, 6, dtype=torch.float64)
    theta[:2, 0] = math.radians(degrees)
    scores = ambiguous(
        estimate, probe_map, composed(composed(probe_map, estimate), WARP.map(theta)), SIZE
    )
    assert scores["ambiguous"] == share
    assert scores["follow_deg"] == pytest.approx(0.0, abs=1e-6)


def test_mirror_has_no_bounds() -> None:
    """A discrete column is left out of the shares near bounds."""
    mirror = Factor("mirror", "", 0.0, 1.0, discrete=True)
    assert at_bounds({mirror: np.ones(4)}) == {"at_bounds": 0.0, "at_bounds_samples": 0.0}


def test_wrong_mirror_is_ambiguous() -> None:
    """A pose that misses the mirror of a probe is ambiguous, whatever its angle."""
    warp = Rigid2d(rotation=180, mirror=True, size=(24, 24))
    map, probe = (warp.sample(6, torch.Generator().manual_seed(seed), 0.1) for seed in (0, 1))
    right = probe.compose(map)
    theta = torch.zeros(1, 4)
    theta[0, -1] = 1
    for turn in (0.0, np.pi / 2, np.pi):
        theta[0, 0] = turn
        wrong = right.compose(warp.map(theta))
        assert ambiguous(map, probe, wrong, (24, 24))["ambiguous"] == 1
    assert ambiguous(map, probe, right, (24, 24))["ambiguous"] == 0
