"""The model: centring by clusters of poses, and its hooks in a run."""

from __future__ import annotations

from dataclasses import replace

import torch

from unwarp import AE, Affine2d
from unwarp.models import Net
from unwarp.models.pose_search import PoseSearch
from unwarp.warps import Chain, Displacement2d, Rigid2d, Similarity2d

SMALL = AE(
    warp=Similarity2d(rotation=180, scale=2.0),
    n_content=3,
    start="moments",
    starts=4,
    pose_clusters=2,
    net=Net("mlp", (16,), (16,)),
)


def bars_and_blocks(n: int = 40) -> torch.Tensor:
    """Pictures (n, 1, 20, 20), alternately of a bar and of a block, at random places."""
    generator = torch.Generator().manual_seed(0)
    x, places = torch.zeros(n, 1, 20, 20), torch.randint(3, 7, (n, 2), generator=generator)
    for i, (down, right) in enumerate(places.tolist()):
        height, width = ((2, 12), (6, 6))[i % 2]
        x[i, 0, down : down + height, right : right + width] = 1.0
    return x


@torch.no_grad()
def test_clusters_are_centred_one_by_one() -> None:
    """Mean scales of two classes become equal, and reconstructions do not change."""
    x, model = bars_and_blocks(), SMALL.build((1, 20, 20), seed=1).eval()
    assert isinstance(model.search, PoseSearch)
    model.centre(x)
    latent, raw_theta = model.embed(x), model.warp.theta(model.encode(x).map)
    cluster, theta = model.search.nearest_cluster(latent.content), model.warp.theta(latent.map)
    assert model.search.memberships(latent.content).amax(1).min() > 0.9
    assert len(cluster[::2].unique()) == len(cluster[1::2].unique()) == 1
    assert float((raw_theta[::2, 1].mean() - raw_theta[1::2, 1].mean()).abs()) > 0.1
    torch.testing.assert_close(theta[::2, 1].mean(), theta[1::2, 1].mean(), atol=0.02, rtol=0)
    posterior = model.encode(x)
    x_hat = model.decode_warped(posterior.content, posterior.map)
    torch.testing.assert_close(model.reconstruct(latent), x_hat, atol=1e-5, rtol=1e-5)
    origin = torch.zeros(1, 2)
    torch.testing.assert_close(model.pose(x).push(origin), latent.map.push(origin))


@torch.no_grad()
def test_chains_have_one_anchor() -> None:
    """A warp with a residual is centred as a whole, whatever the clusters."""
    warp = Chain(Displacement2d(2), Affine2d(rotation=180))
    for clusters in (2, 0):
        recipe = replace(SMALL, warp=warp, start="learned", pose_clusters=clusters)
        model = recipe.build((1, 20, 20)).eval()
        model.centre(bars_and_blocks(6))
        assert len(model.anchor_theta) == 1 and model.anchor_theta.isfinite().all()


def test_hooks_are_updates_and_centring() -> None:
    """The search is updated between steps, and the model centred at the end."""
    x, model = bars_and_blocks(8), replace(SMALL, pose_updates=3).build((1, 20, 20))
    hooks = model.training_hooks
    assert hooks.n_updates == 3 and isinstance(model.search, PoseSearch)
    hooks.update(x)
    assert model.search.clusters.isfinite().all() and not model.anchor_theta.any()
    hooks.finish(x)
    assert model.anchor_theta.any()
    assert replace(SMALL, starts=1).build((1, 20, 20)).training_hooks.n_updates == 0


def test_prior_mirrors_half_of_the_samples() -> None:
    """The mirror is drawn with probability 1/2, and costs no rate and no energy."""
    model = replace(SMALL, warp=Similarity2d(mirror=True), starts=1).build((1, 20, 20)).eval()
    _, theta = model.sample_latents(2000, torch.Generator().manual_seed(0))
    mirrors = theta[:, -1]
    assert set(mirrors.tolist()) == {0.0, 1.0} and abs(float(mirrors.mean()) - 0.5) < 0.04
    x = bars_and_blocks(8)
    with torch.no_grad():
        pairs = torch.stack([torch.zeros(8), torch.ones(8)], -1)
        posterior = model.encode(x, angles=pairs)
    assert not posterior.theta[:, -1].any()
    assert (model.warp.theta(posterior.map)[:, -1] == 1).all()


@torch.no_grad()
def test_model_is_traced_whole() -> None:
    """A compiled and an exported model give the tensors of `forward`."""
    recipe = AE(warp=Rigid2d(), n_content=2, net=Net("mlp", (4,), (4,)), refinements=0)
    model, x = recipe.build((1, 8, 8)).eval(), bars_and_blocks(3)[..., ::2, ::2][..., :8, :8]
    expected = model(x)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    exported = torch.export.export(model, (x,)).module()
    for values in (compiled(x), exported(x)):
        torch.testing.assert_close(values, expected)


@torch.no_grad()
def test_forward_agrees_with_embed() -> None:
    """Codes, templates, and reconstructions, also from theta before centring."""
    x, model = bars_and_blocks(), SMALL.build((1, 20, 20), seed=1).eval()
    model.centre(x)
    content, theta, templates, reconstructions = model(x)
    latent = model.embed(x)
    torch.testing.assert_close(content, latent.content)
    torch.testing.assert_close(templates, model.template(content))
    decoded = model.decode_warped(content, model.warp.map(theta))
    torch.testing.assert_close(reconstructions, decoded, atol=1e-5, rtol=1e-5)
