"""Dynamic time warping: the textbook recursion, its path, and the remaining distance."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.errors import DataError
from unwarp.metrics.dtw import accumulated_cost, aligned_rmse, warping_path

RANDOM = np.random.default_rng(0)


def recursion(cost: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Sakoe and Chiba 1978, cell by cell."""
    total = np.full(np.add(cost.shape, 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(cost.shape):
        total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return total[1:, 1:]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (9, 14), (14, 9)])
def test_cost_is_textbook_recursion(shape: tuple[int, int]) -> None:
    """Costs are those of the textbook recursion, and the path adds up to the last one."""
    cost = RANDOM.random(shape)
    np.testing.assert_allclose(accumulated_cost(cost), recursion(cost))
    path = warping_path(cost)
    assert path[0, 0] and path[-1, -1] and path.any(0).all() and path.any(1).all()
    np.testing.assert_allclose((cost * path).sum(), recursion(cost)[-1, -1])


def test_cost_agrees_with_tslearn() -> None:
    """The square root of the last cost is the DTW distance of tslearn."""
    tslearn = pytest.importorskip("tslearn.metrics", reason="tslearn is not installed")
    first, second = RANDOM.normal(size=(2, 30, 3)).cumsum(1)
    cost = np.square(first[:, None] - second[None]).sum(-1)
    assert accumulated_cost(cost)[-1, -1] ** 0.5 == pytest.approx(
        tslearn.dtw(first, second), rel=1e-6
    )


def test_rmse_ignores_pauses() -> None:
    """A template that only pauses has no distance from its series."""
    x = RANDOM.normal(size=(4, 2, 20)).cumsum(-1)
    slow = x.repeat(3, axis=-1)
    assert aligned_rmse(slow, x) == pytest.approx(0, abs=1e-12)
    assert aligned_rmse(x, slow) == pytest.approx(0, abs=1e-12)


def test_rmse_sums_channels() -> None:
    """A constant offset is that distance, with squares summed over channels."""
    x = RANDOM.normal(size=(4, 2, 1)) * np.ones(20)
    assert aligned_rmse(x + 3.0, x) == pytest.approx(np.sqrt(2 * 9.0))


def test_rmse_weighs_samples_equally() -> None:
    """Template samples that are matched to one sample share its weight."""
    x, template = (
        np.array([[[0.0, 4.0]]]),
        np.array([[[0.0, 1.0, 4.0]]]),
    )  # 0 is matched to 0 and 1, 4 to 4
    assert aligned_rmse(template, x) == pytest.approx(np.sqrt(0.5 / 2))


def test_rmse_refuses_unequal_channels() -> None:
    """Series and templates with other numbers of channels are refused."""
    with pytest.raises(DataError, match="must agree"):
        aligned_rmse(np.zeros((3, 2, 5)), np.zeros((3, 1, 5)))
