"""The temperature of pose modes makes their sets hold the truth in nine of ten pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.pictures import smooth_noise
from unwarp import AE
from unwarp.models import Net, mode_calibration
from unwarp.models.mode_calibration import coverage, mode_temperature, second_views
from unwarp.models.pose_modes import PoseModes
from unwarp.warps import IdentityMap, Rigid2d, translation

SIZE = (12, 12)
RECIPE = AE(warp=Rigid2d(rotation=180), n_content=2, net=Net("mlp", (8,), (8,)))


def test_coverage_grows_with_temperature() -> None:
    """Sharp sets hold the best mode alone, wide ones all; the share counts pictures."""
    rows, misfit = torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, 2.0, 1.0, 2.0])
    modes = PoseModes(IdentityMap(4), rows, torch.zeros(4, 1), misfit)
    is_right = torch.tensor([True, False, False, True])
    assert coverage(modes, is_right, 1e-6) == 0.5
    assert coverage(modes, is_right, 1e6) == 1.0
    assert coverage(modes, torch.zeros(4, dtype=torch.bool), 1e6) == 0.0


def test_temperature_is_the_least_that_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the first of the temperatures with sets of nine tenths, or of the greatest share."""
    model, x = RECIPE.build((1, *SIZE), seed=0).eval(), smooth_noise(24, SIZE)
    few = mode_temperature(model, x[:10])
    variance = mode_temperature(replace(RECIPE, warp=Rigid2d(rotation=0)).build((1, *SIZE)), x)
    assert few > 0 and variance > 0
    first = PoseModes.of(model, x)
    residual = float(first.misfit[first.ranks == 0].mean()) / x[0].numel()
    for share, expected in (
        (lambda t: t / (20 * residual), 18 * residual),
        (lambda t: 0.3, residual),
    ):
        monkeypatch.setattr(mode_calibration, "_mean_coverage", lambda pairs, t, f=share: f(t))
        temperature = mode_temperature(model, x)
        assert expected * 0.999 <= temperature <= expected * 1.3


def test_second_views_keep_the_noise() -> None:
    """Interpolation takes noise away, which is put back; smooth pictures get none."""
    generator = torch.Generator().manual_seed(0)
    model = RECIPE.build((1, 24, 24))
    map = translation(0.2 * torch.rand(30, 2, generator=generator))
    noisy = torch.randn(30, 1, 24, 24, generator=generator)
    views = second_views(noisy, map, model, generator)[..., 5:, 5:]
    assert float(views.var()) == pytest.approx(1.0, rel=0.1)
    smooth = smooth_noise(30, (24, 24))
    again = second_views(smooth, map, model, generator)
    assert torch.equal(again, second_views(smooth, map, model, generator))
