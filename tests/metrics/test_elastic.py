"""Elastic distances of arrays: the textbook loops, laws, and values of aeon 1.6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unwarp.errors import ConfigError, DataError
from unwarp.metrics.dtw import accumulated_cost
from unwarp.metrics.elastic import adtw, msm, values_and_slopes

TIME = np.arange(12.0)
PHASES = np.arange(3)[:, None]
ONE = np.round(np.sin(TIME / 2), 2)[None], np.round(np.cos(TIME / 2), 2)[None]
THREE = np.round(np.sin(TIME / 2 + PHASES), 2), np.round(np.cos(TIME / 3 - PHASES), 2)

AEON = {
    # channels, steps of the second series, band: ADTW (penalty .3), MSM (cost .5, by channel)
    (1, 12, 1.0): (6.2425, 5.72),
    (3, 12, 1.0): (28.693, 19.59),
    (1, 9, 1.0): (2.096, 2.86),
    (3, 9, 1.0): (27.6388, 17.81),
    (1, 12, 0.25): (6.2425, 5.72),
    (3, 12, 0.25): (28.693, 20.04),
}
"""Distances printed by aeon 1.6."""


def walks(seed: int = 0, n: int = 5, channels: int = 1, steps: int = 17) -> Any:
    """Random walks (n, C, T)."""
    return np.random.default_rng(seed).normal(size=(n, channels, steps)).cumsum(-1)


def table(x: Any, y: Any, cost: Callable[[int, int], tuple[float, float, float]]) -> float:
    """The last cell of the textbook recursion; `cost` of the steps down, right and diagonal."""
    total = np.full((len(x) + 1, len(y) + 1), np.inf)
    total[0, 0] = 0.0
    for i, j in np.ndindex(len(x), len(y)):
        down, right, diagonal = cost(i, j)
        before = total[i, j + 1] + down, total[i + 1, j] + right, total[i, j] + diagonal
        total[i + 1, j + 1] = min(before)
    return float(total[-1, -1])


def textbook_adtw(x: Any, y: Any, penalty: float) -> float:
    """Herrmann and Webb 2023, cell by cell, for series (C, T)."""

    def cost(i: int, j: int) -> tuple[float, float, float]:
        match = float(np.square(x[:, i] - y[:, j]).sum())
        return match + penalty, match + penalty, match

    return table(x.T, y.T, cost)


def textbook_msm(x: Any, y: Any, price: float) -> float:
    """Stefan, Athitsos and Das 2013, cell by cell, for series (T,)."""

    def split(value: float, before: float, other: float) -> float:
        low, high = min(before, other), max(before, other)
        return price + max(low - value, value - high, 0.0)

    def cost(i: int, j: int) -> tuple[float, float, float]:
        down = split(x[i], x[i - 1], y[j]) if i else np.inf
        right = split(y[j], y[j - 1], x[i]) if j else np.inf
        return down, right, abs(x[i] - y[j])

    return table(x, y, cost)


@pytest.mark.parametrize("channels", [1, 3])
def test_adtw_is_the_textbook_recursion(channels: int) -> None:
    """Cell by cell, for series of unequal lengths too."""
    x, y = walks(0, 3, channels, 17), walks(1, 4, channels, 13)
    expected = [[textbook_adtw(a, b, 0.7) for b in y] for a in x]
    np.testing.assert_allclose(adtw(x, y, band=1.0, penalty=0.7), expected)


def test_msm_is_the_textbook_recursion() -> None:
    """Cell by cell; channels are edited by themselves and summed."""
    x, y = walks(0, 3, 2, 17), walks(1, 4, 2, 13)
    by_channel = [
        [[textbook_msm(a[c], b[c], 0.4) for b in y] for a in x] for c in range(x.shape[1])
    ]
    expected = np.sum(by_channel, 0)
    np.testing.assert_allclose(msm(x, y, band=1.0, cost=0.4), expected)


@pytest.mark.parametrize("case", AEON)
def test_distances_are_those_of_aeon(case: tuple[int, int, float]) -> None:
    """One and three channels, with and without a window, of unequal lengths."""
    channels, steps, band = case
    x, y = ONE if channels == 1 else THREE
    pair = x[None], y[None, :, :steps]
    distances = adtw(*pair, band=band).item(), msm(*pair, band=band).item()
    assert distances == pytest.approx(AEON[case])


def test_adtw_without_penalty_is_dtw() -> None:
    """The cost of `metrics.dtw`, if any shift is allowed."""
    x, y = walks(0, channels=2), walks(1, channels=2, steps=23)
    costs = np.square(x[:, None, :, :, None] - y[None, :, :, None, :]).sum(2)
    expected = [[accumulated_cost(cost)[-1, -1] for cost in row] for row in costs]
    np.testing.assert_allclose(adtw(x, y, band=1.0, penalty=0.0), expected)


def test_adtw_with_large_penalty_is_euclid() -> None:
    """The squared Euclidean distance of series of equal lengths."""
    x, y = walks(0), walks(1)
    expected = np.square(x[:, None] - y).sum((2, 3))
    np.testing.assert_allclose(adtw(x, y, penalty=1e9), expected)


@pytest.mark.parametrize("distance", [adtw, msm, values_and_slopes])
def test_distances_are_symmetric(distance: Callable[..., Any]) -> None:
    """Not negative, and 0 from a series to itself."""
    x = walks(2, 8)
    distances = distance(x)
    np.testing.assert_allclose(distances, distances.T, atol=1e-9)
    np.testing.assert_allclose(distances.diagonal(), 0.0, atol=1e-9)
    assert (distances >= -1e-9).all()


def test_msm_obeys_the_triangle_inequality() -> None:
    """No detour over a third series is shorter; without a window MSM is a metric."""
    distances = msm(walks(3, 12), band=1.0)
    detours = distances[:, :, None] + distances[None]
    assert (distances[:, None] <= detours + 1e-9).all()


@pytest.mark.parametrize("distance", [adtw, msm, values_and_slopes])
def test_rows_do_not_depend_on_the_batch(distance: Callable[..., Any]) -> None:
    """A row alone has the distances that it has among others."""
    x, y = walks(0), walks(1, 7)
    options = {"reference": x} if distance is values_and_slopes else {}
    alone = [distance(row[None], y, **options)[0] for row in x]
    np.testing.assert_allclose(distance(x, y, **options), alone)


@pytest.mark.parametrize("distance", [adtw, msm])
def test_gaps_at_the_ends_shorten_series(distance: Callable[..., Any]) -> None:
    """NaN before and after a series, and a list, give the distances of the shorter series."""
    x, y = walks(0)[:, 0], walks(1)[:, 0]
    shorter = x.copy()
    shorter[:, :3], shorter[:, -2:] = np.nan, np.nan
    expected = distance(x[:, 3:-2], y)
    np.testing.assert_allclose(distance(shorter, y), expected)
    mixed = distance([x[0], *x[1:, 3:-2]], y)
    np.testing.assert_allclose(mixed[1:], expected[1:])
    np.testing.assert_allclose(mixed[:1], distance(x[:1], y))


def test_values_have_no_unit() -> None:
    """A factor and an offset of all series change no distance of values and slopes."""
    x = walks(4, 9)
    np.testing.assert_allclose(values_and_slopes(1e3 * x + 7), values_and_slopes(x), atol=1e-9)


@pytest.mark.parametrize("series", [3.0, [], [np.zeros((2, 3)), np.zeros((1, 3))], [["a"]]])
def test_other_things_are_refused(series: Any) -> None:
    """Numbers, nothing, unequal channels and texts are no series."""
    with pytest.raises(DataError, match="are no series; give an array"):
        adtw(series)


def test_wrong_numbers_are_refused() -> None:
    """Infinite values, series without values, and shares above 1."""
    with pytest.raises(DataError, match="infinite"):
        msm(np.array([[0.0, np.inf]]))
    with pytest.raises(DataError, match="no values"):
        msm(np.full((2, 4), np.nan))
    with pytest.raises(ConfigError, match="band="):
        adtw(walks(), band=2.0)
