"""Likelihoods: closed forms, and what lies beyond a template."""

from __future__ import annotations

import pytest
import torch

from unwarp.models import VAE, Net
from unwarp.models.likelihood import KINDS, Likelihood, LikelihoodKind
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_warp_moves_log_odds_and_the_background_beyond_a_template_is_empty() -> None:
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL, crop=0.5).build((1, 16, 16)).eval()
    still = model.warp.map(torch.zeros(2, 6))
    seen = model.decode_warped(torch.randn(2, 4, generator=draw()), still).detach()
    inside = seen[..., 4:12, 4:12]
    assert float(seen.amin()) == pytest.approx(float(torch.sigmoid(torch.tensor(-8.0))), rel=1e-4)
    assert float(inside.amin()) > 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_sum_over_features(kind: LikelihoodKind) -> None:
    """Two samples side by side cost the sum of their nats; values not drawn cost more."""
    likelihood = Likelihood(kind, 0.5)
    x = torch.rand(4, 1, 6, generator=draw()).round()
    x_hat = 0.1 + 0.8 * x
    twice = likelihood(torch.cat([x_hat, x_hat], 2), torch.cat([x, x], 2))
    torch.testing.assert_close(twice, 2 * likelihood(x_hat, x))
    assert bool((likelihood(x_hat, 1 - x) > likelihood(x_hat, x)).all())


def test_gaussians_agree_with_torch() -> None:
    """A sigma that is learned is a parameter, a fixed one is none."""
    x_hat, x = torch.randn(2, 4, 1, 6, generator=draw()).unbind()
    expected = -torch.distributions.Normal(x_hat, 0.7).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(Likelihood("gaussian", 0.7)(x_hat, x), expected)
    counts = [len(list(Likelihood("gaussian", sigma).parameters())) for sigma in (0.7, "learned")]
    assert counts == [0, 1]
