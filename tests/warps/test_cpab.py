"""CPAB flows against libcpab, an integrated differential equation, and their group laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.nn import functional as F

from unwarp.errors import ConfigError
from unwarp.warps import CpabTime, cpab
from unwarp.warps.cpab import MAX_ARGUMENT_FOR_SERIES, flow

KNOTS = torch.linspace(0, 1, 9, dtype=torch.float64)

# Velocities at the inner knots, and the positions to which libcpab 0.1.3 (Cpab([8]), PyTorch, 50
# solver steps, float32) carries the nine knots. Theta was drawn in the coordinates of libcpab,
# 0.3 x standard normal, and turned into velocities by its basis.
VELOCITY = [
    [-0.008556581, 0.002070985, 0.015689236, 0.047590367, 0.02674175, 0.009666202, 0.019747169],
    [0.069845757, 0.07615003, 0.0392067, -0.002205179, 0.027181194, 0.039071265, 0.033448607],
]
LIBCPAB = [
    [0.0, 0.1167293, 0.2521872, 0.3928724, 0.5438324, 0.65, 0.760074, 0.8932661, 1.0],
    [0.0, 0.1966398, 0.3159313, 0.4083729, 0.4981221, 0.6535181, 0.7882124, 0.904352, 1.0],
]
# Stronger velocities, and the end positions of the knots by scipy.integrate.solve_ivp (rtol 1e-12,
# atol 1e-14, max_step 1e-3).
STRONG = [
    [-0.022817549, 0.005522627, 0.041837962, 0.126907643, 0.071311333, 0.025776539, 0.052659117],
    [0.186255353, 0.203066744, 0.104551199, -0.005880474, 0.072483179, 0.104190038, 0.089196284],
]
INTEGRATED = [
    [
        0.0,
        0.1041438741,
        0.2564085266,
        0.4349377886,
        0.6024426725,
        0.684766129,
        0.7787581565,
        0.9179736283,
        1.0,
    ],
    [
        0.0,
        0.313259347,
        0.3903883301,
        0.4444260169,
        0.496095139,
        0.7075052057,
        0.8481837706,
        0.9387634971,
        1.0,
    ],
]


def velocity(rows: list[list[float]]) -> torch.Tensor:
    """Velocities at all knots, 0 at both ends."""
    return F.pad(torch.tensor(rows, dtype=torch.float64), (1, 1))


def test_flow_agrees_with_libcpab() -> None:
    """The knots end at the positions that libcpab computed."""
    end = flow(velocity(VELOCITY), KNOTS.expand(2, -1))
    np.testing.assert_allclose(end, LIBCPAB, atol=1e-5)


def test_flow_agrees_with_stored_solution() -> None:
    """Strong velocities give the positions of a solver with tight tolerances."""
    end = flow(velocity(STRONG), KNOTS.expand(2, -1))
    np.testing.assert_allclose(end, INTEGRATED, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_flow_agrees_with_solver(seed: int) -> None:
    """Random velocities give the positions of SciPy's solver of differential equations."""
    speeds = F.pad(
        0.1 * torch.randn(1, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)),
        (1, 1),
    )
    start = torch.tensor([[0.03, 0.41, 0.8]], dtype=torch.float64)
    nodes = np.linspace(0, 1, 6)
    end = solve_ivp(
        lambda _, y: np.interp(y, nodes, speeds[0]),
        (0, 1),
        start[0],
        rtol=1e-10,
        atol=1e-12,
        max_step=0.02,
    )
    np.testing.assert_allclose(flow(speeds, start)[0], end.y[:, -1], atol=1e-7)


def test_flow_is_a_group() -> None:
    """Half a flow twice is a whole one, and the negative velocity undoes it."""
    fields, start = velocity(STRONG), torch.linspace(0, 1, 50, dtype=torch.float64).expand(2, -1)
    midway = flow(fields / 2, start)
    torch.testing.assert_close(flow(fields / 2, midway), flow(fields, start), atol=1e-12, rtol=0)
    torch.testing.assert_close(flow(-fields, flow(fields, start)), start, atol=1e-12, rtol=0)


def test_flow_of_one_slope_is_exponential() -> None:
    """Points on one piece grow by the exponential of its slope."""
    start = torch.tensor([[0.1, 0.2]], dtype=torch.float64)
    rising = torch.tensor([[0.0, 0.2, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(flow(rising, start), start * np.exp(0.4), atol=1e-14, rtol=0)


def test_flow_of_zero_velocity_has_gradients() -> None:
    """It moves nothing, and the derivatives by the velocities are 1 at their knots."""
    zero = torch.zeros(1, 9, dtype=torch.float64, requires_grad=True)
    end = flow(zero, KNOTS[None])
    assert torch.equal(end[0], KNOTS)
    (gradient,) = torch.autograd.grad(end.sum(), zero)
    torch.testing.assert_close(gradient[0, 1:-1], torch.ones(7).double())


def test_cpab_theta_of_strong_velocities() -> None:
    """The fit returns theta of a strong deformation."""
    warp = CpabTime()
    theta = torch.tensor(STRONG, dtype=torch.float64)
    torch.testing.assert_close(warp.theta(warp.map(theta)), theta, atol=1e-9, rtol=0)


def test_quotients_are_exact_near_zero() -> None:
    """log(1 + r) / r and (exp(r) - 1) / r have all digits on both sides of their switch."""
    end = MAX_ARGUMENT_FOR_SERIES
    sizes = np.concatenate([[0.9999 * end, end, 1.0001 * end, 0.3], np.geomspace(1e-9, end, 20)])
    r = np.concatenate([-sizes, sizes])
    ratios = (cpab._log1p_over, np.log1p(r) / r), (cpab._expm1_over, np.expm1(r) / r)
    for quotient, expected in ratios:
        np.testing.assert_allclose(quotient(torch.as_tensor(r)), expected, rtol=3e-15)
        assert float(quotient(torch.zeros(1))) == 1


def test_gradients_of_quotients_are_exact() -> None:
    """The derivatives at 0 are those of the Taylor series, -1/2 and 1/2."""
    for quotient, slope in ((cpab._log1p_over, -0.5), (cpab._expm1_over, 0.5)):
        r = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(quotient(r).sum(), r)
        assert float(gradient) == slope


@pytest.mark.parametrize(("pieces", "cells"), [(1, 64), (3, 64), (2, 6), (64, 64)])
def test_cells_are_halves_of_pieces(pieces: int, cells: int) -> None:
    """Two pieces are the least, and each half of a piece is a whole number of cells."""
    with pytest.raises(ConfigError, match=f"pieces={pieces} and cells={cells} do not fit"):
        CpabTime(pieces=pieces, cells=cells)
    theta = torch.full((1, 1), 0.1, dtype=torch.float64)
    for least in (CpabTime(pieces=2, cells=4), CpabTime(pieces=2, cells=64)):
        torch.testing.assert_close(least.theta(least.map(theta)), theta, atol=1e-9, rtol=0)
