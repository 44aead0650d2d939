"""Smooth speeds as sums of cosines: closed forms and draws."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.integrate import quad

from unwarp.warps import (
    CosineTime,
)
from unwarp.warps.cosine import restore_constant

LINE = torch.linspace(0, 1, 65, dtype=torch.float64)[:, None]


def test_one_wave_is_its_integral() -> None:
    warp, theta = CosineTime(cells=256), torch.zeros(1, 16, dtype=torch.float64)
    theta[0, 0], theta[0, 3] = 1.2, -0.6

    def speed(t: float) -> float:
        wave = 1.2 * math.cos(math.pi * t) - 0.6 * math.cos(4 * math.pi * t) / 2
        return math.exp(2.5 * math.tanh(wave / 2.5))

    total = quad(speed, 0, 1)[0]
    expected = [quad(speed, 0, t)[0] / total for t in (0.2, 0.5, 0.9)]
    found = warp.map(theta).pull(torch.tensor([[0.2], [0.5], [0.9]]).double())[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_draws_are_smooth_and_move_events() -> None:
    map = CosineTime().sample(300, torch.Generator().manual_seed(0), 0.5)
    gamma = map.pull(LINE.float())[..., 0]
    moved = (gamma - LINE[:, 0].float()).abs().amax(1)
    log = gamma.diff().log()
    assert 0.02 < float(moved.median()) < 0.2
    assert float(log.diff().abs().median()) < 0.1 * float(log.std(1).median() * 2)


def test_restore_constant_rows_have_a_mean_of_zero_whatever_they_are() -> None:
    z = torch.tanh(3 * torch.randn(50, 30, generator=torch.Generator().manual_seed(0)).double())
    z = torch.tanh(
        torch.atanh(z.clamp(-0.98, 0.98)) - torch.atanh(z.clamp(-0.98, 0.98)).mean(-1, keepdim=True)
    )
    assert (
        float(
            torch.atanh(restore_constant(z + torch.linspace(-4, 4, 50).double()[:, None]))
            .mean(-1)
            .abs()
            .max()
        )
        < 1e-9
    )
    wide = restore_constant(torch.tensor([[-5.0, 0.0, 9.0], [0.0, 0.0, 0.0]]))
    assert wide.isfinite().all() and (wide.abs() < 1).all() and torch.equal(wide[1], torch.zeros(3))
