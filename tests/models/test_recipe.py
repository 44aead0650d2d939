"""Recipes: the baseline of each family, and classes that register themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest

from unwarp import models
from unwarp.models.families.ae import AE
from unwarp.models.recipe import Recipe
from unwarp.warps import Affine2d, Identity


@pytest.fixture(autouse=True)
def _free() -> Iterator[None]:
    """Names of the tests are free again after each."""
    yield
    Recipe.registry.pop("toy", None)


@pytest.mark.parametrize("family", sorted(models.families()))
def test_baselines_change_the_warp_alone(family: str) -> None:
    """Of all fields only the warp, the sizes of the code and the crop differ."""
    recipe = models.families()[family](warp=Affine2d(), n_content=12, crop=0.7)
    plain = recipe.without_warp()
    changed = {f.name for f in fields(recipe) if getattr(recipe, f.name) != getattr(plain, f.name)}
    assert {"warp", "n_content", "crop"} <= changed <= {"warp", "n_content", "crop", "chunks"}
    assert (plain.warp, plain.n_content, plain.crop) == (Identity(), 18, 1.0)


def test_families_register_by_their_name() -> None:
    """A class that gives itself a family is found by it; one that inherits its family is not."""
    toy = type("Toy", (AE,), {"family": "toy"})
    type("Same", (AE,), {})
    assert models.families()["toy"] is toy and models.families()["ae"] is AE
