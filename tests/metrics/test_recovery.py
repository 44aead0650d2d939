"""Recovery, relative and absolute: free frames cost nothing, known errors are measured exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from unwarp.core import Factor
from unwarp.errors import DataError
from unwarp.metrics.recovery import (
    absolute_recovery,
    factor_r2,
    observation_pairs,
    recovery,
    relative_displacements,
    relative_poses,
)
from unwarp.warps import (
    Affine2d,
    AffineMap,
    Chain,
    CosineTime,
    Displacement2d,
    IdentityMap,
    Rigid2d,
    translation,
)

SIZE = (30, 40)
WARP = Affine2d(size=SIZE)
M = 12
IDS = np.repeat(np.arange(M), 2)
PERFECT = {"angle_deg": 0.0, "shift_px": 0.0, "scale": 0.0, "shear_deg": 0.0}


def maps(n: int, seed: int) -> AffineMap:
    """Random affine maps (n)."""
    raw = torch.randn(n, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.map(WARP.constrain(0.4 * raw))


def affine(**columns: float) -> AffineMap:
    """One affine map: the identity but for some columns of theta."""
    names = [f.name for f in WARP.factors]
    theta = torch.zeros(1, 6, dtype=torch.float64)
    for name, value in columns.items():
        theta[0, names.index(name)] = value
    return WARP.map(theta)


def composed(outer: AffineMap, inner: AffineMap) -> AffineMap:
    """`outer o inner` as an affine map."""
    product = outer.compose(inner)
    assert isinstance(product, AffineMap)
    return product


def true_maps() -> AffineMap:
    """True maps of all observations (2 M), two of each original."""
    return maps(2 * M, 0)


def with_second_moved(outer: AffineMap, true: AffineMap) -> AffineMap:
    """`true`, with `outer` put on top of the second observation of each pair."""
    matrix = composed(outer, true).matrix.clone()
    matrix[::2] = true.matrix[::2]
    return AffineMap(matrix)


def test_truth_has_no_error() -> None:
    """The true maps have no error."""
    assert recovery(true_maps(), true_maps(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_frame_of_each_original_is_free() -> None:
    """A canonical frame that both observations share costs nothing."""
    frames = maps(M, 1)[torch.as_tensor(IDS)]
    assert recovery(composed(true_maps(), frames), true_maps(), IDS, SIZE) == pytest.approx(
        PERFECT, abs=1e-6
    )


def test_frame_must_agree_within_pair() -> None:
    """A frame that differs between two observations is an error."""
    frames = maps(2 * M, 1)
    assert min(recovery(composed(true_maps(), frames), true_maps(), IDS, SIZE).values()) > 0.05


@pytest.mark.parametrize("degrees", [10.0, -25.0])
def test_angle_error_is_in_degrees(degrees: float) -> None:
    """An extra turn is an error of that angle."""
    true = affine().matrix.repeat(2 * M, 1, 1)
    scores = recovery(
        with_second_moved(affine(rotation=math.radians(degrees)), AffineMap(true)),
        AffineMap(true),
        IDS,
        SIZE,
    )
    assert scores == pytest.approx(PERFECT | {"angle_deg": abs(degrees)}, abs=1e-6)


def test_angle_error_wraps_around() -> None:
    """Angles of 175 and -175 degrees differ by 10."""
    true = with_second_moved(
        affine(rotation=math.radians(175)), AffineMap(affine().matrix.repeat(2 * M, 1, 1))
    )
    estimate = with_second_moved(
        affine(rotation=math.radians(-175)), AffineMap(affine().matrix.repeat(2 * M, 1, 1))
    )
    assert recovery(estimate, true, IDS, SIZE)["angle_deg"] == pytest.approx(10.0)


def test_shift_error_is_in_pixels() -> None:
    """An extra shift is an error of its length, in any pose."""
    true = true_maps()
    scores = recovery(
        with_second_moved(affine(shift_x=3 / 20, shift_y=4 / 15), true), true, IDS, SIZE
    )
    assert scores == pytest.approx(PERFECT | {"shift_px": 5.0}, abs=1e-6)


def test_turn_about_object_is_no_shift() -> None:
    """A turn about an object off the centre has no shift error."""
    position = translation(torch.tensor([[0.4, -0.3]], dtype=torch.float64))
    true = AffineMap(position.matrix.repeat(2 * M, 1, 1))
    turned = composed(composed(position, affine(rotation=0.3)), position.invert())
    scores = recovery(with_second_moved(turned, true), true, IDS, SIZE)
    assert scores == pytest.approx(PERFECT | {"angle_deg": math.degrees(0.3)}, abs=1e-6)


def test_scale_and_shear_errors() -> None:
    """Errors of scale are factors, of shear degrees."""
    true = AffineMap(affine().matrix.repeat(2 * M, 1, 1))
    larger = with_second_moved(affine(log_scale_x=math.log(1.25), log_scale_y=math.log(1.25)), true)
    assert recovery(larger, true, IDS, SIZE) == pytest.approx(PERFECT | {"scale": 0.25}, abs=1e-6)
    slanted = recovery(with_second_moved(affine(shear=0.2), true), true, IDS, SIZE)
    assert slanted["shear_deg"] == pytest.approx(math.degrees(math.atan(0.2)))


def test_identity_has_error_of_motion() -> None:
    """An estimate without motion has errors as large as the motion."""
    true = true_maps()
    scores = recovery(IdentityMap(2 * M), AffineMap(true.matrix.float()), IDS, SIZE)
    columns = relative_poses(true, true, IDS, SIZE)
    turns = next(values for f, (_, values) in columns.items() if f.name == "rotation_deg")
    assert scores["angle_deg"] == pytest.approx(float(turns.abs().median()), rel=1e-4)


def test_residual_does_not_count() -> None:
    """A residual displacement does not change the pose."""
    chained = Chain(Displacement2d(3), Affine2d()).bind(SIZE)
    pose = WARP.theta(true_maps())
    residual: Tensor = 0.1 * torch.rand(2 * M, 18, dtype=torch.float64)
    estimate = chained.map(torch.cat([residual, pose], 1))
    assert recovery(estimate, true_maps(), IDS, SIZE) == pytest.approx(PERFECT, abs=1e-6)


def test_pairs_are_first_two_observations() -> None:
    """Pairs are the first two observations of originals observed twice."""
    one, two = observation_pairs(np.array([5, 3, 5, 9, 3, 5, 1]))
    assert (one.tolist(), two.tolist()) == ([1, 0], [4, 2])


def test_order_of_rows_does_not_matter() -> None:
    """Shuffled observations have the same relative deformations."""
    order = np.random.default_rng(0).permutation(2 * M)
    rows = torch.as_tensor(order)
    estimate = composed(true_maps(), maps(2 * M, 1))
    straight = relative_poses(estimate, true_maps(), IDS, SIZE)
    shuffled = relative_poses(estimate[rows], true_maps()[rows], IDS[order], SIZE)
    one, _ = observation_pairs(IDS[order])
    same_order = torch.as_tensor(order[one] % 2 == 0)
    for (_, a), (_, b) in zip(straight.values(), shuffled.values(), strict=True):
        torch.testing.assert_close(a[same_order], b[same_order])


def angles(n: int, seed: int) -> NDArray[np.floating]:
    """Uniform angles in degrees (n,)."""
    return np.random.default_rng(seed).uniform(-180, 180, n)


LABELS = np.arange(120) % 3
ORDERS = {0: 4, 1: 2}
EXACT = {
    "absolute_angle_deg": 0.0,
    "absolute_shift_px": 0.0,
    "absolute_r2_shift": 1.0,
    "absolute_r2_log_scale": 1.0,
}


def shapes(seed: int = 0) -> tuple[AffineMap, AffineMap]:
    """Estimated and true poses on the full circle, equal up to symmetry and class frame."""
    generator = np.random.default_rng(seed)
    theta = 0.3 * torch.randn(
        120, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    theta[:, 0] = torch.as_tensor(np.deg2rad(angles(120, seed)))
    orders = np.array([ORDERS.get(label, 1) for label in LABELS])
    turns = torch.zeros_like(theta)
    turns[:, 0] = torch.as_tensor(2 * np.pi / orders * generator.integers(0, orders))
    frames = maps(3, 5)[torch.as_tensor(LABELS)]
    true = WARP.map(theta)
    return composed(true, composed(WARP.map(turns), frames)), true


def test_absolute_ignores_frame_and_symmetry() -> None:
    """One frame of a class and its symmetries cost nothing."""
    estimate, true = shapes()
    assert absolute_recovery(estimate, true, LABELS, SIZE, ORDERS) == pytest.approx(EXACT, abs=1e-6)


def test_absolute_needs_declared_symmetry() -> None:
    """Symmetries that are not declared are errors."""
    assert absolute_recovery(*shapes(), LABELS, SIZE, {})["absolute_angle_deg"] > 30


def test_absolute_frame_must_be_common() -> None:
    """A frame that differs within a class is an error."""
    estimate, true = shapes()
    scores = absolute_recovery(composed(estimate, maps(120, 9)), true, LABELS, SIZE, ORDERS)
    assert scores["absolute_angle_deg"] > 3 and scores["absolute_shift_px"] > 1
    assert scores["absolute_r2_shift"] < 0.99 and scores["absolute_r2_log_scale"] < 0.99


def test_absolute_counts_worst_class() -> None:
    """The worst class counts; errors are in degrees and pixels."""
    theta = torch.zeros(120, 6, dtype=torch.float64)
    theta[:, 0] = torch.as_tensor(np.deg2rad(angles(120, 0)))
    error = torch.zeros(120, 6, dtype=torch.float64)
    sign = torch.as_tensor((-1.0) ** (np.arange(120) // 3) * (LABELS == 2))
    error[:, 0], error[:, 4] = math.radians(6.0) * sign, 3 / 20 * sign
    scores = absolute_recovery(WARP.map(theta + error), WARP.map(theta), LABELS, SIZE, ORDERS)
    assert scores["absolute_angle_deg"] == pytest.approx(6.0)
    assert scores["absolute_shift_px"] == pytest.approx(3.0, rel=0.05)


def mixed_factors() -> tuple[NDArray[np.floating], tuple[Factor, ...], NDArray[np.floating]]:
    """Linear mixtures of factors (600, 5), the factors, and their values (600, 4)."""
    generator = np.random.default_rng(0)
    values = np.stack(
        [
            generator.integers(0, 3, 600),
            generator.uniform(0.5, 2, 600),
            generator.normal(size=600),
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
        [np.log(values[:, 1]), values[:, 2], generator.normal(size=600)], 1
    ) @ generator.normal(size=(3, 5))
    return 10 * mixed + 3, factors, values


def test_factor_r2_of_mixture() -> None:
    """A mixture determines linear factors and the logarithm of scales."""
    latents, factors, values = mixed_factors()
    assert factor_r2(latents, factors, values) == pytest.approx(
        {"r2_scale": 1.0, "r2_shift_x_px": 1.0}
    )


def test_factor_r2_of_noise() -> None:
    """Noise scores 0; a constant factor is left out."""
    _, factors, values = mixed_factors()
    noise = np.random.default_rng(5).normal(size=(600, 5))
    values[:, 1] = 1.0
    scores = factor_r2(noise, factors, values)
    assert scores == pytest.approx({"r2_shift_x_px": 0.0}, abs=0.05)


def test_factor_r2_refuses_other_shape() -> None:
    """A table of other columns than factors is refused."""
    latents, factors, values = mixed_factors()
    with pytest.raises(DataError, match=r"must be \(600, 3\), got \(600, 4\)"):
        factor_r2(latents, factors[1:], values)


def test_mirrored_truth_has_no_error() -> None:
    """Mirrored maps are compared like others, and a class may be mirrored as a whole."""
    warp = Rigid2d(rotation=180, mirror=True, size=(32, 32))
    truth = warp.sample(24, torch.Generator().manual_seed(0), 0.2)
    labels, ids = np.repeat([0, 1], 12), np.arange(24) // 2
    flip = warp.map(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
    estimate = truth.compose(flip)
    errors = recovery(estimate, truth, ids, (32, 32))
    assert max(errors.values()) == pytest.approx(0, abs=1e-3)
    scores = absolute_recovery(estimate, truth, labels, (32, 32), {})
    assert scores["absolute_angle_deg"] == pytest.approx(0, abs=1e-2)


def test_wrong_mirror_is_an_error() -> None:
    """A pair of which one observation has the wrong mirror counts as turned by 180 degrees."""
    warp = Rigid2d(rotation=180, mirror=True, size=(32, 32))
    truth = warp.sample(24, torch.Generator().manual_seed(0), 0.2)
    theta = warp.theta(truth)
    theta[::2, -1] = 1 - theta[::2, -1]
    errors = recovery(warp.map(theta), truth, np.arange(24) // 2, (32, 32))
    assert errors["angle_deg"] == 180


def test_displacements_free_of_frame() -> None:
    """Displacements of a pair do not depend on the template's own time, and end at 0."""
    warp, generator = CosineTime(3), torch.Generator().manual_seed(0)
    true, other = (warp.sample(n, generator) for n in (6, 1))
    estimate, truth = relative_displacements(true.compose(other), true, np.arange(6) // 2, 9)
    assert truth.shape == (3, 9) and truth.abs().max() > 0.01
    torch.testing.assert_close(estimate, truth, atol=1e-3, rtol=0)
    torch.testing.assert_close(truth[:, [0, -1]], torch.zeros(3, 2), atol=1e-5, rtol=0)
