"""The autoencoder: second views, equivariance of maps, and errors of frequency bands."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from unwarp.core import Batch
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import AE, Model, Net
from unwarp.models.families.ae import banded_error, equivariance_error, laplacian_pyramid
from unwarp.models.posterior import Posterior
from unwarp.models.starts import rotation_angle
from unwarp.training.loop import train
from unwarp.warps import (
    Affine2d,
    Chain,
    CosineTime,
    Displacement2d,
    Identity,
    TimeShift,
    Warp,
    Window,
    translation,
)

SMALL_NET = Net("mlp", (32,), (32,))
RECIPE = AE(warp=CosineTime(waves=4), n_content=3, refinements=0, passes=(1, 1), net=SMALL_NET)
"""A recipe for series of 40 samples."""


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def bumps(n: int, seed: int = 0) -> torch.Tensor:
    """Series (n, 1, 40), each with one bump at a random time."""
    times = 0.3 + 0.4 * torch.rand(n, 1, 1, generator=rng(seed))
    return torch.exp(-(((torch.linspace(0, 1, 40) - times) / 0.1) ** 2))


def perturbed_model(recipe: AE) -> Model:
    """An untrained model for `bumps` with random, not identical, maps."""
    model = recipe.build((1, 40)).eval()
    with torch.no_grad():
        for value in model.encoder.parameters():
            value.add_(0.3 * torch.randn(value.shape, generator=rng(1)))
    return model


def loss_terms(recipe: AE, model: Model, x: torch.Tensor) -> dict[str, float]:
    """The loss terms of samples at step 0, as numbers."""
    terms = recipe.players(model)[0].loss(Batch(x, torch.arange(len(x))), 0, rng())
    return {name: float(value.detach()) for name, value in terms.items()}


WARPS = (
    CosineTime(size=(50,)),
    Affine2d(size=(12, 16)),
    Chain(Displacement2d(3), Affine2d()).bind((12, 16)),
)


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_equivariant_maps_have_no_error(warp: Warp) -> None:
    """Maps that follow the augmentation have error 0, all others a greater one."""
    frame = Window.frame(warp.size)
    original = warp.sample(4, rng(0))
    augmentation = warp.sample(4, rng(1), 0.3).invertible_part()
    follower, opposite = (
        augmentation.compose(original),
        augmentation.invert().compose(original),
    )
    assert equivariance_error(follower, original, augmentation, frame).max() < 1e-6
    assert equivariance_error(original, original, augmentation, frame).min() > 1e-2
    assert equivariance_error(opposite, original, augmentation, frame).min() > 1e-2


def test_equivariance_error_of_shifts() -> None:
    """The error of constant shifts is the squared shift times the number of samples."""
    warp, resting = TimeShift(), TimeShift().map(torch.zeros(2, 1))
    delayed = warp.map(torch.tensor([[0.1], [-0.2]]))
    error = equivariance_error(delayed, resting, resting, Window.frame((30,)))
    torch.testing.assert_close(error, 30 * torch.tensor([0.01, 0.04]))
    shifted, centred = translation(torch.tensor([[0.3, 0.4]])), translation(torch.zeros(1, 2))
    torch.testing.assert_close(
        equivariance_error(shifted, centred, centred, Window.frame((5, 6))),
        torch.tensor([30 * 0.25]),
    )


def test_equivariance_term_is_weighted() -> None:
    """The loss term is the weight times the mean distance between expected and encoded maps."""
    recipe = replace(RECIPE, equivariance=2.0)
    model, x = perturbed_model(recipe), bumps(6)
    views, augmentation = recipe.two_views(model, x, rng())
    assert augmentation is not None
    maps, points = model.encode(views).map, Window.frame((40,)).lattice(x)
    expected = augmentation.compose(maps[:6]).pull(points)
    error = (maps[6:].pull(points) - expected).square().sum((1, 2)).mean()
    assert loss_terms(recipe, model, x)["equivariance"] == pytest.approx(
        2 * float(error.detach()), rel=1e-4
    )
    assert float(error.detach()) > 1e-3


@pytest.mark.parametrize(
    "recipe", [RECIPE, replace(RECIPE, warp=Identity(), equivariance=3.0)], ids=["off", "no warp"]
)
def test_equivariance_term_is_optional(recipe: AE) -> None:
    """Without a weight or without a warp there is no such term."""
    assert "equivariance" not in loss_terms(recipe, perturbed_model(recipe), bumps(4))


@pytest.mark.parametrize("swap", [False, True])
def test_swap_exchanges_content(swap: bool) -> None:
    """With a swap each view is decoded from the content of the other view."""
    recipe = replace(RECIPE, swap=swap)
    model, x = perturbed_model(recipe), bumps(5)
    views, _ = recipe.two_views(model, x, rng())
    assert torch.equal(views[:5], x)
    posterior = model.encode(views)
    order = [*range(5, 10), *range(5)] if swap else list(range(10))
    x_hat = model.decode_warped(posterior.content[order], posterior.map)
    expected = float(model.likelihood(x_hat, views).mean().detach())
    reconstruction = loss_terms(recipe, model, x)["reconstruction"]
    assert reconstruction == pytest.approx(expected, rel=1e-5)


def test_swap_needs_views() -> None:
    """Without second views a swap changes nothing."""
    recipe = replace(RECIPE, views=0.0)
    model, x = perturbed_model(recipe), bumps(5)
    assert loss_terms(recipe, model, x) == loss_terms(replace(recipe, swap=False), model, x)


def test_equivariance_generalises() -> None:
    """Training with the term halves the error at least, for new samples and augmentations."""

    def error_after_training(weight: float) -> float:
        """The mean error on new samples."""
        recipe = replace(RECIPE, equivariance=weight)
        model = recipe.build((1, 40), seed=0)
        players, data = recipe.players(model), Dataset(bumps(40))
        train(model, players, data, steps=50, batch_size=10, seed=0, device="cpu")
        views, augmentation = recipe.two_views(model, bumps(40, seed=1), rng(5))
        with torch.no_grad():
            maps = model.encode(views).map
            assert augmentation is not None
            error = equivariance_error(maps[40:], maps[:40], augmentation, model.frame)
            return float(error.mean())

    assert error_after_training(100.0) < 0.5 * error_after_training(0.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"equivariance": -1.0},
            "equivariance=-1.0 is not allowed; equivariance must",
        ),
        ({"equivariance": 1.0, "views": 0.0}, "needs second views"),
        ({"bands": -1.0}, "bands must be 0 or more"),
        ({"views": 1.5}, r"views=1.5 is not allowed; views must be in \[0, 1\]"),
        ({"prior": "learned"}, "prior='learned' needs a stochastic encoder"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], message: str) -> None:
    """The message names the field and its range."""
    with pytest.raises(ConfigError, match=message):
        AE(**fields)


def test_bands_weigh_ripples_like_waves() -> None:
    """A missing small ripple costs about as much as a missing large wave."""
    t = torch.linspace(0, 1, 128)
    wave, ripple = torch.sin(2 * torch.pi * t), 0.01 * (-1.0) ** torch.arange(128)
    x = (wave + ripple)[None, None]
    error_of_wave = banded_error(wave[None, None], x)
    error_of_ripple = banded_error(ripple[None, None], x)
    assert float(error_of_wave) > 0.2 * 128
    assert float(error_of_ripple) < 20 * float(error_of_wave)
    assert float((ripple**2).mean()) < 1e-3 * float((wave**2).mean())


@pytest.mark.parametrize("shape", [(2, 50), (3, 13, 18)], ids=str)
def test_banded_error_of_zeros_is_one(shape: tuple[int, ...]) -> None:
    """A reconstruction by zeros costs one per feature, whatever the scale of the data."""
    x = torch.randn(400, *shape, generator=rng())
    torch.testing.assert_close(
        banded_error(torch.zeros_like(x), x).mean(),
        torch.tensor(float(x[0].numel())),
        rtol=0.02,
        atol=0,
    )
    assert banded_error(x, x).max() == 0
    torch.testing.assert_close(
        banded_error(0 * x, x), banded_error(0 * x, 7 * x), rtol=1e-3, atol=1e-3
    )


def test_pyramid_adds_up() -> None:
    """The levels, enlarged and added from coarse to fine, give the samples back."""
    x = torch.randn(3, 2, 37, generator=rng())
    total = laplacian_pyramid(x, 4)[-1]
    for band in reversed(laplacian_pyramid(x, 4)[:-1]):
        total = band + torch.nn.functional.interpolate(total, band.shape[-1:], mode="linear")
    torch.testing.assert_close(total, x)


def test_bands_term_is_weighted() -> None:
    """The loss term is proportional to its weight, and absent by default."""
    model, x = perturbed_model(RECIPE), bumps(5)
    single, triple = (
        loss_terms(replace(RECIPE, bands=weight), model, x)["bands"] for weight in (1.0, 3.0)
    )
    assert triple == pytest.approx(3 * single, rel=1e-5)
    assert "bands" not in loss_terms(RECIPE, model, x)


def test_isometry_term_is_the_stress() -> None:
    """The loss term is proportional to its weight, pulls on codes alone, and is absent at 0."""
    model, x = perturbed_model(RECIPE), bumps(6)
    single, triple = (
        loss_terms(replace(RECIPE, isometry=weight), model, x)["isometry"] for weight in (1.0, 3.0)
    )
    assert triple == pytest.approx(3 * single, rel=1e-5) and single > 0
    assert "isometry" not in loss_terms(replace(RECIPE, isometry=0.0), model, x)


def test_second_views_start_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pose of a copy starts at the angle of its original plus that of the augmentation."""
    net = Net("mlp", (16,), (16,))
    recipe = AE(warp=Affine2d(rotation=180), n_content=3, starts=4, net=net)
    model, x = recipe.build((1, 12, 12)).train(), torch.rand(12, 1, 12, 12, generator=rng())
    encode, recorded_angles = model.encode, []

    def record(x: torch.Tensor, angles: torch.Tensor) -> Posterior:
        recorded_angles.append(angles)
        return encode(x, angles=angles)

    monkeypatch.setattr(model, "encode", record)
    (player,) = recipe.players(model)
    player.loss(Batch(x, torch.arange(12)), 0, rng(3))
    augmentation = model.warp.sample(12, rng(3), recipe.views, like=x).invertible_part()
    (angles,) = recorded_angles
    assert set((angles[:12] / (math.pi / 2)).round().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    torch.testing.assert_close(angles[12:] - angles[:12], rotation_angle(augmentation, 1.0))
