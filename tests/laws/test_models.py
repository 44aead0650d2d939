"""Laws of models and recipes, for every registered family, with and without a warp."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp import models
from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.models import Net, Recipe
from unwarp.models.codec import describe, restore
from unwarp.models.latent import Latent
from unwarp.models.store import load, save
from unwarp.training.loop import train
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Rigid2d, Similarity2d, Warp

SMALL = Net("mlp", (32, 16), (16, 32))
WARPS: tuple[Warp, ...] = (
    Identity(),
    Affine2d(),
    Similarity2d(),
    Chain(Displacement2d(3), Affine2d()),
)
MIRRORED = Rigid2d(mirror=True)
SHAPE = (1, 12, 16)


def recipes() -> list[Recipe]:
    """Recipes of each family, with each warp and each encoder; some with a mirror."""
    members = []
    for family in models.families().values():
        for warp in WARPS:
            for encoder in ("staged", "one-stage"):
                options = {"encoder": encoder, "net": SMALL, "crop": 0.8}
                members.append(family(warp=warp, n_content=3, **options))
    mirrored = {"warp": MIRRORED, "n_content": 3, "net": SMALL, "crop": 0.8}
    return [*members, models.AE(**mirrored), models.VAE(**mirrored), models.GAN(**mirrored)]


def name(recipe: Recipe) -> str:
    """Name of a case."""
    return f"{recipe.family}-{recipe.warp.name}-{recipe.encoder}"


@pytest.fixture(params=recipes(), ids=name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """Each recipe in turn."""
    member: Recipe = request.param
    return member


def blobs(n: int, seed: int = 0) -> torch.Tensor:
    """Random pictures (n, 1, 12, 16) of a smooth bright spot, in (0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(n, 2, 1, 1, generator=generator) * 0.6 - 0.3
    width = 0.15 + 0.2 * torch.rand(n, 1, 1, generator=generator)
    down, across = torch.meshgrid(
        torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 16), indexing="ij"
    )
    squares = (across - centre[:, 0]) ** 2 + (down - centre[:, 1]) ** 2
    return torch.exp(-squares / (2 * width**2))[:, None]


def test_shapes(recipe: Recipe) -> None:
    """Embeddings, templates, reconstructions and samples have the documented shapes."""
    model = recipe.build(SHAPE).eval()
    x = blobs(5)
    latent = model.embed(x)
    assert latent.content.shape == (5, 3)
    assert model.template(latent.content).shape == x.shape
    assert model.reconstruct(latent).shape == x.shape
    assert torch.isfinite(model.reconstruct(latent)).all()
    assert model.sample(4, torch.Generator().manual_seed(0)).shape == (4, *SHAPE)


def test_embed_does_not_depend_on_batch(recipe: Recipe) -> None:
    """Embedding twice gives the same bits, and each sample alone the same numbers."""
    model = recipe.build(SHAPE).eval()
    x = blobs(6)
    batch = model.embed(x)
    singles = [model.embed(row[None]) for row in x]
    assert torch.equal(batch.content, model.embed(x).content)
    torch.testing.assert_close(
        batch.content, torch.cat([latent.content for latent in singles]), atol=1e-5, rtol=1e-4
    )
    theta = torch.cat([model.chart.theta(latent.map) for latent in singles])
    torch.testing.assert_close(model.chart.theta(batch.map), theta, atol=1e-5, rtol=1e-4)


def test_template_ignores_the_deformation(recipe: Recipe) -> None:
    """The reconstruction at rest is the template, under another map it is not."""
    model = recipe.build(SHAPE).eval()
    content = torch.randn(3, 3)
    theta = model.warp.constrain(torch.randn(3, len(model.warp.factors)))
    identity = model.warp.map(torch.zeros(3, len(model.warp.factors)))
    torch.testing.assert_close(
        model.reconstruct(Latent(content, identity)), model.template(content), atol=1e-5, rtol=1e-4
    )
    if len(model.warp.factors):
        assert not torch.allclose(
            model.reconstruct(Latent(content, model.chart.map(theta))), model.template(content)
        )


