"""Measures of held-out series: description length, unexplained variance, and distances."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.cases.series import lags

from tests.estimators.series import levels
from unwarp.estimators import evidence
from unwarp.estimators.choices import MIN_LAG_RATIO
from unwarp.estimators.evidence import (
    description_length,
    distance_gain,
    lag_ratio,
    nearest_ratio,
    unexplained,
)
from unwarp.estimators.selection import DESCRIBING_RECIPE
from unwarp.models import AE, Net, rates
from unwarp.planning.presets import SERIES
from unwarp.warps import TimeShift


def test_description_counts_errors_and_rates() -> None:
    """A tenth of the error saves log(10) a value; codes and maps cost their rates."""
    x = levels(20)
    model = DESCRIBING_RECIPE.build(x.shape[1:]).eval()
    with torch.no_grad():
        posterior = model.encode(x)
        x_hat = model.decode_warped(posterior.content_mean, posterior.map)
    model.encode = lambda *_: posterior  # type: ignore[method-assign]
    closer = x_hat + (x - x_hat) / 10
    assert description_length(model, x) - description_length(model, closer) == pytest.approx(
        64 * math.log(10), rel=1e-4
    )
    costs = sum(float(rate.detach().mean()) for rate in rates(posterior, model).values())
    residual = 32 * math.log(float((x_hat - x).square().mean()))
    assert description_length(model, x) == pytest.approx(residual + costs, rel=1e-5)


def test_latents_without_rates_cost_precision() -> None:
    """Each latent of an autoencoder costs half the logarithm of the number of values."""
    x = levels(20)
    model = replace(SERIES, n_content=5).build(x.shape[1:]).eval()
    with torch.no_grad():
        x_hat = model.reconstruct(model.embed(x))
    residual = 32 * math.log(float((x_hat - x).square().mean()))
    n_latents = 5 + len(model.warp.factors)
    expected = residual + n_latents * math.log(64) / 2
    assert description_length(model, x) == pytest.approx(expected, rel=1e-4)


def test_descriptions_skip_missing_values() -> None:
    """Series with gaps have finite measures."""
    x = levels(20)
    model = DESCRIBING_RECIPE.build(x.shape[1:]).eval()
    assert description_length(model, x) > 0
    half = x.clone()
    half[..., ::2] = torch.nan
    gapped = (
        type(DESCRIBING_RECIPE)(**{**vars(DESCRIBING_RECIPE), "gaps": True})
        .build(x.shape[1:])
        .eval()
    )
    assert math.isfinite(description_length(gapped, half)) and math.isfinite(
        unexplained(gapped, half)
    )


def test_unexplained_shares_are_in_0_to_1() -> None:
    """0 for perfect reconstructions, about 1 for an untrained model, 1 for any worse one."""
    x = levels(20)
    model = SERIES.build(x.shape[1:]).eval()
    with torch.no_grad():
        x_hat = model.reconstruct(model.embed(x))
    assert unexplained(model, x) == pytest.approx(1.0, abs=0.05)
    model.reconstruct = lambda latent: x + 0.0 * x_hat  # type: ignore[method-assign]
    assert unexplained(model, x) == 0.0
    model.reconstruct = lambda latent: 9 * x  # type: ignore[method-assign]
    assert unexplained(model, x) == 1.0


def test_distance_gain_measures_alignment() -> None:
    """Undone shifts bring series closer; the identity changes no distance."""
    x = levels(30)
    model = SERIES.build(x.shape[1:]).eval()  # an untrained pose is the identity
    assert distance_gain(model, x[:20], x[20:]) == pytest.approx(0.0, abs=1e-5)
    maps = TimeShift(size=(64,)).map(torch.linspace(-0.2, 0.2, 30)[torch.randperm(30)][:, None])
    shifted = maps(levels(1).expand(30, -1, -1), padding="border")
    model.pose = lambda x: maps[:20] if len(x) == 20 else maps[20:]  # type: ignore[method-assign]
    assert distance_gain(model, shifted[:20], shifted[20:]) > 0.5


def test_nearest_ratio_tells_undone_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 1 without a deformation, and far below 1 if lags are undone."""
    t = torch.linspace(0, 1, 100)
    lag = torch.rand(12, 1, generator=torch.Generator().manual_seed(0)) * 0.5 - 0.25
    x = torch.exp(-0.5 * ((t - 0.5 - lag) / 0.04) ** 2)[:, None]
    x = x + 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    model = AE(warp=TimeShift(), refinements=0, net=Net(channels=8)).build((1, 100)).eval()
    monkeypatch.setattr(model, "pose", lambda x: model.warp.map(torch.zeros(len(x), 1)))
    assert nearest_ratio(model, x) == pytest.approx(1.0, abs=1e-3)
    monkeypatch.setattr(model, "pose", lambda x: model.warp.map(lag))
    assert nearest_ratio(model, x) < 0.5


def test_noise_of_channels_hides_no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many channels are compared by their principal components, not by their noise."""
    t, generator = torch.linspace(0, 1, 60), torch.Generator().manual_seed(0)
    lag, gain = (
        0.4 * torch.rand(12, 1, 1, generator=generator),
        torch.randn(30, 1, generator=generator),
    )
    noise = 0.2 * torch.randn(12, 30, 60, generator=generator)
    late, aligned = (
        gain * torch.exp(-0.5 * ((t - 0.3 - shift) / 0.08) ** 2) + noise for shift in (lag, 0 * lag)
    )
    monkeypatch.setattr(evidence, "align", lambda *parts, **options: aligned)
    model = AE(warp=TimeShift(), refinements=0, net=Net(channels=8)).build((30, 60)).eval()
    of_components = nearest_ratio(model, late)
    monkeypatch.setattr(evidence, "MAX_COMPARED_CHANNELS", 30)
    assert of_components < nearest_ratio(model, late) - 0.05


@pytest.mark.parametrize("length", [16, 80])
def test_lags_are_no_noise(length: int) -> None:
    """Lags show in noise as large as series, and noise alone has none."""
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(30, 1, length, generator=rng)
    assert lag_ratio(noise[:20], noise[20:]) < MIN_LAG_RATIO
    x = torch.from_numpy(np.stack(lags(0).x))[:, None].float()
    x = x / x.std() + torch.randn(x.shape, generator=rng)
    assert lag_ratio(x[:32], x[32:]) > 2 * MIN_LAG_RATIO
