"""Relative recovery: blind to the canonical frame, exact about errors that are put in."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.metrics.recovery import pairs, recovery, relative
from unwarp.warps import Affine2d, AffineMap, Chain, Displacement2d, IdentityMap, translation

SIZE = (30, 40)
WARP = Affine2d(size=SIZE)
M = 12
IDS = np.repeat(np.arange(M), 2)
PERFECT = {"angle_deg": 0.0, "shift_px": 0.0, "scale": 0.0, "shear_deg": 0.0}


def maps(n: int, seed: int) -> AffineMap:
    raw = torch.randn(n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.map(WARP.constrain(0.4 * raw))


def nudge(**columns: float) -> AffineMap:
    """One affine map: the identity but for some columns of theta."""
    names = [f.name for f in WARP.factors]
    theta = torch.zeros(1, 6, dtype=torch.float64)
    for name, value in columns.items():
        theta[0, names.index(name)] = value
    return WARP.map(theta)


def after(outer: AffineMap, inner: AffineMap) -> AffineMap:
    product = outer.compose(inner)
    assert isinstance(product, AffineMap)
    return product


def first_view() -> AffineMap:
    return maps(2 * M, 0)


def second_view_is(outer: AffineMap, true: AffineMap) -> AffineMap:
    """Estimates that equal `true` but for the second view of each pair, which `outer` moves further."""
    moved = after(outer, true).matrix.clone()
    moved[::2] = true.matrix[::2]
    return AffineMap(moved)


def test_the_truth_is_recovered() -> None:
    assert recovery(first_view(), first_view(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_every_object_may_have_its_own_canonical_frame() -> None:
    frames = maps(M, 1)[torch.as_tensor(IDS)]
    assert recovery(after(first_view(), frames), first_view(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_a_frame_that_differs_between_two_views_is_an_error() -> None:
    frames = maps(2 * M, 1)
    assert min(recovery(after(first_view(), frames), first_view(), IDS, SIZE).values()) > 0.05


@pytest.mark.parametrize("degrees", [10.0, -25.0])
def test_a_turn_too_far_is_that_angle(degrees: float) -> None:
    true = nudge().matrix.repeat(2 * M, 1, 1)
    found = recovery(second_view_is(nudge(rotation=math.radians(degrees)), AffineMap(true)), AffineMap(true), IDS, SIZE)
    assert found == pytest.approx(PERFECT | {"angle_deg": abs(degrees)}, abs=1e-6)


def test_angles_are_compared_round_the_circle() -> None:
    true = second_view_is(nudge(rotation=math.radians(175)), AffineMap(nudge().matrix.repeat(2 * M, 1, 1)))
    found = second_view_is(nudge(rotation=math.radians(-175)), AffineMap(nudge().matrix.repeat(2 * M, 1, 1)))
    assert recovery(found, true, IDS, SIZE)["angle_deg"] == pytest.approx(10.0)


def test_a_shift_too_far_is_its_length_in_pixels_whatever_the_pose() -> None:
    true = first_view()
    found = recovery(second_view_is(nudge(shift_x=3 / 20, shift_y=4 / 15), true), true, IDS, SIZE)
    assert found == pytest.approx(PERFECT | {"shift_px": 5.0}, abs=1e-6)


def test_a_turn_about_the_object_is_no_shift() -> None:
    at = translation(torch.tensor([[0.4, -0.3]], dtype=torch.float64))
    true = AffineMap(at.matrix.repeat(2 * M, 1, 1))
    turned = after(after(at, nudge(rotation=0.3)), at.invert())
    found = recovery(second_view_is(turned, true), true, IDS, SIZE)
    assert found == pytest.approx(PERFECT | {"angle_deg": math.degrees(0.3)}, abs=1e-6)


def test_scale_and_shear_errors_are_read_in_their_units() -> None:
    true = AffineMap(nudge().matrix.repeat(2 * M, 1, 1))
    larger = second_view_is(nudge(log_scale_x=math.log(1.25), log_scale_y=math.log(1.25)), true)
    assert recovery(larger, true, IDS, SIZE) == pytest.approx(PERFECT | {"scale": 0.25}, abs=1e-6)
    slanted = recovery(second_view_is(nudge(shear=0.2), true), true, IDS, SIZE)
    assert slanted["shear_deg"] == pytest.approx(math.degrees(math.atan(0.2)))


def test_no_motion_found_is_an_error_as_large_as_the_motion() -> None:
    true = first_view()
    found = recovery(IdentityMap(2 * M), AffineMap(true.matrix.float()), IDS, SIZE)
    columns = relative(true, true, IDS, SIZE)
    turns = next(values for f, (_, values) in columns.items() if f.name == "rotation_deg")
    assert found["angle_deg"] == pytest.approx(float(turns.abs().median()), rel=1e-4)


def test_a_residual_displacement_does_not_disturb_the_pose() -> None:
    chained = Chain(Displacement2d(3), Affine2d()).on(SIZE)
    pose = WARP.theta(first_view())
    residual: Tensor = 0.1 * torch.rand(2 * M, 18, dtype=torch.float64)
    map = chained.map(torch.cat([residual, pose], 1))
    assert recovery(map, first_view(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_pairs_are_the_first_two_views_of_what_was_seen_twice() -> None:
    one, two = pairs(np.array([5, 3, 5, 9, 3, 5, 1]))
    assert (one.tolist(), two.tolist()) == ([1, 0], [4, 2])


def test_the_order_of_rows_means_nothing() -> None:
    random = np.random.default_rng(0).permutation(2 * M)
    rows = torch.as_tensor(random)
    estimate = after(first_view(), maps(2 * M, 1))
    straight = relative(estimate, first_view(), IDS, SIZE)
    shuffled = relative(estimate[rows], first_view()[rows], IDS[random], SIZE)
    one, _ = pairs(IDS[random])
    kept = torch.as_tensor(random[one] % 2 == 0)
    for (_, a), (_, b) in zip(straight.values(), shuffled.values(), strict=True):
        torch.testing.assert_close(a[kept], b[kept])
