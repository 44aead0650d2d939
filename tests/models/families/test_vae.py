"""The VAE: closed forms of the bound, weights of its terms, and sources of noise."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from unwarp.core import Batch
from unwarp.errors import ConfigError, DataError
from unwarp.models import VAE, Net, rates
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity

SMALL_NET = Net("mlp", (16,), (16,))
X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def loss_terms(recipe: VAE, step: int = 0, x: torch.Tensor = X) -> dict[str, float]:
    """The loss terms of a new model at a step, as numbers."""
    model = recipe.build(x.shape[1:]).eval()
    terms = recipe.players(model)[0].loss(Batch(x, torch.arange(6)), step, rng())
    return {name: float(value.detach()) for name, value in terms.items()}


def test_loss_is_the_textbook_bound() -> None:
    """Without a warp the terms sum to minus the evidence lower bound."""
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL_NET)
    model = recipe.build((1, 8, 8)).eval()
    posterior = model.encode(X, rng())
    assert posterior.content_log_sd is not None
    probability = model.link(model.decode(posterior.content))
    likelihood = Bernoulli(probability).log_prob(X).flatten(1).sum(1)
    q = Normal(posterior.content_mean, posterior.content_log_sd.exp())
    rate = kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    bound = float((likelihood - rate).mean().detach())
    assert sum(loss_terms(recipe).values()) == pytest.approx(-bound, rel=1e-4)


def test_beta_weighs_the_rates_alone() -> None:
    """Both rates are proportional to beta; the reconstruction does not depend on it."""
    light, heavy = (
        loss_terms(VAE(warp=Affine2d(), n_content=4, net=SMALL_NET, beta=beta))
        for beta in (1.0, 4.0)
    )
    assert light["reconstruction"] == heavy["reconstruction"]
    for name in ("content_rate", "deformation_rate"):
        assert heavy[name] == pytest.approx(4 * light[name], rel=1e-5)


def test_warmup_raises_the_weight() -> None:
    """The weight of the rate rises linearly from 0, then stays."""
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL_NET, rate_warmup=10)
    costs = [loss_terms(recipe, step)["content_rate"] for step in (0, 5, 10, 99)]
    assert costs[0] == 0
    assert costs[1] == pytest.approx(costs[2] / 2)
    assert costs[2] == costs[3]


def test_free_bits_have_no_gradient() -> None:
    """Below the floor the cost is the floor, and no weight has a gradient from it."""
    recipe = VAE(warp=Identity(), n_content=4, net=SMALL_NET, free_bits=50.0)
    assert loss_terms(recipe)["content_rate"] == pytest.approx(4 * 50.0)
    model = recipe.build((1, 8, 8))
    cost = recipe.regularisers(model.encode(X, rng()), model, 0)["content_rate"]
    gradients = torch.autograd.grad(cost, list(model.encoder.parameters()), allow_unused=True)
    assert all(gradient is None or not gradient.any() for gradient in gradients)
    tiny = VAE(warp=Identity(), n_content=4, net=SMALL_NET, free_bits=1e-9)
    none = VAE(warp=Identity(), n_content=4, net=SMALL_NET)
    assert loss_terms(tiny) == pytest.approx(loss_terms(none))


@pytest.mark.parametrize("prior", [0.5, "learned"])
def test_deformation_rate_is_closed_form(prior: float | str) -> None:
    """It is the KL divergence of two Gaussians around the mean map, not the sampled one."""
    recipe = VAE(warp=Affine2d(), n_content=4, net=SMALL_NET, prior=prior)  # type: ignore[arg-type]
    model = recipe.build((1, 8, 8)).eval()
    posterior = model.encode(X, rng())
    assert posterior.theta_log_sd is not None
    q = Normal(posterior.theta, posterior.theta_log_sd.exp())
    exact = kl_divergence(q, Normal(0.0, 0.5)).sum(1)
    rate = rates(posterior, model)["deformation_rate"]
    torch.testing.assert_close(rate, exact, atol=1e-4, rtol=1e-4)
    mean = model.encode(X)
    torch.testing.assert_close(posterior.theta, mean.theta)
    assert not torch.equal(model.warp.theta(posterior.map), model.warp.theta(mean.map))


def test_learned_scales_have_gradients() -> None:
    """A learned prior and a learned sigma are parameters of the loss."""
    recipe = VAE(
        warp=Affine2d(),
        n_content=4,
        net=SMALL_NET,
        prior="learned",
        likelihood="gaussian",
        sigma="learned",
    )
    model = recipe.build((1, 8, 8))
    loss = recipe.players(model)[0].loss(Batch(X, torch.arange(6)), 0, rng())
    torch.stack(list(loss.values())).sum().backward()
    assert model.log_prior.grad is not None
    assert model.log_prior.grad.abs().min() > 0
    assert model.likelihood.log_sigma.grad is not None


def test_noise_enters_the_last_stage_alone() -> None:
    """The last stage and the content are sampled; embeddings are posterior means."""
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL_NET).build((1, 8, 8)).eval()
    assert [rung.head.stochastic for rung in model.encoder.rungs] == [False, False, True]
    assert torch.equal(model.embed(X).content, model.encode(X).content_mean)
    assert not torch.equal(model.encode(X, rng(1)).content, model.encode(X, rng(2)).content)


def test_likelihood_follows_the_domain() -> None:
    """`auto` is Gaussian for series and Bernoulli for pictures."""
    recipe = VAE(warp=Identity(), n_content=2, net=SMALL_NET)
    assert recipe.build((1, 20)).likelihood.kind == "gaussian"
    assert recipe.build((1, 8, 8)).likelihood.kind == "bernoulli"
    terms = loss_terms(recipe, x=torch.randn(6, 1, 20))
    assert torch.isfinite(torch.tensor(list(terms.values()))).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_values_out_of_range_are_refused(likelihood: str) -> None:
    """The message names the range of the likelihood, and one without a range."""
    recipe = VAE(warp=Identity(), n_content=2, net=SMALL_NET, likelihood=likelihood)
    with pytest.raises(DataError, match=r"values in \[0, 1\].*likelihood='gaussian'"):
        loss_terms(recipe, x=3 * X)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"beta": -1}, "beta must be 0 or more"),
        ({"free_bits": -1}, "free_bits must be 0 or more"),
        ({"rate_warmup": -1}, "rate_warmup must be 0 or more"),
        ({"n_content": 0}, "n_content must be a whole number from 1"),
        ({"likelihood": "poisson"}, "auto or one of gaussian, bernoulli, continuous-bernoulli"),
        ({"sigma": 0}, "sigma must be positive, or 'learned'"),
        ({"prior": "wide"}, "prior must be a finite number or learned"),
        (
            {"prior": "learned", "warp": Chain(Displacement2d(3), Affine2d())},
            "not possible with the chain of warps",
        ),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, object], message: str) -> None:
    """The message names the field and its range."""
    with pytest.raises(ConfigError, match=message):
        VAE(**fields)  # type: ignore[arg-type]
