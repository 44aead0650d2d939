"""A picture is aligned onto another by registration of the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.cases.images import CASES
from benchmarks.photos import between

from unwarp import AE, Unwarper
from unwarp.core import Array
from unwarp.estimators.goals import N_TURNS, turns_of
from unwarp.models import Net
from unwarp.warps import CosineTime, Rigid2d, deform, to_matrix

PICTURES = CASES["plain"](seed=0).x[:16].astype(np.float32)[:, None] / 255
RECIPE = AE(warp=Rigid2d(), n_content=2, net=Net("conv", (4,), (8,)))
FAMILY = Rigid2d().bind((28, 28))


def fit(X: Array, **arguments: Any) -> Unwarper:
    """A model that hardly learned."""
    options: dict[str, Any] = {"max_steps": 3, "n_clusters": 2, "device": "cpu"} | arguments
    return Unwarper(recipe=RECIPE, **options).fit(X)


def second_views(x: Array) -> tuple[Array, Array]:
    """Pictures (N, 1, H, W), turned and shifted a little, and the maps (N, 3, 3) in pixels."""
    maps = FAMILY.sample(len(x), torch.Generator().manual_seed(0), 0.1)
    moving = deform(torch.from_numpy(x), maps).numpy()
    return moving, to_matrix(maps, x.shape[2:], "pixel").numpy()


@pytest.fixture(scope="module")
def model() -> Unwarper:
    """A model without a refinement of single pictures."""
    return fit(PICTURES, refine="none")


def error(model: Unwarper) -> float:
    """Greatest error in pixels of the map from pictures to their second views."""
    views, truth = second_views(PICTURES[:4])
    points = np.array([[10.0, 10, 1], [17, 10, 1], [13, 17, 1]]).T
    return float(np.abs((between(model, PICTURES[:4], views) - truth) @ points).max())


def test_pairs_are_registered(model: Unwarper) -> None:
    """The map between pictures is exact to a fifth of a pixel, unless that is not wanted."""
    before = error(model)
    model.set_params(refine="auto")
    assert error(model) < 0.2 < 0.8 < before
    model.set_params(refine="none")


def test_strangers_keep_their_product(model: Unwarper) -> None:
    """A picture that does not resemble the other is aligned by the poses of both."""
    noise = np.random.default_rng(0).random((4, 1, 28, 28), np.float32)
    by_poses = model.align(noise, to=PICTURES[0])
    model.set_params(refine="auto")
    assert np.allclose(model.align(noise, to=PICTURES[0]), by_poses, atol=1e-5)
    model.set_params(refine="none")


def test_large_pictures_are_registered() -> None:
    """Pictures of a larger size than the model learned, and than is registered, move alike."""
    large = np.kron(PICTURES[:3], np.ones((1, 1, 12, 12), np.float32))
    views, _ = second_views(large)
    learner = fit(large, working_size=28, refine="gauss-newton")
    inner = (slice(None), slice(None), slice(60, 270), slice(60, 270))
    after = [learner.align(views[i : i + 1], to=large[i]) for i in range(3)]
    errors = [np.abs(x - large)[inner].mean() for x in (views, np.concatenate(after))]
    assert errors[1] < errors[0] / 3


def test_half_turned_pictures_are_found() -> None:
    """Where pictures turn by any angle, the map is right though a pose is far off."""
    family = Rigid2d(180).bind((28, 28))
    recipe = AE(warp=Rigid2d(180), n_content=2, net=Net("conv", (4,), (8,)))
    options: dict[str, Any] = {"n_clusters": 2, "refine": "none", "device": "cpu"}
    learner = Unwarper(recipe=recipe, max_steps=3, **options).fit(PICTURES)
    learner.set_params(refine="auto")
    angles = torch.tensor([0.4, 1.7, 3.0, -2.2])
    maps = family.map(torch.stack([angles, 0 * angles + 0.1, 0 * angles], -1))
    views = deform(torch.from_numpy(PICTURES[:4]), maps).numpy()
    truth = to_matrix(maps, (28, 28), "pixel").numpy()
    points = np.array([[10.0, 10, 1], [17, 10, 1], [13, 17, 1]]).T
    errors = np.abs((between(learner, PICTURES[:4], views) - truth) @ points)
    assert errors.max() < 0.3


def test_turns_need_a_full_circle() -> None:
    """Turns are tried where the family has any angle, and the first is the identity."""
    turns = turns_of(Rigid2d(180).bind((20, 30)))
    assert len(turns) == N_TURNS
    assert torch.allclose(turns.matrix[0], torch.eye(2, 3), atol=1e-6)
    assert len(turns_of(Rigid2d(90).bind((20, 30)))) == 1
    assert len(turns_of(CosineTime().bind((30,)))) == 1
