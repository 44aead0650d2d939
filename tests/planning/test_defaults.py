"""Defaults that follow from the data, and requests that replace them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from unwarp import models
from unwarp.core import Batch, Domain
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Recipe
from unwarp.nets import Net
from unwarp.nets.temporal import TemporalDecoder, TemporalEncoder
from unwarp.planning.defaults import (
    MAX_LENGTH_FOR_REFINEMENT,
    MAX_SERIES_FOR_REFINEMENT,
    adapt_to_series,
    choose_start,
    default_recipe,
    default_steps,
)
from unwarp.planning.presets import DIGITS, RATE_INVARIANT, SERIES, SHARP
from unwarp.warps import Affine2d, CosineTime, Identity, Similarity2d, TimeShift

PICTURES = torch.zeros(6, 1, 12, 12)
WAVES = torch.sin(torch.linspace(0, 12, 40) + torch.arange(6.0)[:, None])[:, None]
MANY_WAVES = WAVES.repeat(MAX_SERIES_FOR_REFINEMENT, 1, 1)


def domain_of(x: torch.Tensor) -> Domain:
    """The domain that follows from the number of axes."""
    domain = Domain.of_axes(x.ndim - 2)
    assert domain is not None
    return domain


def recipe_for(x: torch.Tensor, *arguments: Any, **options: Any) -> Recipe:
    """The default recipe for samples."""
    return default_recipe(x, domain_of(x), *arguments, **options)


def steps_for(x: torch.Tensor, batch_size: int) -> int:
    """The default number of steps for samples."""
    return default_steps(len(x), domain_of(x), batch_size)


def test_series_get_their_preset() -> None:
    """Many series get the measured recipe, with temporal networks."""
    assert recipe_for(MANY_WAVES) == SERIES
    model = recipe_for(MANY_WAVES).build((1, 40))
    assert isinstance(model.decoder, TemporalDecoder)
    rungs = list(model.encoder.rungs)  # type: ignore[arg-type]
    assert [type(rung.head.net) for rung in rungs] == [TemporalEncoder]


def test_few_short_series_get_a_refinement() -> None:
    """Only an autoencoder with a warp is adapted, and only if nobody named a recipe."""
    assert recipe_for(WAVES) == replace(SERIES, refinements=1, swap=True)
    rungs = list(recipe_for(WAVES).build((1, 40)).encoder.rungs)  # type: ignore[arg-type]
    assert len(rungs) == 2
    for recipe in (SHARP, RATE_INVARIANT, SERIES.without_warp(), VAE(warp=SERIES.warp)):
        assert adapt_to_series(recipe, WAVES) == recipe
    assert recipe_for(WAVES, SERIES) == SERIES
    assert recipe_for(torch.zeros(6, 1, MAX_LENGTH_FOR_REFINEMENT + 1)) == SERIES


def test_channels_add_content() -> None:
    """Each channel up to the eighth adds eight columns, unless the user sets the number."""
    five_channels = MANY_WAVES.expand(-1, 5, -1)
    assert recipe_for(five_channels) == replace(SERIES, n_content=8 + 4 * 8)
    assert recipe_for(MANY_WAVES.expand(-1, 20, -1)).n_content == 64
    assert recipe_for(five_channels, "vae").n_content == 40
    assert recipe_for(five_channels, n_content=3).n_content == 3
    assert recipe_for(five_channels, SERIES) == SERIES


def test_steps_suit_the_data() -> None:
    """About 30 passes, within the bounds of the domain and of the recipe."""
    assert steps_for(WAVES, 20) == 400
    assert steps_for(PICTURES, 64) == 600
    assert steps_for(WAVES.repeat(100, 1, 1), 20) == 900
    assert steps_for(WAVES.repeat(10_000, 1, 1), 20) == 4000


def test_pictures_get_an_affine_autoencoder() -> None:
    """Dark pictures are padded with zeros."""
    net = Net(channels=16)
    recipe = AE(prior=0.8, passes=(2, 8), pose_size=48, net=net, padding="zeros")
    assert recipe_for(PICTURES) == recipe


@pytest.mark.parametrize("family", sorted(models.families()))
def test_family_names_get_the_domains_warp(family: str) -> None:
    """A family by name has warp, networks and content of the preset, and finite losses."""
    assert recipe_for(PICTURES, family).warp == Affine2d()
    recipe = recipe_for(WAVES, family)
    assert recipe.family == family
    assert (recipe.warp, recipe.net, recipe.n_content) == (
        SERIES.warp,
        SERIES.net,
        SERIES.n_content,
    )
    model = recipe.build((1, 40))
    for player in recipe.players(model):
        terms = player.loss(Batch(WAVES, torch.arange(6)), 0, torch.Generator().manual_seed(0))
        assert all(torch.isfinite(value) for value in terms.values())


def test_requests_are_kept() -> None:
    """A warp, a size or a recipe that the user names is not replaced."""
    assert recipe_for(WAVES, warp="time-shift").warp == TimeShift()
    assert recipe_for(WAVES, warp="identity").warp == Identity()
    assert recipe_for(MANY_WAVES, n_content=3) == replace(SERIES, n_content=3)
    recipe = VAE(warp=TimeShift(reach=0.1), n_content=2, padding="reflection")
    assert recipe_for(WAVES, recipe) == recipe
    assert recipe_for(PICTURES, DIGITS) == replace(DIGITS, padding="zeros")
    assert recipe_for(PICTURES, DIGITS, Similarity2d()).warp == Similarity2d()
    assert recipe_for(WAVES, VAE()).warp == Identity()


def test_default_warps_follow_the_domain() -> None:
    """The default warp of `AE` becomes that of series; other fields stay."""
    assert recipe_for(WAVES, AE(n_content=5)).warp == SERIES.warp
    assert recipe_for(WAVES, AE(n_content=5)).n_content == 5


@pytest.mark.parametrize(
    ("x", "padding"),
    [(PICTURES, "zeros"), (PICTURES + 0.5, "border"), (WAVES, "border")],
    ids=["dark", "grey", "series"],
)
def test_padding_follows_the_rim(x: torch.Tensor, padding: str) -> None:
    """Zeros beyond a dark rim, the rim itself otherwise, or the padding of the recipe."""
    assert recipe_for(x, AE()).padding == padding
    assert recipe_for(x, AE(padding="reflection")).padding == "reflection"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": 3}, "neither a Recipe nor one of ae"),
        ({"recipe": "vea"}, "unknown; choose one of"),
        ({"warp": 3}, "neither a Warp nor a name"),
        (
            {"recipe": AE(warp=Affine2d(rotation=10))},
            "acts on image data, and X holds series data",
        ),
    ],
)
def test_unsuitable_requests_are_refused(options: dict[str, Any], message: str) -> None:
    """The message says which choices suit the data."""
    with pytest.raises(ConfigError, match=message):
        recipe_for(WAVES, **options)


def test_lags_are_searched_by_default() -> None:
    """A warp of lags is searched, unless the recipe or the user says otherwise."""
    recipe = AE(warp=TimeShift())
    assert choose_start(recipe, "auto", True).start == "search"
    assert choose_start(recipe, "auto", False).start == "learned"
    assert choose_start(recipe, "learned", True).start == "learned"
    assert choose_start(AE(warp=CosineTime()), "auto", True).start == "learned"
    assert choose_start(VAE(warp=TimeShift()), "auto", True).start == "learned"


def test_dark_pictures_start_at_the_centroid() -> None:
    """The background must be dark, the warp have shifts, and nobody else have chosen."""
    dark, bright = (AE(warp=Affine2d(), padding=padding) for padding in ("zeros", "border"))
    assert choose_start(dark, "auto", True).start == "centroid"
    assert choose_start(bright, "auto", True).start == "learned"
    assert choose_start(dark, "auto", False).start == "learned"
    assert choose_start(dark, "learned", True).start == "learned"
    assert choose_start(replace(dark, start="moments"), "auto", True).start == "moments"
    assert choose_start(replace(dark, warp=Affine2d(shift=0)), "auto", True).start == "learned"
