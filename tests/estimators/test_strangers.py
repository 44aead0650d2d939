"""Strangers: series without near neighbours, and none in a collection of like series."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.estimators.strangers import are_strangers, describe_strangers, third_neighbours


def thirds(n: int = 60, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """Distances (2, n) to third neighbours, spread by about a quarter."""
    return np.exp(0.25 * np.random.default_rng(seed).normal(size=(2, n)))


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_strangers_do_not_depend_on_units(factor: float) -> None:
    """Series far from the others are flagged, whatever the unit of each distance."""
    distances = thirds()
    distances[:, [3, 40]] = 9.0
    distances[0] *= factor
    assert np.flatnonzero(are_strangers(distances)).tolist() == [3, 40]


def test_like_series_are_no_strangers() -> None:
    """At most 2 % of series are flagged that differ by chance only."""
    assert np.mean([are_strangers(thirds(100, seed)).mean() for seed in range(50)]) < 0.02
    assert not are_strangers(np.ones((2, 40))).any()
    assert not are_strangers(np.zeros((2, 40))).any()


def test_few_series_have_no_strangers() -> None:
    """Among fewer than twelve series nothing can be said."""
    distances = thirds(11)
    distances[:, 0] = 99.0
    assert not are_strangers(distances).any()


def test_third_neighbours_leave_out_self() -> None:
    """The third smallest distance to others; a reference series is not its own neighbour."""
    points = np.random.default_rng(1).normal(size=20)
    distances = np.abs(points[:, None] - points)[None].repeat(2, 0)
    np.testing.assert_allclose(
        third_neighbours(distances, has_self=True), np.sort(distances, 2)[:, :, 3]
    )
    np.testing.assert_allclose(third_neighbours(distances), np.sort(distances, 2)[:, :, 2])


def test_messages_name_rows() -> None:
    """At most ten rows are listed."""
    assert describe_strangers(np.arange(30) == 4).endswith("row 4")
    assert describe_strangers(np.arange(30) < 12).endswith("rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...")
