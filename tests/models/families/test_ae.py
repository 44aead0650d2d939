"""Second views of an autoencoder: how maps must follow a move, and whose content draws whom."""

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
from unwarp.models.encoders import Posterior
from unwarp.models.families.ae import banded_error, disagreement, pyramid
from unwarp.models.starts import angle
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

SMALL = Net("mlp", (32,), (32,))
SERIES = AE(warp=CosineTime(waves=4), n_content=3, refinements=0, passes=(1, 1), net=SMALL)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bumps(n: int, seed: int = 0) -> torch.Tensor:
    """Series (n, 1, 40) with a bump somewhere."""
    places = 0.3 + 0.4 * torch.rand(n, 1, 1, generator=draw(seed))
    return torch.exp(-(((torch.linspace(0, 1, 40) - places) / 0.1) ** 2))


def stirred(recipe: AE) -> Model:
    """A model for `bumps` that sees deformations, untrained."""
    model = recipe.build((1, 40)).eval()
    with torch.no_grad():
        for value in model.encoder.parameters():
            value.add_(0.3 * torch.randn(value.shape, generator=draw(1)))
    return model


def terms(recipe: AE, model: Model, x: torch.Tensor) -> dict[str, float]:
    loss = recipe.players(model)[0].loss(Batch(x, torch.arange(len(x))), 0, draw())
    return {name: float(value.detach()) for name, value in loss.items()}


WARPS = (
    CosineTime(size=(50,)),
    Affine2d(size=(12, 16)),
    Chain(Displacement2d(3), Affine2d()).bind((12, 16)),
)


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_maps_that_follow_the_move_agree_and_others_do_not(warp: Warp) -> None:
    frame = Window.frame(warp.size)
    original, move = warp.sample(4, draw(0)), warp.sample(4, draw(1), 0.3).invertible_part()
    assert disagreement(move.compose(original), original, move, frame).max() < 1e-6
    assert disagreement(original, original, move, frame).min() > 1e-2
    assert disagreement(move.invert().compose(original), original, move, frame).min() > 1e-2


def test_disagreement_is_the_squared_distance_at_every_sample() -> None:
    warp, still = TimeShift(), TimeShift().map(torch.zeros(2, 1))
    late = warp.map(torch.tensor([[0.1], [-0.2]]))
    found = disagreement(late, still, still, Window.frame((30,)))
    torch.testing.assert_close(found, 30 * torch.tensor([0.01, 0.04]))
    aside, rest = translation(torch.tensor([[0.3, 0.4]])), translation(torch.zeros(1, 2))
    torch.testing.assert_close(
        disagreement(aside, rest, rest, Window.frame((5, 6))), torch.tensor([30 * 0.25])
    )


def test_the_term_is_its_weight_times_the_disagreement_of_what_was_found() -> None:
    recipe = replace(SERIES, equivariance=2.0)
    model, x = stirred(recipe), bumps(6)
    views, move = recipe.two_views(model, x, draw())
    assert move is not None
    maps = model.encode(views).map
    expected = move.compose(maps[:6]).pull(Window.frame((40,)).lattice(x))
    gap = (maps[6:].pull(Window.frame((40,)).lattice(x)) - expected).square().sum((1, 2)).mean()
    assert terms(recipe, model, x)["equivariance"] == pytest.approx(
        2 * float(gap.detach()), rel=1e-4
    )
    assert float(gap.detach()) > 1e-3


@pytest.mark.parametrize(
    "recipe", [SERIES, replace(SERIES, warp=Identity(), equivariance=3.0)], ids=["off", "no warp"]
)
def test_without_a_weight_or_a_warp_there_is_no_term(recipe: AE) -> None:
    assert "equivariance" not in terms(recipe, stirred(recipe), bumps(4))


@pytest.mark.parametrize("swap", [False, True])
def test_a_swap_draws_each_view_from_the_content_of_the_other(swap: bool) -> None:
    recipe = replace(SERIES, swap=swap)
    model, x = stirred(recipe), bumps(5)
    views, _ = recipe.two_views(model, x, draw())
    assert torch.equal(views[:5], x)
    posterior = model.encode(views)
    order = [*range(5, 10), *range(5)] if swap else list(range(10))
    drawn = model.decode_warped(posterior.content[order], posterior.map)
    expected = float(model.likelihood(drawn, views).mean().detach())
    assert terms(recipe, model, x)["reconstruction"] == pytest.approx(expected, rel=1e-5)


