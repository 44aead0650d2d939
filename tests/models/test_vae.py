"""The evidence lower bound: closed forms, the scale of beta, and where noise enters."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from unwarp.models import VAE, Net
from unwarp.types import Batch, ConfigError
from unwarp.warps import Affine2d, Identity

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def terms(recipe: VAE) -> dict[str, float]:
    model = recipe.build((1, 8, 8)).eval()
    loss = recipe.players(model)[0].loss(Batch(X, torch.arange(6)), 0, draw())
    return {name: float(value.detach()) for name, value in loss.items()}


def test_the_bound_is_the_textbook_one_without_a_warp() -> None:
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL)
    model = recipe.build((1, 8, 8)).eval()
    q = model.encode(X, draw())
    assert q.content_log_sd is not None
    likelihood = Bernoulli(model.decode(q.content)).log_prob(X).flatten(1).sum(1)
    rate = kl_divergence(Normal(q.content_mean, q.content_log_sd.exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(recipe.elbo(model, X, draw()), likelihood - rate, atol=1e-3, rtol=1e-4)
    assert sum(terms(recipe).values()) == pytest.approx(-float((likelihood - rate).mean().detach()), rel=1e-4)


def test_beta_weighs_the_rates_alone() -> None:
    one, four = (terms(VAE(warp=Affine2d(), n_content=4, net=SMALL, beta=beta)) for beta in (1.0, 4.0))
    assert one["reconstruction"] == four["reconstruction"]
    for name in ("content_rate", "deformation_rate"):
        assert four[name] == pytest.approx(4 * one[name], rel=1e-5)


def test_the_deformation_rate_is_its_closed_form() -> None:
    recipe = VAE(warp=Affine2d(), n_content=4, net=SMALL, prior=0.5)
    model = recipe.build((1, 8, 8)).eval()
    q = model.encode(X, draw())
    assert q.theta_log_sd is not None
    exact = kl_divergence(Normal(q.theta, q.theta_log_sd.exp()), Normal(0.0, 0.5)).sum(1)
    torch.testing.assert_close(recipe.rates(q)["deformation_rate"], exact, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(q.theta, model.encode(X).theta)
    assert not torch.equal(model.warp.theta(q.map), model.warp.theta(model.encode(X).map))


def test_only_the_last_rung_and_the_content_are_drawn() -> None:
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL).build((1, 8, 8)).eval()
    assert [rung.head.stochastic for rung in model.encoder.rungs] == [False, False, True]
    assert torch.equal(model.embed(X).content, model.encode(X).content_mean)
    assert not torch.equal(model.encode(X, draw(1)).content, model.encode(X, draw(2)).content)


def test_negative_beta_is_refused() -> None:
    with pytest.raises(ConfigError, match="beta must be 0 or more"):
        VAE(beta=-1)
