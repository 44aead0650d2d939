"""The search for a pose: the best angle, or the candidate nearest to a cluster of poses."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from unwarp import AE, Affine2d
from unwarp.errors import ConfigError, DataError
from unwarp.models import Net
from unwarp.models.pose_search import PoseSearch, SingleStart
from unwarp.models.poses import MAX_FIRST_PASS_MISFIT_RATIO, nearest_candidates
from unwarp.models.store import load, save
from unwarp.warps import Similarity2d

SHAPE = (1, 12, 12)
SMALL = AE(
    warp=Affine2d(rotation=180),
    n_content=3,
    starts=4,
    pose_clusters=2,
    net=Net("mlp", (16,), (16,)),
)


def pictures(n: int = 12) -> torch.Tensor:
    """Random pictures (n, 1, 12, 12)."""
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(0))


def search_of(recipe: AE) -> PoseSearch:
    """The search of a new model in evaluation mode."""
    search = recipe.build(SHAPE).eval().search
    assert isinstance(search, PoseSearch)
    return search


def test_clusters_survive_a_file(tmp_path: Path) -> None:
    """They are NaN before centring, finite after, and the saved model begins at the same angles."""
    x, model = pictures(), SMALL.build(SHAPE)
    assert isinstance(model.search, PoseSearch)
    assert model.search.clusters.isnan().all() and model.search.clusters.shape == (2, 3)
    model.eval().centre(x)
    assert model.search.clusters.isfinite().all()
    save(model, SMALL, tmp_path / "model")
    copied, recipe, _ = load(tmp_path / "model")
    assert isinstance(copied.search, PoseSearch)
    assert torch.equal(copied.search.clusters, model.search.clusters) and recipe == SMALL
    assert torch.equal(model.search.choose_angles(x), copied.search.choose_angles(x))


def test_choose_without_clusters_is_best() -> None:
    """Without clusters each sample has the angle with the least misfit."""
    x, search = pictures(), search_of(replace(SMALL, pose_clusters=0))
    search.update_clusters(x)
    assert search.n_clusters == 0
    poses = search.first_pass(x)
    best = poses.angles[poses.misfit.argmin(0), torch.arange(len(x))]
    assert torch.equal(search.choose_angles(x), best) and len(best.unique()) > 1


def test_choose_with_clusters_in_training() -> None:
    """Updated clusters guide a run; those of a run without updates do not."""
    x, search = pictures(), search_of(replace(SMALL, pose_updates=1)).train()
    poses, columns = search.first_pass(x), torch.arange(len(x))
    best = poses.angles[poses.misfit.argmin(0), columns]
    assert torch.equal(search.choose_angles(x), best)
    search.update_clusters(x)
    assert search.training and search.clusters.isfinite().all()
    search.clusters[:] = poses.codes[poses.misfit.argmax(0), columns][:2]
    rows, _ = nearest_candidates(
        poses.codes, poses.misfit, search.clusters, MAX_FIRST_PASS_MISFIT_RATIO
    )
    assert torch.equal(search.choose_angles(x), poses.angles[rows, columns])
    assert not torch.equal(search.choose_angles(x), best)
    constant = search_of(SMALL).train()
    constant.load_state_dict(search.state_dict())
    assert torch.equal(constant.choose_angles(x), best)


def test_candidates_are_quarters_from_best() -> None:
    """Four candidates are compared by the reconstruction on the whole frame."""
    x, model = pictures(), SMALL.build(SHAPE).eval()
    assert isinstance(model.search, PoseSearch)
    with torch.no_grad():
        poses, first = model.search.candidates(x), model.search.first_pass(x)
        best = first.angles[first.misfit.argmin(0), torch.arange(len(x))]
        assert torch.equal(poses.angles[0], best)
        for angles, misfit in zip(poses.angles, poses.misfit, strict=True):
            posterior = model.encode(x, angles=angles)
            x_hat = model.decode_warped(posterior.content, posterior.map)
            torch.testing.assert_close(misfit, (x_hat - x).square().flatten(1).sum(1))


def test_search_keeps_the_mode_of_networks() -> None:
    """Networks are in training mode after an update, and choices are deterministic."""
    model = SMALL.build(SHAPE).train()
    assert isinstance(model.search, PoseSearch)
    model.search.update_clusters(pictures())
    assert model.encoder.training and model.decoder.training
    assert torch.equal(
        model.search.choose_angles(pictures()), model.search.choose_angles(pictures())
    )


def test_search_owns_no_networks() -> None:
    """A model's state has each parameter once; a copy of a model searches with its own networks."""
    model = SMALL.build(SHAPE).eval()
    assert [name for name in model.state_dict() if name.startswith("search")] == ["search.clusters"]
    copied = copy.deepcopy(model)
    assert isinstance(copied.search, PoseSearch)
    assert copied.search.networks.encoder is copied.encoder is not model.encoder


def test_single_start_chooses_nothing() -> None:
    """A pose that begins at one angle has no clusters and no updates."""
    recipe = replace(SMALL, starts=1, pose_updates=4)
    search = recipe.build(SHAPE).search
    assert isinstance(search, SingleStart)
    search.update_clusters(pictures())
    assert not search.n_clusters and not search.n_updates and not search.state_dict()
    assert search.choose_angles(pictures()) is None  # type: ignore[func-returns-value]
    assert torch.equal(search.memberships(torch.zeros(4, 3)), torch.ones(4, 1))


