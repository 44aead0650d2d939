"""`PictureSearch` in models: exact poses, kinds as clusters, and after any storage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models.scan.pictures import errors, noisy
from unwarp import AE, VAE, train
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.models.scan.search import PictureSearch, scan_family
from unwarp.models.store import load, save
from unwarp.warps import Affine2d, Chain, Displacement2d, Rigid2d
from unwarp.warps.affine_map import affine_part

WARP = Rigid2d(rotation=180, shift=0.1)
RECIPE = AE(warp=WARP, start="search", n_content=2, net=Net("mlp", (8,), (8,)))


@pytest.mark.parametrize("warp", [WARP, Rigid2d(rotation=20, shift=0.2)])
def test_poses_are_right_in_noise(warp: Rigid2d) -> None:
    """Poses of pictures with as much noise as signal come within half a pixel."""
    kinds, bound = torch.zeros(48, dtype=torch.long), warp.bind((24, 24))
    x, map = noisy(bound, kinds)
    search = PictureSearch((1, 24, 24), bound)
    assert search.fit(x) == ("poses were found by search, with 1 kind of pictures",)
    assert errors(search.eval()(x), map, kinds).median() < 0.5


@pytest.mark.slow
def test_mirrors_are_found() -> None:
    """A warp with a mirror has mirrored pictures of one thing as one kind."""
    warp = Rigid2d(rotation=180, shift=0.1, mirror=True, size=(24, 24))
    x, map = noisy(warp, torch.zeros(32, dtype=torch.long))
    search = PictureSearch((1, 24, 24), warp).eval()
    search.fit(x)
    maps = [affine_part(poses) for poses in (search(x), map)]
    signs = [torch.linalg.det(poses.matrix[..., :2]).sign() for poses in maps]
    assert search.n_kinds == 1
    assert abs(float((signs[0] * signs[1]).mean())) > 0.9


def test_light_does_not_count() -> None:
    """Brightness and contrast of a picture do not change its pose."""
    x, _ = noisy(WARP.bind((24, 24)), torch.zeros(30, dtype=torch.long))
    search = PictureSearch((1, 24, 24), WARP.bind((24, 24))).eval()
    search.fit(x)
    moved = search(3 * x - 1)
    assert torch.allclose(moved.push(torch.eye(2)), search(x).push(torch.eye(2)), atol=1e-3)


def test_search_is_the_identity_at_first() -> None:
    """Before `fit` nothing moves, and a search that is fitted keeps its templates."""
    x, _ = noisy(WARP.bind((24, 24)), torch.zeros(30, dtype=torch.long))
    search = PictureSearch((1, 24, 24), WARP.bind((24, 24)))
    assert len(search(x)) == 30 and not search.n_kinds
    search.fit(x)
    values = search.values.clone()
    assert search.fit(x.flip(-1)) == () and torch.equal(values, search.values)


def test_training_fits_the_search(tmp_path: Path) -> None:
    """`train` makes the templates, no weight moves the poses, and a saved model has them."""
    x, _ = noisy(WARP.bind((24, 24)), torch.zeros(24, dtype=torch.long))
    model = RECIPE.build((1, 24, 24))
    train(model, RECIPE.players(model), Dataset(x.sigmoid()), steps=2, batch_size=8)
    assert not len(list(model.encoder.rungs)) and model.encoder.start.n_kinds  # type: ignore
    save(model, RECIPE, tmp_path / "model")
    again = load(tmp_path / "model")[0]
    pose, other = (m.eval().embed(x).map.push(torch.eye(2)) for m in (model, again))
    assert torch.equal(pose, other)


def test_stages_after_a_search_are_limited() -> None:
    """Only what a search leaves open has stages, of a tenth of a half-width and 10 degrees."""
    affine = AE(warp=Affine2d(), start="search").build((1, 16, 16)).encoder
    warps = [stage.warp for stage in affine.rungs]  # type: ignore[attr-defined]
    assert [(w.rotation, w.shift) for w in warps] == [(10.0, 0.1)] * 2
    closed = AE(warp=Affine2d(), start="search", refinements=0).build((1, 16, 16)).encoder
    assert not len(list(closed.rungs))  # type: ignore[call-overload]
    vae = VAE(warp=WARP, start="search").build((1, 16, 16)).encoder
    assert [stage.warp.rotation for stage in vae.rungs] == [10.0] * 2  # type: ignore


def test_families_that_are_searched() -> None:
    """Rotations and shifts are searched, also at the end of a chain."""
    assert scan_family(Chain(Displacement2d(3), WARP)) == WARP
    assert scan_family(Displacement2d(3)) is None
    with pytest.raises(ConfigError, match="rotations and shifts"):
        AE(warp=Displacement2d(3), start="search").build((1, 16, 16))
