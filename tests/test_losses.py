"""Losses against the distributions of torch; sums over features."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from unwarp.losses import (
    bernoulli_nll,
    gaussian_energy,
    gaussian_nll,
    gaussian_rate,
    reparametrise,
    squared_error,
    stress,
)
from unwarp.types import DataError


def pictures(shape: tuple[int, ...] = (4, 2, 5, 6)) -> tuple[Tensor, Tensor]:
    return torch.rand(shape).double() * 0.98 + 0.01, torch.rand(shape).double()


@pytest.mark.parametrize("sigma", [0.1, 0.5**0.5, 3.0])
def test_gaussian_agrees_with_torch(sigma: float) -> None:
    x_hat, x = pictures()
    expected = -Normal(x_hat, sigma).log_prob(x).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian_nll(x_hat, x, sigma), expected)


def test_half_variance_gives_the_squared_error_but_for_a_constant() -> None:
    x_hat, x = pictures()
    shift = gaussian_nll(x_hat, x, 0.5**0.5) - squared_error(x_hat, x)
    torch.testing.assert_close(shift, torch.full((4,), 60 * 0.5 * math.log(math.pi)).double())


def test_bernoulli_agrees_with_torch_on_bits_and_on_greys() -> None:
    x_hat, x = pictures()
    expected = -Bernoulli(x_hat).log_prob(x.round()).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(bernoulli_nll(x_hat, x.round()), expected)
    grey = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_nll(x_hat, x), grey)


def test_bernoulli_is_finite_at_certainty_and_worst_when_certainly_wrong() -> None:
    x = torch.tensor([[0.0, 1.0]])
    assert 0 <= float(bernoulli_nll(x, x)) < 1e-4
    assert 20 < float(bernoulli_nll(1 - x, x)) < math.inf


@pytest.mark.parametrize("x", [torch.tensor([[-0.01, 0.5]]), torch.tensor([[0.5, 255.0]])])
def test_bernoulli_refuses_values_outside_the_unit_interval(x: Tensor) -> None:
    with pytest.raises(DataError, match=r"\[0, 1\].*gaussian"):
        bernoulli_nll(torch.full_like(x, 0.5), x)


@pytest.mark.parametrize("loss", [squared_error, bernoulli_nll, lambda a, b: gaussian_nll(a, b, 0.3)])
def test_a_picture_shown_twice_costs_twice_and_a_sample_repeated_the_same(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    x_hat, x = pictures()
    value = loss(x_hat, x)
    assert value.shape == (4,)
    twice = loss(torch.cat([x_hat, x_hat], -1), torch.cat([x, x], -1))
    torch.testing.assert_close(twice, 2 * value)
    torch.testing.assert_close(loss(x_hat.repeat(2, 1, 1, 1), x.repeat(2, 1, 1, 1)), value.repeat(2))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_the_rate_is_the_divergence_from_the_prior(scale: float) -> None:
    mean, log_sd = torch.randn(5, 7).double(), torch.randn(5, 7).double()
    expected = kl_divergence(Normal(mean, log_sd.exp()), Normal(0.0, scale)).sum(-1)
    torch.testing.assert_close(gaussian_rate(mean, log_sd, scale), expected)


def test_the_rate_of_the_prior_itself_is_zero() -> None:
    nothing = gaussian_rate(torch.zeros(2, 3), torch.full((2, 3), math.log(0.5)), 0.5)
    torch.testing.assert_close(nothing, torch.zeros(2))


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_the_energy_is_the_log_density_but_for_its_constant(scale: float) -> None:
    mean = torch.randn(5, 3).double()
    prior = Normal(0.0, scale)
    expected = (prior.log_prob(torch.tensor(0.0)) - prior.log_prob(mean)).sum(-1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian_energy(mean, scale), expected)


def test_draws_have_the_moments_asked_for_and_repeat_by_seed() -> None:
    mean, log_sd = torch.full((40_000, 1), 2.0), torch.full((40_000, 1), math.log(0.5))
    draw = reparametrise(mean, log_sd, torch.Generator().manual_seed(1))
    assert float(draw.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(draw.std()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(draw, reparametrise(mean, log_sd, torch.Generator().manual_seed(1)))


def test_draws_carry_gradients_to_mean_and_spread() -> None:
    mean, log_sd = (torch.zeros(3, 2, requires_grad=True) for _ in range(2))
    draw = reparametrise(mean, log_sd, torch.Generator().manual_seed(1))
    draw.sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(mean.grad, torch.ones(3, 2))
    torch.testing.assert_close(log_sd.grad, draw.detach())


def test_stress_vanishes_for_an_isometry_and_counts_the_difference_else() -> None:
    samples = torch.randn(6, 2, 5)
    turn, _ = torch.linalg.qr(torch.randn(10, 10))
    torch.testing.assert_close(stress(samples.flatten(1) @ turn, samples), torch.zeros(3), atol=1e-9, rtol=0)
    far = (samples[:3] - samples[3:]).flatten(1).norm(dim=1)
    torch.testing.assert_close(stress(3 * samples.flatten(1), samples), (2 * far).square())
