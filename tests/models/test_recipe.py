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
def _clean_registry() -> Iterator[None]:
    """Remove the family of a test from the registry."""
    yield
    Recipe.registry.pop("toy", None)


@pytest.mark.parametrize("family", sorted(models.families()))
def test_baselines_change_the_warp_alone(family: str) -> None:
    """Only the warp, the sizes of the code and the crop differ."""
    recipe = models.families()[family](warp=Affine2d(), n_content=12, crop=0.7)
    baseline = recipe.without_warp()
    names = [f.name for f in fields(recipe)]
    changed = {name for name in names if getattr(recipe, name) != getattr(baseline, name)}
    assert {"warp", "n_content", "crop"} <= changed <= {"warp", "n_content", "crop", "chunks"}
    assert (baseline.warp, baseline.n_content, baseline.crop) == (Identity(), 18, 1.0)


def test_measured_baselines_see_the_frame() -> None:
    """A measured code keeps its size, and the crop falls away here, too."""
    recipe = AE(warp=Affine2d(), content="gradients", n_content=24, n_joint=12, crop=0.7)
    baseline = recipe.without_warp()
    assert (baseline.warp, baseline.crop, baseline.content) == (Identity(), 1.0, "gradients")
    assert (baseline.n_content, baseline.joint().n_content) == (24, 18)


def test_families_register_by_their_name() -> None:
    """A class with a family of its own is in the registry, a class that inherits one is not."""
    toy = type("Toy", (AE,), {"family": "toy"})
    type("Same", (AE,), {})
    assert models.families()["toy"] is toy and models.families()["ae"] is AE
