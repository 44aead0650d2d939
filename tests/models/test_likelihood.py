"""Likelihoods: closed forms, and the background outside a template."""

from __future__ import annotations

import pytest
import torch

from unwarp.models import VAE, Net
from unwarp.models.likelihood import LIKELIHOODS, Likelihood, LikelihoodKind
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
