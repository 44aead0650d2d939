"""Losses against the distributions of torch, and sums over features."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from unwarp.errors import DataError
from unwarp.models.losses import (
    AdversarialObjective,
    bernoulli_nll,
    continuous_bernoulli_nll,
    critic_loss,
    gaussian_energy,
    gaussian_log_density,
    gaussian_nll,
    gaussian_rate,
    gaussian_rate_per_column,
    generator_loss,
    gradient_penalty,
    reparametrise,
    squared_error,
    stress,
)


def pictures(shape: tuple[int, ...] = (4, 2, 5, 6)) -> tuple[Tensor, Tensor]:
    """Random probabilities and random samples, both in [0, 1]."""
    return torch.rand(shape).double() * 0.98 + 0.01, torch.rand(shape).double()


@pytest.mark.parametrize("sigma", [0.1, 0.5**0.5, 3.0])
def test_gaussian_agrees_with_torch(sigma: float) -> None:
    """The constant is included."""
    x_hat, x = pictures()
    expected = -Normal(x_hat, sigma).log_prob(x).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian_nll(x_hat, x, sigma), expected)


def test_gaussian_half_variance_is_error() -> None:
    """With a variance of 1/2 the loss is the squared error plus a constant."""
    x_hat, x = pictures()
    shift = gaussian_nll(x_hat, x, 0.5**0.5) - squared_error(x_hat, x)
    torch.testing.assert_close(shift, torch.full((4,), 60 * 0.5 * math.log(math.pi)).double())


def test_bernoulli_agrees_with_torch() -> None:
    """On binary samples it is the log-probability, on grey values the cross-entropy."""
    x_hat, x = pictures()
    expected = -Bernoulli(x_hat).log_prob(x.round()).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(bernoulli_nll(x_hat, x.round()), expected)
    grey = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_nll(x_hat, x), grey)


@pytest.mark.parametrize("p", [1e-3, 0.2, 0.5, 0.4999, 0.97])
def test_continuous_bernoulli_is_density(p: float) -> None:
    """It integrates to 1 on [0, 1], and its log-slope is the log-odds of the parameter."""
    x = torch.linspace(0, 1, 20_001)[:, None]
    density = (-continuous_bernoulli_nll(torch.full_like(x, p), x)).exp()
    assert float(torch.trapezoid(density, x[:, 0])) == pytest.approx(1.0, abs=2e-3)
    slope = (density[-1] / density[0]).log()
    assert float(slope) == pytest.approx(math.log(p / (1 - p)), abs=1e-3)


def test_learned_sigma_is_best_at_the_error() -> None:
    """The loss is least where sigma is the root mean square error, and sigma has a gradient."""
    x_hat, x = pictures()
    log_sigma = torch.tensor(0.3).double().log().requires_grad_()
    rmse = (x_hat - x).square().mean().sqrt()
    (slope,) = torch.autograd.grad(gaussian_nll(x_hat, x, log_sigma.exp()).sum(), log_sigma)
    assert abs(float(slope)) > 1
    nats = [float(gaussian_nll(x_hat, x, ratio * rmse).sum()) for ratio in (0.9, 1.0, 1.1)]
    assert nats[1] < min(nats[0], nats[2])


def test_gaussian_columns_agree_with_torch() -> None:
    """Rates of columns sum to the rate, and rates and densities are those of torch."""
    mean, log_sd = torch.randn(2, 5, 3).double().unbind()
    torch.testing.assert_close(
        gaussian_rate_per_column(mean, log_sd, 0.7).sum(-1), gaussian_rate(mean, log_sd, 0.7)
    )
    scales = torch.tensor([0.5, 1.0, 2.0]).double()
    exact = kl_divergence(Normal(mean, log_sd.exp()), Normal(torch.zeros(3).double(), scales))
    torch.testing.assert_close(gaussian_rate_per_column(mean, log_sd, scales), exact)
    x = torch.randn(5, 3).double()
    expected = Normal(mean, log_sd.exp()).log_prob(x)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian_log_density(x, mean, log_sd), expected)


def test_bernoulli_is_finite_at_certainty() -> None:
    """A certain prediction costs almost nothing if it is right, and a finite amount if not."""
    x = torch.tensor([[0.0, 1.0]])
    assert 0 <= float(bernoulli_nll(x, x)) < 1e-4
    assert 20 < float(bernoulli_nll(1 - x, x)) < math.inf


@pytest.mark.parametrize("x", [torch.tensor([[-0.01, 0.5]]), torch.tensor([[0.5, 255.0]])])
def test_bernoulli_refuses_values_outside(x: Tensor) -> None:
    """The message names the interval [0, 1] and the likelihood for other values."""
    with pytest.raises(DataError, match=r"\[0, 1\].*gaussian"):
        bernoulli_nll(torch.full_like(x, 0.5), x)


@pytest.mark.parametrize(
    "loss", [squared_error, bernoulli_nll, lambda a, b: gaussian_nll(a, b, 0.3)]
)
def test_losses_sum_over_features(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """Twice the features cost twice as much; a repeated sample costs the same again."""
    x_hat, x = pictures()
    value = loss(x_hat, x)
    assert value.shape == (4,)
    double = loss(torch.cat([x_hat, x_hat], -1), torch.cat([x, x], -1))
    torch.testing.assert_close(double, 2 * value)
    torch.testing.assert_close(
        loss(x_hat.repeat(2, 1, 1, 1), x.repeat(2, 1, 1, 1)), value.repeat(2)
    )


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_rate_is_divergence_from_prior(scale: float) -> None:
    """The rate is torch's divergence of the two Gaussians, summed over columns."""
    mean, log_sd = torch.randn(5, 7).double(), torch.randn(5, 7).double()
    expected = kl_divergence(Normal(mean, log_sd.exp()), Normal(0.0, scale)).sum(-1)
    torch.testing.assert_close(gaussian_rate(mean, log_sd, scale), expected)


