"""Recovery, relative and absolute: blind to what it takes out, exact about errors that are put in."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import ConfigError, DataError
from unwarp.metrics.agreement import angle_error_modulo, circular_correlation, r2
from unwarp.metrics.recovery import (
    absolute_recovery,
    factor_r2,
    observation_pairs,
    recovery,
    relative,
)
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
    assert recovery(after(first_view(), frames), first_view(), IDS, SIZE) == pytest.approx(
        PERFECT, abs=1e-6
    )


def test_a_frame_that_differs_between_two_views_is_an_error() -> None:
    frames = maps(2 * M, 1)
    assert min(recovery(after(first_view(), frames), first_view(), IDS, SIZE).values()) > 0.05


@pytest.mark.parametrize("degrees", [10.0, -25.0])
def test_a_turn_too_far_is_that_angle(degrees: float) -> None:
    true = nudge().matrix.repeat(2 * M, 1, 1)
    found = recovery(
        second_view_is(nudge(rotation=math.radians(degrees)), AffineMap(true)),
        AffineMap(true),
        IDS,
        SIZE,
    )
    assert found == pytest.approx(PERFECT | {"angle_deg": abs(degrees)}, abs=1e-6)


def test_angles_are_compared_round_the_circle() -> None:
    true = second_view_is(
        nudge(rotation=math.radians(175)), AffineMap(nudge().matrix.repeat(2 * M, 1, 1))
    )
    found = second_view_is(
        nudge(rotation=math.radians(-175)), AffineMap(nudge().matrix.repeat(2 * M, 1, 1))
    )
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
    chained = Chain(Displacement2d(3), Affine2d()).bind(SIZE)
    pose = WARP.theta(first_view())
    residual: Tensor = 0.1 * torch.rand(2 * M, 18, dtype=torch.float64)
    map = chained.map(torch.cat([residual, pose], 1))
    assert recovery(map, first_view(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_pairs_are_the_first_two_views_of_what_was_seen_twice() -> None:
    one, two = observation_pairs(np.array([5, 3, 5, 9, 3, 5, 1]))
    assert (one.tolist(), two.tolist()) == ([1, 0], [4, 2])


def test_the_order_of_rows_means_nothing() -> None:
    random = np.random.default_rng(0).permutation(2 * M)
    rows = torch.as_tensor(random)
    estimate = after(first_view(), maps(2 * M, 1))
    straight = relative(estimate, first_view(), IDS, SIZE)
    shuffled = relative(estimate[rows], first_view()[rows], IDS[random], SIZE)
    one, _ = observation_pairs(IDS[random])
    kept = torch.as_tensor(random[one] % 2 == 0)
    for (_, a), (_, b) in zip(straight.values(), shuffled.values(), strict=True):
        torch.testing.assert_close(a[kept], b[kept])


def angles(n: int, seed: int) -> NDArray[np.floating]:
    return np.random.default_rng(seed).uniform(-180, 180, n)


def test_r2_is_one_for_the_truth_zero_for_its_mean_and_negative_for_worse() -> None:
    true = np.random.default_rng(0).normal(size=50)
    assert r2(true, true) == 1.0
    assert r2(np.full(50, true.mean()), true) == pytest.approx(0.0)
    assert r2(-true, true) < 0
    assert r2(0.5 * (true - true.mean()) + true.mean(), true) == pytest.approx(0.75)
    assert np.isnan(r2(true, np.ones(50)))


def test_r2_takes_out_one_offset_a_group_and_no_slope() -> None:
    true, groups = np.random.default_rng(0).normal(size=60), np.arange(60) % 3
    moved = true + np.array([5.0, -3.0, 1.0])[groups]
    assert r2(moved, true) < 0
    assert r2(moved, true, groups) == pytest.approx(1.0)
    assert r2(2 * true, true, np.zeros(60)) == pytest.approx(0.0)


def pairwise(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The definition of Fisher and Lee, over all pairs of samples."""
    one, two = (np.sin(np.deg2rad(np.subtract.outer(angle, angle))) for angle in (a, b))
    return float((one * two).sum() / np.sqrt(np.square(one).sum() * np.square(two).sum()))


