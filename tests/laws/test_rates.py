"""The contract of every family's rate: the closed form is the KL divergence of its samples."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from tests.laws.warps import WARPS
from unwarp.models import Model, rates
from unwarp.models.posterior import Posterior, StagePosterior
from unwarp.warps import Affine2d, CosineTime, IdentityMap, Warp

MOVING = {name: warp for name, warp in WARPS.items() if warp.factors}
LIMITED = MOVING | {"affine, no shear": Affine2d(shear=0.0)}
DRAWS = 40_000


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def half_ranges(warp: Warp) -> Tensor:
    """Half-ranges (P,) of the columns of theta."""
    return torch.tensor([f.half_range for f in warp.factors], dtype=torch.float64)


def has_gaussian_prior(warp: Warp) -> Tensor:
    """Which columns of theta have a Gaussian prior if no circle is full (P,)."""
    return torch.tensor([not f.discrete and f.half_range > 0 for f in warp.factors])


def closed_rate(warp: Warp, mean: Tensor, sd: Tensor, prior: float) -> float:
    """The deformation rate of one posterior with raw parameters N(mean, sd^2), (1, P) each."""
    stage = StagePosterior(warp, mean, sd.log(), mean)
    columns = half_ranges(warp)
    theta = torch.where(has_gaussian_prior(warp), warp.constrain(mean) / columns, 0.0)
    content = torch.zeros(1, 1)
    posterior = Posterior(
        content, IdentityMap(1), theta, content, content, IdentityMap(1), stage, None
    )
    model = SimpleNamespace(warp=warp, prior=torch.full((len(columns),), prior))
    return float(rates(posterior, cast(Model, model))["deformation_rate"])


def sampled_rate(warp: Warp, mean: Tensor, sd: Tensor, prior: float) -> float:
    """The mean of log q(theta) - log p(theta) over draws, by differences instead of formulas."""
    half = half_ranges(warp)
    raw = mean + sd * torch.randn(DRAWS, mean.shape[1], generator=rng(), dtype=torch.float64)
    step = 1e-5
    slope = (warp.constrain(raw + step) - warp.constrain(raw - step)) / (2 * step)
    log_q = -0.5 * ((raw - mean) / sd).square() - sd.log() - (slope / half).log()
    log_p = -0.5 * (warp.constrain(raw) / half / prior).square() - math.log(prior)
    return float((log_q - log_p)[:, has_gaussian_prior(warp)].sum(1).mean())


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("prior", [0.5, 1.0])
def test_rate_is_that_of_samples(name: str, prior: float) -> None:
    """At small spreads the closed form equals Monte Carlo to 0.1 nat, at means away from 0."""
    warp = LIMITED[name]
    signs = torch.randn(1, len(warp.factors), generator=rng(1), dtype=torch.float64).sign()
    mean, sd = signs * half_ranges(warp).clamp(0.3, 1.0), torch.full_like(signs, 0.03)
    rate = closed_rate(warp, mean, sd, prior)
    assert rate == pytest.approx(sampled_rate(warp, mean, sd, prior), abs=0.1)


def test_rate_of_known_posteriors() -> None:
    """The two cases that the rate in raw units had wrong by 5 and by 3 nats."""
    one = torch.ones(1, 6, dtype=torch.float64)
    assert closed_rate(Affine2d(), one, 0.05 * one, 1.0) == pytest.approx(22.0, abs=0.1)
    zero = torch.zeros(1, 16, dtype=torch.float64)
    sd = half_ranges(CosineTime())[None]
    assert closed_rate(CosineTime(), zero, sd, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert closed_rate(CosineTime(), zero, zero + 1, 1.0) > 3


@pytest.mark.parametrize("name", MOVING)
def test_slope_is_that_of_autograd(name: str) -> None:
    """A family's closed form is what differentiation of `constrain` finds, with its gradient."""
    warp = MOVING[name]
    raw = torch.randn(4, len(warp.factors), generator=rng(2), dtype=torch.float64)
    raw *= half_ranges(warp).clamp_max(1.0)
    torch.testing.assert_close(warp.log_slope(raw), Warp.log_slope(warp, raw))
    row = raw[:1].requires_grad_()
    assert gradcheck(lambda raw: Warp.log_slope(warp, raw), row)
    assert gradcheck(warp.log_slope, row)
    assert not Warp.log_slope(warp, raw.detach()).requires_grad


@pytest.mark.parametrize("name", MOVING)
def test_slope_is_finite_everywhere(name: str) -> None:
    """Far outside the box the log derivative and its gradient are finite."""
    warp = MOVING[name]
    raw = torch.tensor([[-1e4], [40.0], [1e4]]).repeat(1, len(warp.factors)).requires_grad_()
    for slope in (warp.log_slope(raw), Warp.log_slope(warp, raw)):
        (gradient,) = torch.autograd.grad(slope.sum(), raw)
        assert torch.isfinite(slope).all() and torch.isfinite(gradient).all()