def test_rate_of_prior_is_zero() -> None:
    """A posterior that equals the prior has no rate."""
    rate = gaussian_rate(torch.zeros(2, 3), torch.full((2, 3), math.log(0.5)), 0.5)
    torch.testing.assert_close(rate, torch.zeros(2))


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_energy_is_negative_log_density(scale: float) -> None:
    """The energy is minus the log-density of the prior, without its constant."""
    mean = torch.randn(5, 3).double()
    prior = Normal(0.0, scale)
    mode = prior.log_prob(torch.tensor(0.0))  # type: ignore[no-untyped-call]
    expected = (mode - prior.log_prob(mean)).sum(-1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gaussian_energy(mean, scale), expected)


def test_reparametrise_has_its_moments() -> None:
    """Samples have the mean and the standard deviation, and one seed gives equal samples."""
    mean, log_sd = torch.full((40_000, 1), 2.0), torch.full((40_000, 1), math.log(0.5))
    sample = reparametrise(mean, log_sd, torch.Generator().manual_seed(1))
    assert float(sample.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(sample.std()) == pytest.approx(0.5, abs=0.02)
    assert torch.equal(sample, reparametrise(mean, log_sd, torch.Generator().manual_seed(1)))


def test_reparametrise_passes_gradients() -> None:
    """The mean and the log standard deviation get the gradients of the formula."""
    mean, log_sd = (torch.zeros(3, 2, requires_grad=True) for _ in range(2))
    sample = reparametrise(mean, log_sd, torch.Generator().manual_seed(1))
    sample.sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(mean.grad, torch.ones(3, 2))
    torch.testing.assert_close(log_sd.grad, sample.detach())


def test_stress_of_isometry_is_zero() -> None:
    """A rotation costs nothing; a scaling costs the squared difference of distances."""
    samples = torch.randn(6, 2, 5)
    rotation, _ = torch.linalg.qr(torch.randn(10, 10))
    torch.testing.assert_close(
        stress(samples.flatten(1) @ rotation, samples), torch.zeros(3), atol=1e-9, rtol=0
    )
    distances = (samples[:3] - samples[3:]).flatten(1).norm(dim=1)
    torch.testing.assert_close(stress(3 * samples.flatten(1), samples), (2 * distances).square())


def test_game_value_at_chance() -> None:
    """A critic that cannot tell real from fake gives the value -log 4 of the game."""
    logits = torch.zeros(5)
    for objective in ("minimax", "non-saturating"):
        torch.testing.assert_close(
            -critic_loss(logits, logits, objective), torch.full((5,), -math.log(4))
        )
    torch.testing.assert_close(generator_loss(logits, "minimax"), torch.full((5,), -math.log(2)))
    torch.testing.assert_close(
        generator_loss(logits, "non-saturating"), torch.full((5,), math.log(2))
    )


def test_adversarial_losses_match_formulas() -> None:
    """One value a sample, equal to the published formulas."""
    real, fake = torch.randn(2, 64, dtype=torch.float64).mul(2).unbind()
    d_real, d_fake = real.sigmoid(), fake.sigmoid()
    torch.testing.assert_close(
        critic_loss(real, fake, "minimax"), -d_real.log() - (1 - d_fake).log()
    )
    torch.testing.assert_close(
        critic_loss(real, fake, "non-saturating"), critic_loss(real, fake, "minimax")
    )
    torch.testing.assert_close(
        critic_loss(real, fake, "hinge"), (1 - real).clamp_min(0) + (1 + fake).clamp_min(0)
    )
    torch.testing.assert_close(generator_loss(fake, "minimax"), (1 - d_fake).log())
    torch.testing.assert_close(generator_loss(fake, "non-saturating"), -d_fake.log())
    torch.testing.assert_close(generator_loss(fake, "hinge"), -fake)


@pytest.mark.parametrize("objective", ["minimax", "non-saturating", "hinge"])
def test_adversarial_losses_stay_finite(
    objective: AdversarialObjective,
) -> None:
    """A certain critic gives finite losses; the minimax generator alone loses its gradient."""
    certain = torch.tensor([-1e4, 1e4])
    assert torch.isfinite(critic_loss(certain, -certain, objective)).all()
    assert torch.isfinite(generator_loss(certain, objective)).all()
    fake = torch.tensor([-30.0], requires_grad=True)
    (slope,) = torch.autograd.grad(generator_loss(fake, objective).sum(), fake)
    assert (abs(float(slope)) < 1e-9) == (objective == "minimax")


def test_optimal_critic_gives_jensen_shannon() -> None:
    """The value of the game is twice the Jensen-Shannon divergence minus log 4."""
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    logits = (p / q).log()
    value = -(p * critic_loss(logits, logits.new_full((3,), -1e3), "minimax")).sum()
    value -= (q * critic_loss(logits.new_full((3,), 1e3), logits, "minimax")).sum()
    middle = (p + q) / 2
    divergence = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    torch.testing.assert_close(value, 2 * divergence - math.log(4))


def test_gradient_penalty_is_squared_slope() -> None:
    """It equals the formula, and so does its gradient by the critic's weights."""
    weight = torch.randn(6, dtype=torch.float64, requires_grad=True)
    x = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    logits = (x.flatten(1).square() @ weight) / 2
    penalty = gradient_penalty(logits, x)
    torch.testing.assert_close(penalty, (x.flatten(1) * weight).square().sum(1))
    (slope,) = torch.autograd.grad(penalty.sum(), weight)
    torch.testing.assert_close(slope, 2 * weight * x.flatten(1).square().sum(0))


def test_gaussian_ignores_missing_values() -> None:
    """A missing value neither adds to the loss nor has a gradient."""
    x, x_hat = torch.randn(2, 6, 3, 20, generator=torch.Generator().manual_seed(0))
    x_hat = x_hat.requires_grad_()
    is_missing = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    nll = gaussian_nll(x_hat, x.masked_fill(is_missing, torch.nan), 0.7)
    log_density = torch.distributions.Normal(x_hat, 0.7).log_prob(x).masked_fill(is_missing, 0)
    torch.testing.assert_close(nll, -log_density.flatten(1).sum(1))
    (slope,) = torch.autograd.grad(nll.sum(), x_hat)
    assert torch.equal(slope == 0, is_missing)


def test_probabilities_stay_off_their_ends() -> None:
    """Probabilities are clamped to [1e-6, 1 - 1e-6], in half precision as well."""
    certain = torch.tensor([[0.0], [1.0], [1e-7], [1 - 1e-7]])
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        wrong = bernoulli_nll(certain.to(dtype), 1 - certain.round())
        torch.testing.assert_close(
            wrong.double(), torch.full((4,), -math.log(1e-6)).double(), atol=0.1, rtol=0
        )
        right = bernoulli_nll(certain.to(dtype), certain.round())
        torch.testing.assert_close(
            right.double(), torch.full((4,), 1e-6).double(), atol=2e-7, rtol=0
        )
    for nll in (bernoulli_nll, continuous_bernoulli_nll):
        assert nll(certain, certain.round()).isfinite().all()


def test_bernoulli_is_exact_in_autocast() -> None:
    """Mixed precision is left; no digit is lost."""
    x_hat, x = (part.float() for part in pictures())
    expected = bernoulli_nll(x_hat, x)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(bernoulli_nll(x_hat, x), expected, rtol=0, atol=0)


def test_bernoulli_derivatives_are_exact() -> None:
    """Values and both derivatives are those of PyTorch, also for grey values and at the ends."""
    generator = torch.Generator().manual_seed(0)
    x = torch.tensor([[0.0, 1.0, 0.3], [1.0, 0.0, 0.8]], dtype=torch.float64)
    p = torch.rand(2, 3, generator=generator, dtype=torch.float64).requires_grad_()
    expected = torch.nn.functional.binary_cross_entropy(p, x, reduction="none").sum(1)
    torch.testing.assert_close(bernoulli_nll(p, x), expected)
    theirs, ours = (torch.autograd.grad(f.sum(), p)[0] for f in (expected, bernoulli_nll(p, x)))
    torch.testing.assert_close(ours, theirs)
    assert torch.autograd.gradgradcheck(lambda q: bernoulli_nll(q, x), p)


def test_lost_probability_gives_nan() -> None:
    """A probability that is NaN makes the sample NaN, and no other one."""
    x_hat, x = (part.float() for part in pictures())
    x_hat = x_hat.clone()
    x_hat.flatten(1)[0, 0] = torch.nan
    nats = bernoulli_nll(x_hat, x)
    assert nats[0].isnan() and nats[1:].isfinite().all()


@pytest.mark.parametrize("nll", [bernoulli_nll, continuous_bernoulli_nll])
def test_ends_of_interval_are_allowed(nll: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Values of exactly 0 and 1 are samples, and so is a batch without rows."""
    x = torch.tensor([[0.0, 1.0]])
    assert nll(torch.full_like(x, 0.5), x).shape == (1,)
    assert nll(torch.zeros(0, 2), torch.zeros(0, 2)).shape == (0,)
    name = "Bernoulli" if nll is bernoulli_nll else "continuous Bernoulli"
    with pytest.raises(DataError, match=f"the {name} likelihood needs .* got 0 to 1.5; scale"):
        nll(x, 1.5 * x)


def test_stress_pairs_first_half_with_second() -> None:
    """Row i is compared with row i + N // 2, and an odd last row with none."""
    codes = torch.tensor([[0.0], [10.0], [3.0], [12.0], [500.0]])
    assert stress(codes, torch.zeros(5, 1)).tolist() == pytest.approx([9.0, 4.0], abs=1e-4)
    assert stress(codes[:1], codes[:1]).shape == (0,)


def test_stress_of_equal_rows_has_gradient() -> None:
    """Two equal rows have distance 0 without infinite gradients."""
    codes = torch.zeros(2, 3, requires_grad=True)
    value = stress(codes, torch.tensor([[0.0], [2.0]]))
    (slope,) = torch.autograd.grad(value.sum(), codes)
    assert float(value.detach()) == pytest.approx(4.0, abs=1e-4) and slope.isfinite().all()


def test_reparametrise_uses_its_noise() -> None:
    """A sample is mean + sd * epsilon with the generator's epsilon, in the dtype of the mean."""
    mean, log_sd = torch.randn(2, 5, 3, dtype=torch.float64).unbind()
    noise = torch.randn(5, 3, generator=torch.Generator().manual_seed(7))
    sample = reparametrise(mean, log_sd, torch.Generator().manual_seed(7))
    torch.testing.assert_close(sample, mean + log_sd.exp() * noise.double())


@pytest.mark.parametrize("loss", [bernoulli_nll, continuous_bernoulli_nll])
def test_step_does_not_look_at_values(
    loss: Callable[[Tensor, Tensor], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no value may be read, one outside [0, 1] makes the loss of its sample NaN."""
    x, x_hat = torch.rand(3, 1, 4), torch.rand(3, 1, 4)
    expected = loss(x_hat, x)
    monkeypatch.setattr("unwarp.models.losses.can_read", lambda x: False)
    assert torch.equal(loss(x_hat, x), expected)
    x[1, 0, 2], x_hat[2, 0, 0] = 1.5, torch.nan
    assert loss(x_hat, x).isnan().tolist() == [False, True, True]
