"""Rational-quadratic splines of time against the inverse that the paper gives, and their shape."""

from __future__ import annotations

import numpy as np
import torch

from unwarp.warps import SplineTime

WARP = SplineTime(bins=4)
RAW = torch.randn(5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
THETA = WARP.constrain(RAW)


def inverse(y: float, heights: np.ndarray, slopes: np.ndarray) -> float:
    """Equations 6 to 8 of Durkan et al. 2019, for bins of equal width."""
    tops = np.concatenate([[0.0], np.cumsum(heights)])
    k = min(int(np.searchsorted(tops, y, side="right")) - 1, len(heights) - 1)
    width, h = 1 / len(heights), heights[k]
    s, up = h / width, y - tops[k]
    total = slopes[k + 1] + slopes[k] - 2 * s
    a = h * (s - slopes[k]) + up * total
    b = h * slopes[k] - up * total
    c = -s * up
    return float((k + 2 * c / (-b - np.sqrt(b * b - 4 * a * c))) * width)


def test_the_inverse_of_the_paper_undoes_it() -> None:
    times = torch.linspace(0, 1, 65, dtype=torch.float64)[:, None]
    gamma = WARP.map(THETA).pull(times)[..., 0].numpy()
    for row, theta in zip(gamma, THETA.numpy(), strict=True):
        heights = np.exp(np.append(theta[:3], 0.0))
        back = [inverse(y, heights / heights.sum(), np.exp(theta[3:])) for y in row]
        np.testing.assert_allclose(back, times[:, 0], atol=1e-12)


def test_speeds_at_the_knots_are_those_asked_for() -> None:
    fine = SplineTime(bins=4, cells=4096)
    speed = (
        fine.map(THETA)
        .pull(torch.linspace(0, 1, 4097, dtype=torch.float64)[:, None])[..., 0]
        .diff()
        * 4096
    )
    at_knots = torch.cat(
        [speed[:, :1], (speed[:, 1023:-1:1024] + speed[:, 1024::1024]) / 2, speed[:, -1:]], -1
    )
    torch.testing.assert_close(at_knots, THETA[:, 3:].exp(), atol=0, rtol=2e-2)


def test_the_chart_of_a_coarser_grid_is_the_same() -> None:
    for cells in (16, 32, 128):
        warp = SplineTime(bins=4, cells=cells)
        torch.testing.assert_close(warp.theta(warp.map(THETA)), THETA, atol=1e-9, rtol=0)
