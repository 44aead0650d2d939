"""Recipe fields from files and from the command line: what they change, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp import AE, VAE, Affine2d, CosineTime
from unwarp.errors import ConfigError, DataError
from unwarp.models import Net
from unwarp.models.codec import describe
from unwarp.planning.defaults import suited
from unwarp.planning.overrides import recipe
from unwarp.planning.presets import DIGITS, SERIES, SHARP
from unwarp.warps import named


def test_nothing_asked_is_nothing() -> None:
    assert recipe("my_pictures") is None


def test_recipe_fields_change_what_the_data_would_get(tmp_path: Path) -> None:
    turned = recipe("my_pictures", None, ["warp.rotation=90"], "image")
    assert turned == describe(AE(warp=Affine2d(rotation=90.0)))
    assert recipe("affine-mnist", None, ["n_content=9"]) == describe(replace(DIGITS, n_content=9))
    (tmp_path / "recipe.yaml").write_text("family: vae\nwarp: displacement+affine\nnet: {kind: conv}\n")
    read = recipe("my_pictures", tmp_path / "recipe.yaml", ["beta=2"], "image")
    assert read == describe(VAE(warp=named("displacement+affine"), net=Net("conv"), beta=2.0))


def test_series_start_from_the_recipes_of_series(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((12, 30)))
    source = str(tmp_path / "x.npy")
    assert recipe(source, None, ["n_content=5"]) == describe(replace(SERIES, n_content=5))
    assert recipe("any", None, ["n_content=5"], "series") == describe(replace(SERIES, n_content=5))
    assert recipe("trace", None, ["views=0.25"]) == describe(replace(SHARP, views=0.25))
    assert recipe("bumps", None, ["warp.sampling_rate=50"]) == describe(
        replace(SERIES, warp=CosineTime(sampling_rate=50.0))
    )
    variational = recipe(source, None, ["family=vae"])
    assert variational == describe(suited(torch.zeros(100, 1, 30), "vae"))


def test_a_source_whose_kind_is_asked_for_must_be_there() -> None:
    with pytest.raises(DataError, match="no_such_place"):
        recipe("no_such_place", None, ["n_content=5"])


@pytest.mark.parametrize(
    "text",
    [
        "x=[1",
        "family=affine",
        "family=gpt",
        "n_content.x=3",
        "optimiser.lr=-1",
        "warp.family=chain",
        "warp=3",
        "net=conv",
    ],
)
def test_a_wrong_recipe_field_is_a_typed_error(text: str) -> None:
    with pytest.raises(ConfigError):
        recipe("my_pictures", None, [text], "image")


def test_a_field_with_parts_names_them() -> None:
    with pytest.raises(ConfigError, match=r"net cannot be 'conv'; set one of its parts, as net.kind=.*channels"):
        recipe("my_pictures", None, ["net=conv"], "image")
