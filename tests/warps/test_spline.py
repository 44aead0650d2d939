"""Rational-quadratic splines of time: the inverse of the paper, knots, and grids."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.errors import ConfigError
from unwarp.warps import SplineTime

WARP = SplineTime(bins=4)
RAW = torch.randn(5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
THETA = WARP.constrain(RAW)


def inverse(y: float, heights: np.ndarray, slopes: np.ndarray) -> float:
    """Equations 6 to 8 of Durkan et al. 2019, for bins of equal width."""
    knots = np.concatenate([[0.0], np.cumsum(heights)])
    k = min(int(np.searchsorted(knots, y, side="right")) - 1, len(heights) - 1)
    width, h = 1 / len(heights), heights[k]
    s, rise = h / width, y - knots[k]
    bend = slopes[k + 1] + slopes[k] - 2 * s
    a = h * (s - slopes[k]) + rise * bend
    b = h * slopes[k] - rise * bend
    c = -s * rise
    return float((k + 2 * c / (-b - np.sqrt(b * b - 4 * a * c))) * width)


def test_spline_inverse_of_paper_undoes_it() -> None:
    """The closed inverse of Durkan et al. leads back to the observed times."""
    times = torch.linspace(0, 1, 65, dtype=torch.float64)[:, None]
    gamma = WARP.map(THETA).pull(times)[..., 0].numpy()
    for row, theta in zip(gamma, THETA.numpy(), strict=True):
        heights = np.exp(np.append(theta[:3], 0.0))
        inverted = [inverse(y, heights / heights.sum(), np.exp(theta[3:])) for y in row]
        np.testing.assert_allclose(inverted, times[:, 0], atol=1e-12)


def test_spline_has_knot_speeds_of_theta() -> None:
    """On a fine grid the speeds at the knots are the exponentials of theta."""
    warp = SplineTime(bins=4, cells=4096)
    speed = (
        warp.map(THETA)
        .pull(torch.linspace(0, 1, 4097, dtype=torch.float64)[:, None])[..., 0]
        .diff()
        * 4096
    )
    at_knots = torch.cat(
        [speed[:, :1], (speed[:, 1023:-1:1024] + speed[:, 1024::1024]) / 2, speed[:, -1:]], -1
    )
    torch.testing.assert_close(at_knots, THETA[:, 3:].exp(), atol=0, rtol=2e-2)


def test_spline_theta_needs_no_fine_grid() -> None:
    """Theta is exact on coarse and on fine grids."""
    for cells in (16, 32, 128):
        warp = SplineTime(bins=4, cells=cells)
        torch.testing.assert_close(warp.theta(warp.map(THETA)), THETA, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("bins", "cells"), [(1, 64), (7, 64), (32, 64), (2, 6)])
def test_bins_have_four_cells_or_more(bins: int, cells: int) -> None:
    """Two bins are the least, and each has a whole number of cells, at least four."""
    with pytest.raises(ConfigError, match=f"bins={bins} and cells={cells} do not fit"):
        SplineTime(bins=bins, cells=cells)
    for least in (SplineTime(bins=2, cells=8), SplineTime(bins=16, cells=64)):
        theta = least.constrain(torch.randn(2, len(least.factors)).double())
        torch.testing.assert_close(least.theta(least.map(theta)), theta, atol=1e-8, rtol=0)
