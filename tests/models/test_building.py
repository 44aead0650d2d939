"""From an architecture to a model: weights follow the seed, unsuitable choices are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.weights import weights
from unwarp.core import IMAGES, SERIES
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Net
from unwarp.models.building import build, domain_of, resolve_auto
from unwarp.models.codec import describe, restore
from unwarp.warps import Affine2d, Chain, CosineTime, Displacement2d, Gain, Identity, Warp

SMALL = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (8,), (8,)))


def test_weights_follow_the_seed_alone() -> None:
    """Building a model neither depends on torch's random state nor changes it."""
    torch.manual_seed(5)
    first, random = weights(build(SMALL, (1, 8, 8), seed=1)), torch.rand(3)
    second, other = (weights(build(SMALL, (1, 8, 8), seed=seed)) for seed in (1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), random)


@pytest.mark.parametrize(
    ("warp", "shape", "words"),
    [
        (Identity(), (8,), "fits no domain"),
        (Identity(), (1, 2, 3, 4, 5), "fits no domain"),
        (CosineTime(), (1, 8, 8), "'time' acts on series data"),
        (Affine2d(), (1, 8), "'affine' acts on image data"),
    ],
)
def test_shapes_must_fit_the_warp(warp: Warp, shape: tuple[int, ...], words: str) -> None:
    """The message names the shape."""
    with pytest.raises(ConfigError, match=words):
        domain_of(warp, shape)


def test_auto_is_decided_by_the_domain() -> None:
    """Every `auto` gets a value, and other values do not change."""
    pictures, series = (resolve_auto(VAE(), domain, ()) for domain in (IMAGES, SERIES))
    assert (pictures.likelihood, series.likelihood) == ("bernoulli", "gaussian")
    fixed = VAE(likelihood="gaussian", padding="border", gaps=True)
    assert resolve_auto(fixed, SERIES, ()) == fixed
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        resolve_auto(fixed, IMAGES, ())


def test_outermost_warps_are_predicted_first() -> None:
    """An invertible warp has a learned start and its refinements, a residual one stage."""
    residual = build(AE(warp=Chain(Displacement2d(2), Affine2d()), refinements=2), (1, 8, 8))
    timed = build(AE(warp=Chain(CosineTime(4), Gain()), refinements=0), (1, 20))
    families = [[type(stage.warp) for stage in model.encoder.rungs] for model in (residual, timed)]
    assert families == [[Affine2d, Affine2d, Affine2d, Displacement2d], [Gain, CosineTime]]


def test_huge_models_are_not_allocated() -> None:
    """Too many weights are refused before memory is taken, for small and large samples."""
    net = Net("mlp", (60_000,) * 4, (8,))
    for recipe, shape in ((AE(net=net), (1, 8, 8)), (AE(net=Net("mlp")), (1, 90_000, 90_000))):
        with pytest.raises(ConfigError, match="more than 536,870,912 weights; lower"):
            recipe.build(shape)


@pytest.mark.parametrize("shape", [None, 8, "188", (), (1, 0, 8), (1, 8.0, 8), (True, 8, 8)])
def test_other_shapes_are_refused(shape: Any) -> None:
    """A shape is a tuple of positive whole numbers, and a seed a whole number."""
    with pytest.raises(ConfigError, match=r"^shape=.* is not allowed; give "):
        AE().build(shape)
    for seed in (-1, 1.5, None, True):
        with pytest.raises(ConfigError, match=rf"^seed={seed} is not allowed; give "):
            AE().build((1, 8, 8), seed=seed)  # type: ignore[arg-type]


def test_stages_predict_no_mirror() -> None:
    """The mirror is a column of the model's warp and of no stage, also in a chain."""
    for warp in (Affine2d(mirror=True), Chain(Displacement2d(2), Affine2d(mirror=True))):
        model = build(replace(SMALL, warp=warp), (1, 8, 8))
        stages = list(model.encoder.rungs)
        assert model.warp.factors[-1].discrete and model.encoder.has_mirror
        assert not any(factor.discrete for stage in stages for factor in stage.warp.factors)


def test_mirrored_models_update_clusters() -> None:
    """Pose clusters are updated in the training of a model with a mirror, unless a number says."""
    counts = [
        build(replace(SMALL, warp=warp, **fields), (1, 8, 8)).search.n_updates
        for warp, fields in (
            (Affine2d(), {}),
            (Affine2d(rotation=180), {}),
            (Affine2d(mirror=True), {}),
            (Affine2d(mirror=True), {"pose_updates": 0}),
        )
    ]
    assert counts == [0, 0, 8, 0]


def test_pose_stages_see_small_pictures() -> None:
    """Pictures are averaged down for pose stages alone, and a record without the field is full."""
    recipe = AE(warp=Affine2d(), net=Net("mlp", (8,), (8,)), pose_size=8)
    encoder = recipe.build((1, 20, 10)).encoder
    assert {stage.window.size for stage in encoder.rungs} == {(8, 4)}
    assert encoder.window.size == (20, 10)
    sizes = {stage.window.size for stage in recipe.build((1, 8, 8)).encoder.rungs}
    assert sizes == {(8, 8)}
    record = describe(recipe)
    del record["pose_size"]
    assert restore(record).pose_size is None
    assert restore(describe(recipe)) == recipe