@pytest.mark.parametrize("spread", [5.0, 60.0, 400.0])
def test_circular_correlation_is_its_definition_over_pairs(spread: float) -> None:
    random = np.random.default_rng(0)
    true = angles(80, 1)
    found = true + spread * random.normal(size=80)
    assert circular_correlation(found, true) == pytest.approx(pairwise(found, true))


def test_circular_correlation_at_its_ends() -> None:
    true = angles(500, 0)
    assert circular_correlation(true + 123.0, true) == pytest.approx(1.0)
    assert circular_correlation(50 - true, true) == pytest.approx(-1.0)
    assert circular_correlation(angles(500, 1), true) == pytest.approx(0.0, abs=0.05)
    assert np.isnan(circular_correlation(np.full(500, 7.0), true))


def test_circular_correlation_modulo_a_symmetry() -> None:
    true = angles(500, 0)
    found = true + 90 * np.random.default_rng(1).integers(0, 4, 500)
    assert circular_correlation(found, true, order=4) == pytest.approx(1.0)
    assert abs(circular_correlation(found, true)) < 0.1


def test_angle_errors_go_round_the_circle_and_round_the_symmetry() -> None:
    found, true = np.array([179.0, 91.0, 181.0, 350.0]), np.array([-179.0, 0.0, 0.0, 0.0])
    assert angle_error_modulo(found, true) == pytest.approx([2, 91, 179, 10])
    assert angle_error_modulo(found, true, 2) == pytest.approx([2, 89, 1, 10])
    assert angle_error_modulo(found, true, 4) == pytest.approx([2, 1, 1, 10])
    assert angle_error_modulo(found, true, np.array([1, 4, 2, 1])) == pytest.approx([2, 1, 1, 10])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_no_angle_is_off_by_more_than_half_a_symmetry(order: int) -> None:
    errors = angle_error_modulo(angles(4000, 0), angles(4000, 1), order)
    assert errors.max() <= 180 / order
    assert np.median(errors) == pytest.approx(90 / order, rel=0.05)


def test_each_class_may_have_its_own_offset_and_lost_poses_do_not_move_it() -> None:
    random = np.random.default_rng(0)
    true, groups = angles(900, 1), np.arange(900) % 3
    orders = np.array([4, 2, 1])[groups]
    jumps = 360 / orders * random.integers(0, 4, 900)
    found = true + np.array([31.0, -77.0, 178.0])[groups] + jumps
    lost = random.random(900) < 0.2
    found[lost] += 60 / orders[lost]
    errors = angle_error_modulo(found, true, orders, groups)
    assert errors[~lost] == pytest.approx(0.0, abs=1e-9)
    assert errors[lost] == pytest.approx(60 / orders[lost])
    assert np.median(angle_error_modulo(found, true, orders)) > 20


def test_two_poses_half_a_turn_apart_are_one_right_and_one_wrong() -> None:
    true, half = angles(300, 0), np.arange(300) < 140
    errors = angle_error_modulo(true + 180 * half, true, 1, np.zeros(300))
    assert errors == pytest.approx(180.0 * half, abs=1e-9)


def test_impossible_symmetries_and_unequal_columns_are_refused() -> None:
    a = angles(4, 0)
    for order in (0, -1, 1.5):
        with pytest.raises(ConfigError, match="whole numbers of 1 or more"):
            angle_error_modulo(a, a, order)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="whole numbers of 1 or more"):
            circular_correlation(a, a, order)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one order a group"):
        angle_error_modulo(a, a, np.array([1, 2, 1, 1]), np.zeros(4))
    for measure in (r2, circular_correlation, angle_error_modulo):
        with pytest.raises(DataError, match="columns of one length"):
            measure(a, a[1:])


LABELS = np.arange(120) % 3
ORDERS = {0: 4, 1: 2}
EXACT = {
    "absolute_angle_deg": 0.0,
    "absolute_shift_px": 0.0,
    "absolute_r2_shift": 1.0,
    "absolute_r2_log_scale": 1.0,
}


