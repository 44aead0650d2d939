"""Warps of time with a free speed on each cell: normalised sums."""

from __future__ import annotations

import math

import numpy as np
import torch

from unwarp.warps import SoftmaxTime, SquareTime
from unwarp.warps.time import MIN_SPEED


def test_piecewise_gamma_is_normalised_sum() -> None:
    """gamma sums the shares of the cells, of exponentials and of squares."""
    knots = torch.tensor([[0.25], [0.5], [0.75]]).double()
    theta = torch.tensor([[math.log(2), math.log(3), math.log(4)]]).double()
    shares = np.cumsum(np.array([2, 3, 4]) / 10)
    gamma = SoftmaxTime(cells=4).map(theta).pull(knots)[0, :, 0]
    np.testing.assert_allclose(
        gamma, (1 - MIN_SPEED) * shares + MIN_SPEED * knots[:, 0].numpy(), atol=1e-12
    )
    gamma = SquareTime(cells=4).map(torch.tensor([[0.5, -0.5, 0.0]]).double()).pull(knots)[0, :, 0]
    shares = np.cumsum(np.array([1.5, 0.5, 1.0]) ** 2 / 4.5)
    np.testing.assert_allclose(
        gamma, (1 - MIN_SPEED) * shares + MIN_SPEED * knots[:, 0].numpy(), atol=1e-12
    )