def test_search_refuses_another_shape() -> None:
    """The message names the shape that the model was built for."""
    with pytest.raises(DataError, match=r"built for \(1, 12, 12\)"):
        search_of(SMALL).choose_angles(pictures()[..., :-1])


@pytest.mark.parametrize("field", ["pose_clusters", "pose_updates"])
def test_counts_of_poses_are_not_negative(field: str) -> None:
    """A recipe refuses a negative number by the name of its field."""
    with pytest.raises(ConfigError, match=f"{field} must be a whole number from 0"):
        AE(warp=Similarity2d(rotation=180), **{field: -1})  # type: ignore[arg-type]


@pytest.mark.parametrize(("rotation", "n_rough", "n_near"), [(180.0, 8, 8), (45.0, 2, 2)])
def test_search_tries_both_mirrors(rotation: float, n_rough: int, n_near: int) -> None:
    """Each start angle counts twice; near the best, both mirrors have as many candidates."""
    warp = Affine2d(rotation=rotation, mirror=True)
    recipe = replace(SMALL, warp=warp, starts=4 if rotation == 180 else 1)
    model, x = recipe.build(SHAPE, seed=2).eval(), pictures()
    search = model.search
    assert isinstance(search, PoseSearch)
    for parameter in model.decoder.parameters():
        parameter.data.mul_(8)  # templates that differ
    with torch.no_grad():
        rough, near = search.first_pass(x), search.candidates(x)
    assert rough.angles.shape == (n_rough, 12, 2) and near.angles.shape == (n_near, 12, 2)
    assert (rough.angles[..., 1].mean(0) == 0.5).all() and (
        near.angles[..., 1].mean(0) == 0.5
    ).all()
    assert torch.equal(near.angles[0], rough.best())
    posterior = model.encode(x, angles=near.angles[-1])
    x_hat = model.decode_warped(posterior.content, posterior.map)
    torch.testing.assert_close(near.misfit[-1], (x_hat - x).square().flatten(1).sum(1))
    assert torch.equal(model.warp.theta(posterior.map)[:, -1], near.angles[-1, :, 1])


def test_choice_decides_the_mirror() -> None:
    """The map of a sample has the mirror of its chosen start, alone and in a batch."""
    recipe = replace(SMALL, warp=Affine2d(mirror=True), starts="auto", pose_clusters=0)
    model, x = recipe.build(SHAPE, seed=1).eval(), pictures()
    with torch.no_grad():
        angles = model.search.choose_angles(x)
        mirrors = model.chart.theta(model.embed(x).map)[:, -1]
        singles = [model.chart.theta(model.pose(row[None]))[0, -1] for row in x]
    assert angles is not None and torch.equal(angles[:, 1], mirrors) and not angles[:, 0].any()
    assert 0 < mirrors.mean() < 1 and torch.equal(mirrors, torch.stack(singles))


@pytest.mark.parametrize("mirror", [False, True])
def test_search_forms_few_clusters(mirror: bool) -> None:
    """Copies of one picture form one cluster, whatever the greatest number is."""
    recipe = replace(SMALL, warp=Affine2d(rotation=180, mirror=mirror), pose_clusters=5)
    search = search_of(recipe)
    search.update_clusters(pictures()[:1].repeat(12, 1, 1, 1))
    assert search.clusters.shape[0] == 5
    assert torch.equal(search.clusters, search.clusters[:1].expand(5, -1))


def test_search_in_training_forms_all() -> None:
    """While codes still change, an update forms all clusters."""
    search = search_of(replace(SMALL, pose_clusters=5))
    search.train().update_clusters(pictures())
    assert len(search.clusters.unique(dim=0)) == 5


@pytest.mark.parametrize("mirror", [False, True])
def test_pose_survives_centring(mirror: bool) -> None:
    """Centring forms as few clusters as needed; reconstructions and mirrors do not change."""
    starts = 1 if mirror else 4
    warp = Similarity2d(rotation=180, mirror=mirror)
    recipe = replace(SMALL, warp=warp, starts=starts, pose_clusters=6)
    model, x = recipe.build(SHAPE, seed=1).eval(), pictures(3).repeat(4, 1, 1, 1)
    with torch.no_grad():
        for weights in model.encoder.parameters():  # new stages would predict the identity
            weights += 0.1 * torch.rand(weights.shape, generator=torch.Generator().manual_seed(2))
        model.centre(x)
        posterior, latent = model.encode(x), model.embed(x)
        x_hat = model.decode_warped(posterior.content, posterior.map)
        torch.testing.assert_close(model.reconstruct(latent), x_hat, atol=1e-5, rtol=1e-5)
    if mirror:
        mirrors = model.warp.theta(posterior.map)[:, -1]
        assert torch.equal(model.chart.theta(latent.map)[:, -1], mirrors)
        assert not model.anchor_theta[:, -1].any()
    # equal centres have equal anchors
    search = model.search
    assert isinstance(search, PoseSearch)
    first = search.nearest_cluster(search.clusters)
    assert len(first.unique()) < 6
    assert torch.equal(model.anchor_theta, model.anchor_theta[first])
