"""Importance weights: exact where the truth is known, and the bound that they give."""

from __future__ import annotations

import math

import pytest
import torch

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Model, Net, log_weights, rates
from unwarp.models.families.variational import _deformation_ratio
from unwarp.models.likelihood import BACKGROUND
from unwarp.nets.net import output_layer
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Similarity2d, Warp

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stirred(recipe: VAE) -> Model:
    """A model whose rungs say something: their output layers start at zero."""
    model = recipe.build((1, 8, 8), seed=1).eval()
    generator = draw(5)
    with torch.no_grad():
        for value in model.encoder.parameters():
            value += 0.05 * torch.randn(value.shape, generator=generator)
    return model


def test_their_mean_is_the_bound_that_training_maximises() -> None:
    recipe = VAE(warp=Identity(), n_content=3, net=SMALL)
    model = recipe.build((1, 8, 8)).eval()
    bound = log_weights(model, X, 1500, draw()).mean(0)
    terms = [
        recipe.players(model)[0].loss(Batch(X, torch.arange(6)), 0, draw(s)) for s in range(200)
    ]
    trained = -torch.stack([torch.stack(list(t.values())).sum().detach() for t in terms]).mean()
    assert float(bound.mean()) == pytest.approx(float(trained), abs=0.25)


def test_a_posterior_that_is_the_prior_and_a_decoder_that_ignores_it_give_the_likelihood_at_every_draw() -> (
    None
):
    model = VAE(warp=Identity(), n_content=2, net=SMALL).build((1, 8, 8)).eval()
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.zero_()
        output_layer(model.decoder).bias.fill_(BACKGROUND)  # type: ignore[union-attr]
        head = output_layer(model.encoder.content.net)  # type: ignore[union-attr, arg-type]
        head.weight.zero_()
        head.bias[:2], head.bias[2:] = 0.0, 1.0  # type: ignore[index]
    weights = log_weights(model, X, 3, draw())
    torch.testing.assert_close(weights, torch.full((3, 6), 64 * math.log(0.5)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("warp", [Affine2d(), Similarity2d()], ids=lambda w: w.name)
@pytest.mark.parametrize("encoder", ["staged", "one-stage"])
def test_the_deformations_density_integrates_to_one(warp: Warp, encoder: str) -> None:
    model = stirred(VAE(warp=warp, n_content=2, net=SMALL, encoder=encoder, prior=0.3))  # type: ignore[arg-type]
    x = X[:1].expand(40_000, -1, -1, -1)
    ratio = _deformation_ratio(model, model.encode(x, draw()))  # type: ignore[arg-type]
    share = ratio.exp()
    error = float(share.std()) / 200
    assert float(share.mean()) == pytest.approx(1.0, abs=max(4 * error, 0.02))


def test_the_closed_rate_is_the_exact_one_where_the_posterior_is_narrow() -> None:
    model = stirred(VAE(warp=Affine2d(), n_content=2, net=SMALL, prior=0.5))
    with torch.no_grad():
        last = output_layer(list(model.encoder.rungs)[-1].head)  # type: ignore[arg-type]
        last.bias[6:] = -2.0  # type: ignore[index]
    exact = -torch.stack(
        [_deformation_ratio(model, model.encode(X, draw(s))) for s in range(400)]
    ).mean(0)
    closed = rates(model.encode(X), model)["deformation_rate"]
    torch.testing.assert_close(closed.detach(), exact, atol=0.35, rtol=0.05)


def test_pieces_do_not_mix_their_samples() -> None:
    model = VAE(warp=Identity(), n_content=2, net=SMALL).build((1, 8, 8)).eval()
    with torch.no_grad():
        output_layer(model.encoder.content.net).bias[2:] = -20.0  # type: ignore[union-attr, arg-type, index]
    pieces, whole = (log_weights(model, X, 3, draw(), size=size) for size in (4, 6))
    assert pieces.shape == (3, 6)
    torch.testing.assert_close(pieces, whole, atol=8.0, rtol=0)
    assert float(whole.amax() - whole.amin()) > 16


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (AE(warp=Identity(), net=SMALL), "needs a stochastic encoder"),
        (
            VAE(warp=Chain(Displacement2d(3), Affine2d()), net=SMALL),
            "distribution over the whole deformation",
        ),
        (VAE(warp=Affine2d(), start="centroid", net=SMALL), "start='learned'"),
        (
            VAE(warp=Affine2d(), refinements=0, start="centroid", net=SMALL),
            "distribution over the whole",
        ),
    ],
)
def test_what_has_no_density_is_refused(recipe: AE | VAE, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        log_weights(recipe.build((1, 8, 8)).eval(), X, 1, draw())
