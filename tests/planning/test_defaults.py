"""What `auto` takes for which data, and that what was asked for is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from unwarp import models
from unwarp.core import Batch, Domain
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Recipe
from unwarp.nets.temporal import TemporalDecoder, TemporalEncoder
from unwarp.planning.defaults import (
    MAX_LENGTH_FOR_REFINEMENT,
    MAX_SERIES_FOR_REFINEMENT,
    adapt_to_series,
    default_recipe,
    default_steps,
)
from unwarp.planning.presets import DIGITS, RATE_INVARIANT, SERIES, SHARP
from unwarp.warps import Affine2d, Identity, Similarity2d, TimeShift

PICTURES = torch.zeros(6, 1, 12, 12)
WAVES = torch.sin(torch.linspace(0, 12, 40) + torch.arange(6.0)[:, None])[:, None]
MANY = WAVES.repeat(MAX_SERIES_FOR_REFINEMENT, 1, 1)


def suited(x: torch.Tensor, *choice: Any, **more: Any) -> Recipe:
    """The default recipe for samples whose domain their axes tell."""
    domain = Domain.of_axes(x.ndim - 2)
    assert domain is not None
    return default_recipe(x, domain, *choice, **more)


def steps(recipe: Recipe, x: torch.Tensor, batch_size: int) -> int:
    """The default number of steps."""
    domain = Domain.of_axes(x.ndim - 2)
    assert domain is not None
    return default_steps(recipe, x, domain, batch_size)


def test_series_get_the_recipe_that_was_measured_for_them() -> None:
    assert suited(MANY) == SERIES
    model = suited(MANY).build((1, 40))
    assert isinstance(model.decoder, TemporalDecoder)
    rungs = list(model.encoder.rungs)  # type: ignore[arg-type]
    assert [type(rung.head.net) for rung in rungs] == [TemporalEncoder]


def test_few_short_series_get_a_second_look() -> None:
    assert suited(WAVES) == replace(SERIES, refinements=1, swap=True)
    rungs = list(suited(WAVES).build((1, 40)).encoder.rungs)  # type: ignore[arg-type]
    assert len(rungs) == 2
    for other in (SHARP, RATE_INVARIANT, SERIES.without_warp(), VAE(warp=SERIES.warp)):
        assert adapt_to_series(other, WAVES) == other
    assert suited(WAVES, SERIES) == SERIES
    assert suited(torch.zeros(6, 1, MAX_LENGTH_FOR_REFINEMENT + 1)) == SERIES


def test_series_of_many_channels_get_more_content_but_for_what_was_asked() -> None:
    many = MANY.expand(-1, 5, -1)
    assert suited(many) == replace(SERIES, n_content=8 + 4 * 8)
    assert suited(MANY.expand(-1, 20, -1)).n_content == 64
    assert suited(many, "vae").n_content == 40
    assert suited(many, n_content=3).n_content == 3 and suited(many, SERIES) == SERIES


def test_steps_suit_the_data() -> None:
    assert steps(SERIES, WAVES, 20) == 400 and steps(SHARP, WAVES, 20) == 800
    assert steps(AE(), PICTURES, 64) == 300
    assert steps(SERIES, WAVES.repeat(100, 1, 1), 20) == 900
    assert steps(SHARP, WAVES.repeat(10_000, 1, 1), 20) == 4000


def test_pictures_get_an_affine_autoencoder() -> None:
    assert suited(PICTURES) == AE(padding="zeros")


@pytest.mark.parametrize("family", sorted(models.families()))
def test_a_familys_name_means_a_model_with_the_warp_of_the_data(family: str) -> None:
    assert suited(PICTURES, family).warp == Affine2d()
    recipe = suited(WAVES, family)
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


def test_what_was_asked_for_is_kept() -> None:
    assert suited(WAVES, warp="time-shift").warp == TimeShift()
    assert suited(WAVES, warp="identity").warp == Identity()
    assert suited(MANY, n_content=3) == replace(SERIES, n_content=3)
    own = VAE(warp=TimeShift(reach=0.1), n_content=2, padding="reflection")
    assert suited(WAVES, own) == own
    assert suited(PICTURES, DIGITS) == replace(DIGITS, padding="zeros")
    assert suited(PICTURES, DIGITS, Similarity2d()).warp == Similarity2d()
    assert suited(WAVES, VAE()).warp == Identity()


def test_a_recipe_that_left_its_warp_as_it_comes_gets_the_datas() -> None:
    assert suited(WAVES, AE(n_content=5)).warp == SERIES.warp
    assert suited(WAVES, AE(n_content=5)).n_content == 5


@pytest.mark.parametrize(
    ("x", "padding"),
    [(PICTURES, "zeros"), (PICTURES + 0.5, "border"), (WAVES, "border")],
    ids=["dark", "grey", "series"],
)
def test_what_lies_beyond_follows_from_the_rim(x: torch.Tensor, padding: str) -> None:
    assert suited(x, AE()).padding == padding
    assert suited(x, AE(padding="reflection")).padding == "reflection"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"recipe": 3}, "neither a Recipe nor one of ae"),
        ({"recipe": "vea"}, "unknown; choose one of"),
        ({"warp": 3}, "neither a Warp nor a name"),
        ({"recipe": AE(warp=Affine2d(rotation=10))}, "acts on image data, X holds series data"),
    ],
)
def test_what_does_not_fit_is_refused(choice: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        suited(WAVES, **choice)
