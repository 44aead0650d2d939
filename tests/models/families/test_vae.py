"""The evidence lower bound: closed forms, the scale of beta, free bits, and where noise enters."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from unwarp.core import Batch
from unwarp.errors import ConfigError, DataError
from unwarp.models import VAE, Net, rates
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def terms(recipe: VAE, step: int = 0, x: torch.Tensor = X) -> dict[str, float]:
    model = recipe.build(x.shape[1:]).eval()
    loss = recipe.players(model)[0].loss(Batch(x, torch.arange(6)), step, draw())
    return {name: float(value.detach()) for name, value in loss.items()}


def test_the_loss_is_the_textbook_bound_without_a_warp() -> None:
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL)
    model = recipe.build((1, 8, 8)).eval()
    q = model.encode(X, draw())
    assert q.content_log_sd is not None
    likelihood = Bernoulli(model.link(model.decode(q.content))).log_prob(X).flatten(1).sum(1)
    rate = kl_divergence(Normal(q.content_mean, q.content_log_sd.exp()), Normal(0.0, 1.0)).sum(1)
    assert sum(terms(recipe).values()) == pytest.approx(
        -float((likelihood - rate).mean().detach()), rel=1e-4
    )


def test_beta_weighs_the_rates_alone() -> None:
    one, four = (
        terms(VAE(warp=Affine2d(), n_content=4, net=SMALL, beta=beta)) for beta in (1.0, 4.0)
    )
    assert one["reconstruction"] == four["reconstruction"]
    for name in ("content_rate", "deformation_rate"):
        assert four[name] == pytest.approx(4 * one[name], rel=1e-5)


def test_warm_up_raises_the_rates_weight_from_nothing() -> None:
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL, rate_warmup=10)
    at = [terms(recipe, step)["content_rate"] for step in (0, 5, 10, 99)]
    assert at[0] == 0
    assert at[1] == pytest.approx(at[2] / 2)
    assert at[2] == at[3]


def test_free_bits_cost_the_floor_and_have_no_gradient_below_it() -> None:
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL, free_bits=50.0)
    assert terms(recipe)["content_rate"] == pytest.approx(4 * 50.0)
    model = recipe.build((1, 8, 8))
    cost = recipe.regularisers(model.encode(X, draw()), model, 0)["content_rate"]
    grads = torch.autograd.grad(cost, list(model.encoder.parameters()), allow_unused=True)
    assert all(g is None or not g.any() for g in grads)
    assert terms(VAE(warp=Identity(), n_content=4, net=SMALL, free_bits=1e-9)) == pytest.approx(
        terms(VAE(warp=Identity(), n_content=4, net=SMALL))
    )


@pytest.mark.parametrize("prior", [0.5, "learned"])
def test_the_deformation_rate_is_its_closed_form(prior: float | str) -> None:
    recipe = VAE(warp=Affine2d(), n_content=4, net=SMALL, prior=prior)  # type: ignore[arg-type]
    model = recipe.build((1, 8, 8)).eval()
    q = model.encode(X, draw())
    assert q.theta_log_sd is not None
    exact = kl_divergence(Normal(q.theta, q.theta_log_sd.exp()), Normal(0.0, 0.5)).sum(1)
    torch.testing.assert_close(rates(q, model)["deformation_rate"], exact, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(q.theta, model.encode(X).theta)
    assert not torch.equal(model.warp.theta(q.map), model.warp.theta(model.encode(X).map))


def test_a_learned_prior_and_a_learned_sigma_are_parameters_with_gradients() -> None:
    recipe = VAE(
        warp=Affine2d(),
        n_content=4,
        net=SMALL,
        prior="learned",
        likelihood="gaussian",
        sigma="learned",
    )
    model = recipe.build((1, 8, 8))
    loss = recipe.players(model)[0].loss(Batch(X, torch.arange(6)), 0, draw())
    torch.stack(list(loss.values())).sum().backward()
    assert model.log_prior.grad is not None
    assert model.log_prior.grad.abs().min() > 0
    assert model.likelihood.log_sigma.grad is not None


def test_only_the_last_rung_and_the_content_are_drawn() -> None:
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL).build((1, 8, 8)).eval()
    assert [rung.head.stochastic for rung in model.encoder.rungs] == [False, False, True]
    assert torch.equal(model.embed(X).content, model.encode(X).content_mean)
    assert not torch.equal(model.encode(X, draw(1)).content, model.encode(X, draw(2)).content)


def test_series_take_a_gaussian_and_pictures_a_bernoulli_likelihood() -> None:
    series = VAE(warp=Identity(), n_content=2, net=SMALL)
    assert series.build((1, 20)).likelihood.kind == "gaussian"
    assert series.build((1, 8, 8)).likelihood.kind == "bernoulli"
    assert torch.isfinite(torch.tensor(list(terms(series, x=torch.randn(6, 1, 20)).values()))).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_values_beyond_the_likelihoods_range_are_refused_with_the_mend(likelihood: str) -> None:
    with pytest.raises(DataError, match=r"values in \[0, 1\].*likelihood='gaussian'"):
        terms(VAE(warp=Identity(), n_content=2, net=SMALL, likelihood=likelihood), x=3 * X)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"beta": -1}, "beta and free_bits must be 0 or more"),
        ({"free_bits": -1}, "free_bits must be 0 or more"),
        ({"rate_warmup": -1}, "rate_warmup must be 0 or more"),
        ({"n_content": 0}, "n_content must be at least 1"),
        ({"likelihood": "poisson"}, "one of auto, gaussian, bernoulli, continuous-bernoulli"),
        ({"sigma": 0}, "sigma must be positive, or 'learned'"),
        ({"prior": "wide"}, "prior must be positive, or 'learned'"),
        (
            {"prior": "learned", "warp": Chain(Displacement2d(3), Affine2d())},
            "needs a warp of one family",
        ),
    ],
)
def test_a_wrong_choice_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        VAE(**wrong)  # type: ignore[arg-type]