def test_without_views_a_swap_changes_nothing() -> None:
    recipe = replace(SERIES, views=0.0)
    model, x = stirred(recipe), bumps(5)
    assert terms(recipe, model, x) == terms(replace(recipe, swap=False), model, x)


def test_training_with_the_term_makes_maps_follow_moves_that_were_never_seen() -> None:
    def gap(weight: float) -> float:
        recipe = replace(SERIES, equivariance=weight)
        model = recipe.build((1, 40), seed=0)
        train(
            model,
            recipe.players(model),
            Dataset(bumps(40)),
            steps=50,
            batch_size=10,
            seed=0,
            device="cpu",
        )
        views, move = recipe.two_views(model, bumps(40, seed=1), draw(5))
        with torch.no_grad():
            maps = model.encode(views).map
            assert move is not None
            return float(disagreement(maps[40:], maps[:40], move, model.frame).mean())

    assert gap(100.0) < 0.5 * gap(0.0)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"equivariance": -1.0}, "equivariance must be 0 or more, got -1.0"),
        ({"equivariance": 1.0, "views": 0.0}, "needs second views"),
        ({"bands": -1.0}, "bands must be 0 or more"),
        ({"views": 1.5}, "views must lie in"),
    ],
)
def test_impossible_views_are_refused(choice: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AE(**choice)


def test_bands_weigh_a_small_ripple_like_a_large_wave() -> None:
    t = torch.linspace(0, 1, 128)
    wave, ripple = torch.sin(2 * torch.pi * t), 0.01 * (-1.0) ** torch.arange(128)
    x = (wave + ripple)[None, None]
    without_ripple, without_wave = (
        banded_error(wave[None, None], x),
        banded_error(ripple[None, None], x),
    )
    assert float(without_ripple) > 0.2 * 128
    assert float(without_wave) < 20 * float(without_ripple)
    assert float((ripple**2).mean()) < 1e-3 * float((wave**2).mean())


@pytest.mark.parametrize("shape", [(2, 50), (3, 13, 18)], ids=str)
def test_an_estimate_of_nothing_costs_one_a_feature_in_every_band(shape: tuple[int, ...]) -> None:
    x = torch.randn(400, *shape, generator=draw())
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


def test_bands_add_up_to_the_whole() -> None:
    x = torch.randn(3, 2, 37, generator=draw())
    whole = pyramid(x, 4)[-1]
    for band in reversed(pyramid(x, 4)[:-1]):
        whole = band + torch.nn.functional.interpolate(whole, band.shape[-1:], mode="linear")
    torch.testing.assert_close(whole, x)


def test_the_bands_term_is_weighted_and_kept_out_by_default() -> None:
    model, x = stirred(SERIES), bumps(5)
    one, three = (terms(replace(SERIES, bands=weight), model, x)["bands"] for weight in (1.0, 3.0))
    assert three == pytest.approx(3 * one, rel=1e-5)
    assert "bands" not in terms(SERIES, model, x)


def test_second_views_begin_at_moved_angles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy begins at the angle to which its known move took that of the original."""
    recipe = AE(warp=Affine2d(rotation=180), n_content=3, starts=4, net=Net("mlp", (16,), (16,)))
    model, x = recipe.build((1, 12, 12)).train(), torch.rand(12, 1, 12, 12, generator=draw())
    encode, starts = model.encode, []

    def record(x: torch.Tensor, angles: torch.Tensor) -> Posterior:
        starts.append(angles)
        return encode(x, angles=angles)

    monkeypatch.setattr(model, "encode", record)
    (player,) = recipe.players(model)
    player.loss(Batch(x, torch.arange(12)), 0, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    move = model.warp.sample(12, generator, recipe.views, like=x).invertible_part()
    (angles,) = starts
    assert set((angles[:12] / (math.pi / 2)).round().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    torch.testing.assert_close(angles[12:] - angles[:12], angle(move, 1.0))
