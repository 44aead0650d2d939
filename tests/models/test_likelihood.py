"""Likelihoods: closed forms, and the background outside a template."""

from __future__ import annotations

import pytest
import torch

from unwarp.errors import ConfigError
from unwarp.models import VAE, Net
from unwarp.models.likelihood import (
    LIKELIHOODS,
    Likelihood,
    LikelihoodKind,
    LogOddsLink,
    check_likelihood,
    check_standard_deviation,
)
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))


def generator_of(seed: int = 0) -> torch.Generator:
    """A generator of random numbers with a seed."""
    return torch.Generator().manual_seed(seed)


def test_log_odds_outside_window_are_dark() -> None:
    """The frame outside a template has the probability of the background, the template has not."""
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL, crop=0.5).build((1, 16, 16)).eval()
    identity = model.warp.map(torch.zeros(2, 6))
    content = torch.randn(2, 4, generator=generator_of())
    x_hat = model.decode_warped(content, identity).detach()
    inside = x_hat[..., 4:12, 4:12]
    background = float(torch.sigmoid(torch.tensor(-8.0)))
    assert float(x_hat.amin()) == pytest.approx(background, rel=1e-4)
    assert float(inside.amin()) > 0.02


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_likelihoods_sum_over_features(kind: LikelihoodKind) -> None:
    """Two samples side by side cost the sum of their nats; opposite values cost more."""
    likelihood = Likelihood(kind, 0.5)
    x = torch.rand(4, 1, 6, generator=generator_of()).round()
    x_hat = 0.1 + 0.8 * x
    double = likelihood(torch.cat([x_hat, x_hat], 2), torch.cat([x, x], 2))
    torch.testing.assert_close(double, 2 * likelihood(x_hat, x))
    assert bool((likelihood(x_hat, 1 - x) > likelihood(x_hat, x)).all())


def test_gaussians_agree_with_torch() -> None:
    """The formula is torch's; a learned sigma is a parameter, a fixed one is none."""
    x_hat, x = torch.randn(2, 4, 1, 6, generator=generator_of()).unbind()
    expected = -torch.distributions.Normal(x_hat, 0.7).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(Likelihood("gaussian", 0.7)(x_hat, x), expected)
    counts = [len(list(Likelihood("gaussian", sigma).parameters())) for sigma in (0.7, "learned")]
    assert counts == [0, 1]


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_only_gaussians_learn_their_sigma(kind: LikelihoodKind) -> None:
    """A learned sigma begins at 0.3, is the parameter of a Gaussian, and is stored with it."""
    likelihood = Likelihood(kind, "learned")
    assert float(likelihood.sigma.detach()) == pytest.approx(0.3)
    assert likelihood.log_sigma.requires_grad == (kind == "gaussian")
    assert ("log_sigma" in likelihood.state_dict()) == (kind == "gaussian")
    assert float(Likelihood(kind, 0.7).sigma) == pytest.approx(0.7)
    assert not Likelihood(kind, 0.7).state_dict()


def test_link_is_dark_without_log_odds() -> None:
    """Log-odds of 0 above the background are a pixel of log-odds -8; the link is increasing."""
    log_odds = torch.linspace(-4, 30, 50, dtype=torch.float64)
    torch.testing.assert_close(LogOddsLink()(log_odds).logit(), log_odds - 8)


@pytest.mark.parametrize(
    ("value", "is_allowed"),
    [
        *((value, True) for value in (0.5, 1e-300, "learned")),
        *((value, False) for value in (0.0, -1.0, float("nan"), "fixed", "")),
    ],
)
def test_sigma_is_positive_or_learned(value: float | str, is_allowed: bool) -> None:
    """Another standard deviation is refused by name and value, an unknown likelihood likewise."""
    with pytest.raises(ConfigError, match=r"likelihood='odd' is unknown; choose auto or one of"):
        check_likelihood("odd", 1.0)
    for check in (
        lambda: check_standard_deviation("sigma", value),  # type: ignore[arg-type]
        lambda: check_likelihood("auto", value),  # type: ignore[arg-type]
        lambda: check_likelihood("bernoulli", value),  # type: ignore[arg-type]
    ):
        if is_allowed:
            check()
        else:
            with pytest.raises(ConfigError, match=f"sigma={value!r} is not allowed"):
                check()
