"""Importance weights: exact values in solvable cases, and the bound that they give."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models import (
    AE,
    TCVAE,
    VAE,
    BetaVAE,
    FactorVAE,
    Model,
    Net,
    Variational,
    log_weights,
    rates,
)
from unwarp.models.families.variational import _deformation_log_ratio
from unwarp.models.likelihood import BACKGROUND_LOG_ODDS
from unwarp.nets.net import output_layer
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Similarity2d, Warp

SMALL_NET = Net("mlp", (16,), (16,))
X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def perturbed_model(recipe: VAE) -> Model:
    """A model with random maps; those of a new model are the identity."""
    model = recipe.build((1, 8, 8), seed=1).eval()
    generator = rng(5)
    with torch.no_grad():
        for value in model.encoder.parameters():
            value += 0.05 * torch.randn(value.shape, generator=generator)
    return model


def test_mean_log_weight_is_the_bound() -> None:
    """The mean over draws equals minus the loss that training minimises."""
    recipe = VAE(warp=Identity(), n_content=3, net=SMALL_NET)
    model = recipe.build((1, 8, 8)).eval()
    bound = log_weights(model, X, 1500, rng()).mean(0)
    player, batch = recipe.players(model)[0], Batch(X, torch.arange(6))
    losses = [
        torch.stack(list(player.loss(batch, 0, rng(seed)).values())).sum().detach()
        for seed in range(200)
    ]
    expected = -torch.stack(losses).mean()
    assert float(bound.mean()) == pytest.approx(float(expected), abs=0.25)


def test_weights_of_exact_posterior() -> None:
    """If posterior and prior agree and the decoder is constant, each weight is log p(x)."""
    model = VAE(warp=Identity(), n_content=2, net=SMALL_NET).build((1, 8, 8)).eval()
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.zero_()
        output_layer(model.decoder).bias.fill_(BACKGROUND_LOG_ODDS)  # type: ignore[union-attr]
        head = output_layer(model.encoder.content.net)  # type: ignore[union-attr, arg-type]
        head.weight.zero_()
        head.bias[:2], head.bias[2:] = 0.0, 1.0  # type: ignore[index]
    weights = log_weights(model, X, 3, rng())
    torch.testing.assert_close(weights, torch.full((3, 6), 64 * math.log(0.5)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("warp", [Affine2d(), Similarity2d()], ids=lambda w: w.name)
@pytest.mark.parametrize("encoder", ["staged", "one-stage"])
def test_density_integrates_to_one(warp: Warp, encoder: str) -> None:
    """The mean of p(theta) / q(theta) under q is 1, up to four standard errors."""
    options: dict[str, Any] = {"encoder": encoder, "prior": 0.3}
    model = perturbed_model(VAE(warp=warp, n_content=2, net=SMALL_NET, **options))
    x = X[:1].expand(40_000, -1, -1, -1)
    ratio = _deformation_log_ratio(model, model.encode(x, rng())).exp()
    error = float(ratio.std()) / 200
    assert float(ratio.mean()) == pytest.approx(1.0, abs=max(4 * error, 0.02))


def test_density_of_one_mirror_is_half() -> None:
    """The search chooses one of two mirrors with the probability 1/2, so the mean is 1/2."""
    recipe = VAE(warp=Similarity2d(mirror=True), n_content=2, net=SMALL_NET, prior=0.3)
    model = perturbed_model(recipe)
    x = X[:1].expand(40_000, -1, -1, -1)
    angles = torch.tensor([[0.0, 1.0]]).expand(len(x), -1)
    ratio = _deformation_log_ratio(model, model.encode(x, rng(), angles)).exp()
    error = float(ratio.std()) / 200
    assert float(ratio.mean()) == pytest.approx(0.5, abs=max(4 * error, 0.02))
    assert torch.isfinite(log_weights(model, X, 3, rng())).all()


def test_closed_rate_is_exact_if_narrow() -> None:
    """For a narrow posterior the closed form equals the sampled KL divergence."""
    model = perturbed_model(VAE(warp=Affine2d(), n_content=2, net=SMALL_NET, prior=0.5))
    with torch.no_grad():
        last_layer = output_layer(list(model.encoder.rungs)[-1].head)  # type: ignore[arg-type]
        last_layer.bias[6:] = -2.0  # type: ignore[index]
    ratios = [_deformation_log_ratio(model, model.encode(X, rng(seed))) for seed in range(400)]
    sampled_rate = -torch.stack(ratios).mean(0)
    closed_rate = rates(model.encode(X), model)["deformation_rate"]
    torch.testing.assert_close(closed_rate.detach(), sampled_rate, atol=0.35, rtol=0.05)


@pytest.mark.parametrize("family", [VAE, BetaVAE, TCVAE, FactorVAE])
def test_isometry_is_a_term_of_each_family(family: type[Variational]) -> None:
    """Its weight multiplies a term that has a gradient for the encoder; 0 leaves it out."""
    terms = []
    for weight in (0.0, 1.0, 2.0):
        recipe = family(warp=Affine2d(), n_content=2, net=SMALL_NET, isometry=weight)
        model = recipe.build((1, 8, 8), seed=1)
        terms.append(recipe.players(model)[-1].loss(Batch(X, torch.arange(6)), 0, rng()))
    assert "isometry" not in terms[0]
    torch.testing.assert_close(terms[2]["isometry"], 2 * terms[1]["isometry"])
    terms[2]["isometry"].backward()
    content = list(model.encoder.content.parameters())  # type: ignore[union-attr]
    assert all(p.grad is not None and bool(p.grad.any()) for p in content[-2:])


def test_columns_without_a_range_cost_nothing() -> None:
    """A shear of at most 0 has no rate, and the log weights are finite."""
    recipe = VAE(warp=Affine2d(shear=0.0), n_content=2, net=SMALL_NET, prior=0.5)
    model = perturbed_model(recipe)
    weights = log_weights(model, X, 3, rng())
    assert torch.isfinite(weights).all()
    stage = model.encode(X).last_stage
    assert stage is not None and stage.gaussian_log_sd is not None
    assert stage.gaussian_log_sd.shape == (6, 5)


def test_chunks_do_not_mix_samples() -> None:
    """Samples have the same weights in chunks of any size."""
    model = VAE(warp=Identity(), n_content=2, net=SMALL_NET).build((1, 8, 8)).eval()
    with torch.no_grad():
        head = output_layer(model.encoder.content.net)  # type: ignore[union-attr, arg-type]
        head.bias[2:] = -20.0  # type: ignore[index]
    chunked, whole = (log_weights(model, X, 3, rng(), chunk_size=size) for size in (4, 6))
    assert chunked.shape == (3, 6)
    torch.testing.assert_close(chunked, whole, atol=8.0, rtol=0)
    assert float(whole.amax() - whole.amin()) > 16


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (AE(warp=Identity(), net=SMALL_NET), "needs a stochastic encoder"),
        (
            VAE(warp=Chain(Displacement2d(3), Affine2d()), net=SMALL_NET),
            "distribution over the whole deformation",
        ),
        (VAE(warp=Affine2d(), start="centroid", net=SMALL_NET), "start='learned'"),
        (
            VAE(warp=Affine2d(), refinements=0, start="centroid", net=SMALL_NET),
            "distribution over the whole deformation",
        ),
    ],
)
def test_models_without_density_are_refused(recipe: AE | VAE, message: str) -> None:
    """The message says which part of the model has no distribution."""
    with pytest.raises(ConfigError, match=message):
        log_weights(recipe.build((1, 8, 8)).eval(), X, 1, rng())
