"""Which recipe suits which data: recipes that were measured, and what `auto` takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unwarp import models, warps
from unwarp.models import AE, Recipe
from unwarp.types import ConfigError
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity, Padding, Warp

DIGITS = AE(
    warp=Chain(Displacement2d(5), Affine2d()),
    n_content=12,
    start="centroid",
    crop=0.7,
    prior=2.0,
    views=0.0,
)
"""Pictures of one light object on a dark background, somewhere in the frame: Affine MNIST."""


def suited(x: Tensor, recipe: Any = None, warp: Any = "auto", n_content: int | None = None) -> Recipe:
    """The recipe for samples `x` (N, C, H, W) or (N, C, T): what was asked for, else what suits them.

    Args:
        x: Training samples.
        recipe: A `Recipe`, the name of a family, or None for an autoencoder.
        warp: A `Warp`, a name, or `auto`: the recipe's own, affine for images where a family was named, none for series.
        n_content: Size of the content code; None for the recipe's.

    Raises:
        ConfigError: Not a recipe or a warp, an unknown name, or a warp that does not act on such samples.
    """
    chosen = models.named(recipe) if isinstance(recipe, str) else recipe or AE()
    if not isinstance(chosen, Recipe):
        raise ConfigError(f"recipe={recipe!r} is neither a Recipe nor one of {', '.join(models.families())}")
    found = warps.named(warp) if isinstance(warp, str) and warp != "auto" else warp
    if found == "auto":
        found = _natural(chosen, isinstance(recipe, Recipe), "image" if x.ndim == 4 else "series")
    if not isinstance(found, Warp):
        raise ConfigError(f"warp={warp!r} is neither a Warp nor a name; see unwarp.warps")
    size = chosen.n_content if n_content is None else n_content
    padding = _background(x) if chosen.padding == "auto" else chosen.padding
    return replace(chosen, warp=found, n_content=int(size), padding=padding)


def _natural(recipe: Recipe, own: bool, kind: str) -> Warp:
    """What `auto` takes for data of a kind, from a recipe that is the user's `own` or a family's default."""
    warp = recipe.warp if own or kind == "series" else AE().warp
    if warp.kind in ("auto", kind):
        return warp
    if not own or warp == AE().warp:
        return Identity()
    raise ConfigError(f"the recipe's warp {warp.name!r} acts on {warp.kind} data, X holds {kind} data")


def _background(x: Tensor) -> Padding:
    """Zeros beyond pictures whose rim is dark, else the rim itself."""
    if x.ndim != 4:
        return "zeros"
    rim = torch.cat([x[..., 0, :], x[..., -1, :], x[..., :, 0], x[..., :, -1]], -1)
    return "zeros" if float(rim.mean()) < 0.05 else "border"
