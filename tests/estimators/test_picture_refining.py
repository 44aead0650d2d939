"""Pictures are refined where that helps others, and all methods use the refined poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.cases.images import CASES, scatter

from unwarp import AE, Unwarper
from unwarp.errors import ConfigError
from unwarp.estimators.picture_refining import PictureEvidence, noise_share
from unwarp.models import Net
from unwarp.warps import Displacement2d, Rigid2d

CASE = CASES["gain"](seed=0)
RECIPE = AE(warp=Rigid2d(), n_content=2, net=Net("conv", (4,), (8,)))


def fit(X: Any = None, recipe: Any = RECIPE, **arguments: Any) -> Unwarper:
    """A model of a few steps of pictures in several lights, or of the pictures `X`."""
    X = CASE.x if X is None else X
    options = {"max_steps": 3, "n_clusters": 2, "device": "cpu"} | arguments
    return Unwarper(recipe=recipe, **options).fit(X)


@pytest.fixture(scope="module")
def refined() -> Unwarper:
    """A model whose poses are refined; no test changes it."""
    return fit()


def test_poses_of_a_cell_are_refined(refined: Unwarper) -> None:
    """Landmarks coincide to a tenth of a pixel, although the network hardly learned."""
    assert refined.refinement_ is not None
    before, after = scatter(refined.to_matrix(CASE.x), CASE)
    assert after < 0.1 < 2 < before


def test_new_pictures_are_refined(refined: Unwarper) -> None:
    """Pictures that are not in the means become as exact, and points and table agree with them."""
    case = CASES["plain"](seed=1)
    matrices = refined.to_matrix(case.x)
    assert scatter(matrices, case)[1] < 0.2
    centre = np.array([[13.5, 13.5]])
    observed = refined.transform_points(case.x, centre, inverse=True)[:, 0]
    assert np.allclose(observed, matrices[:, :2] @ [13.5, 13.5, 1], atol=1e-3)
    table = refined.transform_params(case.x)
    angle = np.rad2deg(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))
    assert np.allclose(table["rotation_deg"], angle, atol=1e-2)
    alone = np.stack([refined.to_matrix(row[None])[0] for row in case.x[:3]])
    assert np.allclose(alone, matrices[:3], atol=1e-3)


def test_weights_do_not_change(refined: Unwarper) -> None:
    """The refinement moves poses alone; codes and templates are those of the network."""
    plain = fit(refine="none")
    assert plain.refinement_ is None
    assert np.array_equal(plain.transform(CASE.x), refined.transform(CASE.x))
    assert np.array_equal(plain.template(CASE.x), refined.template(CASE.x))


def test_theta_gives_the_reconstruction() -> None:
    """Codes with the full table of refined poses are the reconstruction, aligned or not."""
    X = CASES["plain"](seed=0).x.astype(np.float32)[:, None] / 255
    model = fit(X)
    assert model.refinement_ is not None
    latents = model.transform(X), model.transform_params(X, full=True)
    assert np.allclose(model.inverse_transform(*latents), model.reconstruct(X), atol=0.01)


def test_diverse_pictures_stay() -> None:
    """Pictures without anything in common are not refined, nor is noise."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((40, 1, 4, 4)))
    for x in (
        torch.nn.functional.interpolate(coarse, (16, 16), mode="bicubic"),
        rng.random((40, 16, 16)),
    ):
        assert fit(np.asarray(x)).refinement_ is None


def test_refinements_are_saved(refined: Unwarper, tmp_path: Path) -> None:
    """A loaded model aligns exactly as the saved one."""
    refined.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert np.array_equal(loaded.align(CASE.x), refined.align(CASE.x))


def test_refinements_fit_their_domain() -> None:
    """Series have no Gauss-Newton steps; a warp without affine maps says that it has none."""
    with pytest.raises(ConfigError, match="refine='gauss-newton' moves images"):
        Unwarper(refine="gauss-newton", max_steps=1).fit(np.random.default_rng(0).random((8, 30)))
    recipe = AE(warp=Displacement2d(2), n_content=2, net=Net("conv", (4,), (8,)))
    assert fit(CASE.x[:10], recipe, refine="gauss-newton").refinement_ is None


def test_few_pictures_can_be_refined() -> None:
    """A refinement that is asked for needs no evidence."""
    model = fit(CASE.x[:4], refine="gauss-newton")
    assert model.refinement_ is not None
    assert np.isfinite(model.align(CASE.x[:4])).all()


def test_noise_is_measured() -> None:
    """The share of noise in the variance of smooth pictures is that which was added."""
    generator = torch.Generator().manual_seed(0)
    axis = torch.linspace(-1, 1, 40)
    smooth = torch.exp(-(axis**2 + axis[:, None] ** 2) / 0.2).expand(20, 1, -1, -1)
    noise = smooth.std() * torch.randn(20, 1, 40, 40, generator=generator)
    assert noise_share(smooth) < 0.01
    assert abs(noise_share(smooth + noise) - 0.5) < 0.05


def test_evidence_is_for_better_poses() -> None:
    """Noisy pictures are judged by the remainder, others by errors of second views."""
    clean = PictureEvidence(1, 0.0, 0.1, 0.4, 0.2, 0.0, 1.0, (1.0, 0.5, 2.0, 1.0))
    noisy = PictureEvidence(1, 1.0, 0.9, 0.9, 0.8, 3.0, 0.6, (1.0, 2.0, 2.0, 4.0))
    worse = PictureEvidence(1, 0.0, 0.1, 0.4, 0.2, 9.0, 1.0, (1.0, 0.5, 2.0, 3.0))
    assert clean.supports and noisy.supports and not worse.supports
    same = replace(worse, learned=0.02, refined=0.01)
    assert same.supports and not replace(same, gain=1.0).supports
    assert not replace(same, better=0.7).supports
    assert "0.50 px" in str(clean) and "noisy" in str(noisy)
