"""Smooth speeds as sums of cosines: closed forms and random draws."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.integrate import quad

from unwarp.warps import CosineTime
from unwarp.warps.cosine import restore_constant

LINE = torch.linspace(0, 1, 65, dtype=torch.float64)[:, None]


def test_cosine_gamma_is_integral_of_speed() -> None:
    """gamma agrees with numerical integration of the formula's speed."""
    warp, theta = CosineTime(cells=256), torch.zeros(1, 16, dtype=torch.float64)
    theta[0, 0], theta[0, 3] = 1.2, -0.6

    def speed(t: float) -> float:
        wave = 1.2 * math.cos(math.pi * t) - 0.6 * math.cos(4 * math.pi * t) / 2
        return math.exp(2.5 * math.tanh(wave / 2.5))

    total = quad(speed, 0, 1)[0]
    expected = [quad(speed, 0, t)[0] / total for t in (0.2, 0.5, 0.9)]
    gamma = warp.map(theta).pull(torch.tensor([[0.2], [0.5], [0.9]]).double())[0, :, 0]
    np.testing.assert_allclose(gamma, expected, atol=2e-5)


def test_cosine_samples_are_smooth() -> None:
    """Random maps shift events by some percent, and their log speed changes little by cell."""
    map = CosineTime().sample(300, torch.Generator().manual_seed(0), 0.5)
    gamma = map.pull(LINE.float())[..., 0]
    largest_lag = (gamma - LINE[:, 0].float()).abs().amax(1)
    log_speed = gamma.diff().log()
    assert 0.02 < float(largest_lag.median()) < 0.2
    step = float(log_speed.diff().abs().median())
    assert step < 0.1 * float(log_speed.std(1).median() * 2)


def test_restore_constant_centres_any_row() -> None:
    """Tangents have mean 0 for rows of any constant, and too wide rows give finite values."""
    z = torch.tanh(3 * torch.randn(50, 30, generator=torch.Generator().manual_seed(0)).double())
    wave = torch.atanh(z.clamp(-0.98, 0.98))
    z = torch.tanh(wave - wave.mean(-1, keepdim=True))
    constants = torch.linspace(-4, 4, 50).double()[:, None]
    restored = restore_constant(z + constants)
    assert float(torch.atanh(restored).mean(-1).abs().max()) < 1e-9
    shrunk = restore_constant(torch.tensor([[-5.0, 0.0, 9.0], [0.0, 0.0, 0.0]]))
    assert shrunk.isfinite().all() and (shrunk.abs() < 1).all()
    assert torch.equal(shrunk[1], torch.zeros(3))