def test_warp_has_no_parameters(recipe: Recipe) -> None:
    """Parameters belong to the encoder, the decoder, the likelihood or the prior."""
    model = recipe.build(SHAPE)
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names <= {"encoder", "decoder", "likelihood", "log_prior"}


def test_parameters_belong_to_players(recipe: Recipe) -> None:
    """Each parameter of a model has a player, and each parameter of a player gets a gradient."""
    model = recipe.build(SHAPE)
    players = recipe.players(model)
    player_parameters = {id(p) for player in players for p in player.module.parameters()}
    assert {id(p) for p in model.parameters()} <= player_parameters
    for player in players:
        terms = player.loss(Batch(blobs(8), torch.arange(8)), 0, torch.Generator().manual_seed(0))
        torch.stack(list(terms.values())).sum().backward()
        assert not [name for name, p in player.module.named_parameters() if p.grad is None]


def test_seed_decides_the_history(recipe: Recipe) -> None:
    """One seed gives the same losses and weights to the last bit, another seed others."""
    data = Dataset(blobs(16))

    def run(seed: int) -> tuple[list[dict[str, float]], torch.Tensor]:
        model = recipe.build(SHAPE, seed=seed)
        history = train(
            model, recipe.players(model), data, steps=12, batch_size=8, seed=seed, device="cpu"
        )
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
        return rows, torch.cat([p.flatten() for p in model.parameters()])

    (rows, weights), (same_rows, same_weights), (other_rows, _) = run(1), run(1), run(2)
    assert rows == same_rows
    assert torch.equal(weights, same_weights)
    assert rows != other_rows


def test_saved_model_is_bit_equal(recipe: Recipe, tmp_path: object) -> None:
    """A model that was saved and loaded reconstructs the same bits, and its recipe is equal."""
    folder = f"{tmp_path}/model"
    model = recipe.build(SHAPE, seed=3)
    train(model, recipe.players(model), Dataset(blobs(16)), steps=3, batch_size=8, device="cpu")
    save(model, recipe, folder)
    copy, copied_recipe, _ = load(folder)
    assert copied_recipe == recipe
    x = blobs(5)
    assert torch.equal(model.reconstruct(model.embed(x)), copy.reconstruct(copy.embed(x)))
    assert restore(describe(recipe)) == recipe


def test_baseline_has_as_many_latents(recipe: Recipe) -> None:
    """The baseline has the latents of both codes, the whole frame, and no pose stages."""
    baseline = recipe.without_warp()
    assert baseline.n_content == recipe.n_content + len(recipe.warp.factors)
    model = baseline.build(SHAPE)
    assert model.window == model.frame
    assert not list(getattr(model.encoder, "rungs", ()))


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_autoencoder_overfits_eight_samples(warp: Warp) -> None:
    """It explains nine tenths of the variance of eight samples after 500 steps."""
    recipe = models.AE(
        warp=warp, n_content=6, net=Net("mlp", (64, 32), (32, 64)), views=0.0, crop=1.0
    )
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, lr=5e-3, warmup=10))
    model, x = recipe.build(SHAPE, seed=0), blobs(8)
    train(model, recipe.players(model), Dataset(x), steps=500, batch_size=8, device="cpu")
    with torch.no_grad():
        error = (model.reconstruct(model.embed(x)) - x).square().mean()
    assert error < 0.1 * x.var()


def test_centring_removes_mean_deformation() -> None:
    """The mean deformation of the training samples is the identity after centring."""
    recipe = models.AE(warp=Affine2d(), n_content=3, net=SMALL)
    model, x = recipe.build(SHAPE, seed=0), blobs(64)
    train(model, recipe.players(model), Dataset(x), steps=30, batch_size=16, device="cpu")
    model.centre(x)
    with torch.no_grad():
        raw_mean = model.warp.theta(model.encode(x).map).mean(0)
        centred_mean = model.chart.theta(model.embed(x).map).mean(0)
    assert raw_mean.abs().max() > 1e-3
    assert centred_mean.abs().max() < 0.1 * raw_mean.abs().max()