def shapes(seed: int = 0) -> tuple[AffineMap, AffineMap]:
    """True poses over the full circle, and the same up to the symmetry of each shape and one frame of each class."""
    random = np.random.default_rng(seed)
    theta = 0.3 * torch.randn(
        120, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    theta[:, 0] = torch.as_tensor(np.deg2rad(angles(120, seed)))
    orders = np.array([ORDERS.get(label, 1) for label in LABELS])
    turns = torch.zeros_like(theta)
    turns[:, 0] = torch.as_tensor(2 * np.pi / orders * random.integers(0, orders))
    frames = maps(3, 5)[torch.as_tensor(LABELS)]
    true = WARP.map(theta)
    return after(true, after(WARP.map(turns), frames)), true


def test_absolute_recovery_is_blind_to_one_frame_a_class_and_to_symmetries() -> None:
    found, true = shapes()
    assert absolute_recovery(found, true, LABELS, SIZE, ORDERS) == pytest.approx(EXACT, abs=1e-6)


def test_symmetries_that_are_not_declared_are_errors() -> None:
    assert absolute_recovery(*shapes(), LABELS, SIZE, {})["absolute_angle_deg"] > 30


def test_a_frame_that_differs_within_a_class_is_an_error() -> None:
    found, true = shapes()
    scores = absolute_recovery(after(found, maps(120, 9)), true, LABELS, SIZE, ORDERS)
    assert scores["absolute_angle_deg"] > 3 and scores["absolute_shift_px"] > 1
    assert scores["absolute_r2_shift"] < 0.99 and scores["absolute_r2_log_scale"] < 0.99


def test_the_worst_class_counts_and_its_errors_are_read_in_their_units() -> None:
    turned = torch.zeros(120, 6, dtype=torch.float64)
    turned[:, 0] = torch.as_tensor(np.deg2rad(angles(120, 0)))
    wrong = torch.zeros(120, 6, dtype=torch.float64)
    sign = torch.as_tensor((-1.0) ** (np.arange(120) // 3) * (LABELS == 2))
    wrong[:, 0], wrong[:, 4] = math.radians(6.0) * sign, 3 / 20 * sign
    scores = absolute_recovery(WARP.map(turned + wrong), WARP.map(turned), LABELS, SIZE, ORDERS)
    assert scores["absolute_angle_deg"] == pytest.approx(6.0)
    assert scores["absolute_shift_px"] == pytest.approx(3.0, rel=0.05)


def probe() -> tuple[NDArray[np.floating], tuple[Factor, ...], NDArray[np.floating]]:
    random = np.random.default_rng(0)
    values = np.stack(
        [
            random.integers(0, 3, 600),
            random.uniform(0.5, 2, 600),
            random.normal(size=600),
            angles(600, 1),
        ],
        1,
    )
    factors = (
        Factor("shape", "class", 0, 2),
        Factor("scale", "factor", 0.5, 2.0),
        Factor("shift_x_px", "px", -3.0, 3.0),
        Factor("rotation_deg", "deg", -180.0, 180.0, periodic=True),
    )
    mixed = np.stack(
        [np.log(values[:, 1]), values[:, 2], random.normal(size=600)], 1
    ) @ random.normal(size=(3, 5))
    return 10 * mixed + 3, factors, values


def test_a_linear_map_reads_linear_factors_and_log_scales_from_any_mixture() -> None:
    latents, factors, values = probe()
    assert factor_r2(latents, factors, values) == pytest.approx(
        {"r2_scale": 1.0, "r2_shift_x_px": 1.0}
    )


def test_noise_reads_nothing_and_a_factor_that_never_varies_is_left_out() -> None:
    _, factors, values = probe()
    noise = np.random.default_rng(5).normal(size=(600, 5))
    values[:, 1] = 1.0
    found = factor_r2(noise, factors, values)
    assert found == pytest.approx({"r2_shift_x_px": 0.0}, abs=0.05)


def test_a_table_of_factors_must_fit() -> None:
    latents, factors, values = probe()
    with pytest.raises(DataError, match=r"must be \(600, 3\), got \(600, 4\)"):
        factor_r2(latents, factors[1:], values)
