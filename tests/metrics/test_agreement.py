"""Agreement of columns: R2, correlation of angles, and errors modulo a symmetry."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unwarp.errors import ConfigError, DataError
from unwarp.metrics.agreement import angle_error_modulo, circular_correlation, r2


def angles(n: int, seed: int) -> NDArray[np.floating]:
    """Uniform angles in degrees (n,)."""
    return np.random.default_rng(seed).uniform(-180, 180, n)


def test_r2_by_hand() -> None:
    """R2 is 1 for the truth, 0 for its mean, negative for worse."""
    true = np.random.default_rng(0).normal(size=50)
    assert r2(true, true) == 1.0
    assert r2(np.full(50, true.mean()), true) == pytest.approx(0.0)
    assert r2(-true, true) < 0
    assert r2(0.5 * (true - true.mean()) + true.mean(), true) == pytest.approx(0.75)
    assert np.isnan(r2(true, np.ones(50)))


def test_r2_removes_offsets_of_groups() -> None:
    """One offset of each group is taken out, no slope is."""
    true, groups = np.random.default_rng(0).normal(size=60), np.arange(60) % 3
    shifted = true + np.array([5.0, -3.0, 1.0])[groups]
    assert r2(shifted, true) < 0
    assert r2(shifted, true, groups) == pytest.approx(1.0)
    assert r2(2 * true, true, np.zeros(60)) == pytest.approx(0.0)


def pairwise(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The definition of Fisher and Lee, over all pairs of samples."""
    one, two = (np.sin(np.deg2rad(np.subtract.outer(angle, angle))) for angle in (a, b))
    return float((one * two).sum() / np.sqrt(np.square(one).sum() * np.square(two).sum()))


@pytest.mark.parametrize("spread", [5.0, 60.0, 400.0])
def test_circular_correlation_definition(spread: float) -> None:
    """The formula in O(N) agrees with the sum over pairs."""
    generator = np.random.default_rng(0)
    true = angles(80, 1)
    estimated = true + spread * generator.normal(size=80)
    assert circular_correlation(estimated, true) == pytest.approx(pairwise(estimated, true))


def test_circular_correlation_extremes() -> None:
    """An offset gives 1, a reversed sense -1, independence 0, a constant NaN."""
    true = angles(500, 0)
    assert circular_correlation(true + 123.0, true) == pytest.approx(1.0)
    assert circular_correlation(50 - true, true) == pytest.approx(-1.0)
    assert circular_correlation(angles(500, 1), true) == pytest.approx(0.0, abs=0.05)
    assert np.isnan(circular_correlation(np.full(500, 7.0), true))


def test_circular_correlation_of_symmetry() -> None:
    """Turns by multiples of the period do not count."""
    true = angles(500, 0)
    estimated = true + 90 * np.random.default_rng(1).integers(0, 4, 500)
    assert circular_correlation(estimated, true, order=4) == pytest.approx(1.0)
    assert abs(circular_correlation(estimated, true)) < 0.1


def test_angle_errors_by_hand() -> None:
    """Errors wrap around the circle and around the symmetry."""
    estimated, true = np.array([179.0, 91.0, 181.0, 350.0]), np.array([-179.0, 0.0, 0.0, 0.0])
    assert angle_error_modulo(estimated, true) == pytest.approx([2, 91, 179, 10])
    assert angle_error_modulo(estimated, true, 2) == pytest.approx([2, 89, 1, 10])
    assert angle_error_modulo(estimated, true, 4) == pytest.approx([2, 1, 1, 10])
    assert angle_error_modulo(estimated, true, np.array([1, 4, 2, 1])) == pytest.approx(
        [2, 1, 1, 10]
    )


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_angle_errors_are_bounded(order: int) -> None:
    """Errors are at most half a period; by chance their median is a quarter."""
    errors = angle_error_modulo(angles(4000, 0), angles(4000, 1), order)
    assert errors.max() <= 180 / order
    assert np.median(errors) == pytest.approx(90 / order, rel=0.05)


def test_angle_offset_is_robust() -> None:
    """Offsets of groups are taken out; outliers do not shift them."""
    generator = np.random.default_rng(0)
    true, groups = angles(900, 1), np.arange(900) % 3
    orders = np.array([4, 2, 1])[groups]
    jumps = 360 / orders * generator.integers(0, 4, 900)
    estimated = true + np.array([31.0, -77.0, 178.0])[groups] + jumps
    is_outlier = generator.random(900) < 0.2
    estimated[is_outlier] += 60 / orders[is_outlier]
    errors = angle_error_modulo(estimated, true, orders, groups)
    assert errors[~is_outlier] == pytest.approx(0.0, abs=1e-9)
    assert errors[is_outlier] == pytest.approx(60 / orders[is_outlier])
    assert np.median(angle_error_modulo(estimated, true, orders)) > 20


def test_angle_offset_is_of_majority() -> None:
    """Of two poses half a turn apart, the frequent one has no error."""
    true, is_turned = angles(300, 0), np.arange(300) < 140
    errors = angle_error_modulo(true + 180 * is_turned, true, 1, np.zeros(300))
    assert errors == pytest.approx(180.0 * is_turned, abs=1e-9)


def test_invalid_orders_are_refused() -> None:
    """Orders below 1, mixed orders and columns of other lengths are refused."""
    a = angles(4, 0)
    for order in (0, -1, 1.5):
        with pytest.raises(ConfigError, match="whole numbers of 1 or more"):
            angle_error_modulo(a, a, order)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="whole numbers of 1 or more"):
            circular_correlation(a, a, order)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one order per group"):
        angle_error_modulo(a, a, np.array([1, 2, 1, 1]), np.zeros(4))
    for measure in (r2, circular_correlation, angle_error_modulo):
        with pytest.raises(DataError, match="columns of one length"):
            measure(a, a[1:])
