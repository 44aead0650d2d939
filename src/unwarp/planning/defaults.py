"""Which recipe suits which data: recipes that were measured, and what `auto` takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unwarp import models, warps
from unwarp.core import DomainName
from unwarp.data.schema import Schema
from unwarp.errors import ConfigError
from unwarp.models import AE, Recipe
from unwarp.planning.presets import SERIES
from unwarp.warps import Chain, Padding, Warp


def timed(schema: Schema, recipe: Recipe) -> tuple[Schema, Recipe]:
    """Both with one sampling rate, so that the columns of time come in seconds: the schema's or, where it has none, the warp's."""
    parts: list[Any] = list(recipe.warp.parts)
    rates = [part.sampling_rate for part in parts if getattr(part, "sampling_rate", None)]
    sampling_rate = schema.clock.sampling_rate or next(iter(rates), None)
    if sampling_rate is None:
        return schema, recipe
    parts = [replace(part, sampling_rate=sampling_rate) if hasattr(part, "sampling_rate") else part for part in parts]
    warp = Chain(*parts) if len(parts) > 1 else parts[0]
    return replace(schema, clock=replace(schema.clock, sampling_rate=sampling_rate)), replace(recipe, warp=warp)


FEW, SHORT = 100, 256
"""So many series do not yet tell what is noise, and of so many samples two looks see about the whole (127 each at a place)."""


def adapted(recipe: Recipe, x: Tensor) -> Recipe:
    """`recipe` for series `x` (N, C, T): more content for more channels, a second look where they are few and short.

    Each channel beyond the first, up to the eighth, brings eight more columns of content. From fewer than `FEW` series of at most
    `SHORT` samples a staged autoencoder with a warp learns a second look at what the first one aligned, and draws each view from
    the content of the other.
    """
    recipe = replace(recipe, n_content=recipe.n_content + 8 * (min(x.shape[1], 8) - 1))
    if not isinstance(recipe, AE) or recipe.encoder == "one-stage" or recipe.net.detail:
        return recipe
    if len(x) >= FEW or x.shape[-1] > SHORT:
        return recipe
    return replace(recipe, refinements=1, swap=True) if recipe.warp.factors and recipe.views else recipe


def enough_steps(recipe: Recipe, x: Tensor, batch_size: int) -> int:
    """Training steps that suit `recipe` and samples `x`: about 30 passes, but 300 at least, 400 for series, 800 for ripples."""
    least = 300 if x.ndim == 4 else 800 if getattr(recipe, "bands", 0.0) else 400
    return int(min(max(30 * len(x) / batch_size, least), 4000))


def suited(x: Tensor, recipe: Any = None, warp: Any = "auto", n_content: int | None = None) -> Recipe:
    """The recipe for samples `x` (N, C, H, W) or (N, C, T): what was asked for, else what suits them.

    Args:
        x: Training samples.
        recipe: A `Recipe`, the name of a family (with the stages and networks of `SERIES`, for series), or None for an
            autoencoder: `SERIES`, for series.
        warp: A `Warp`, a name, or `auto`: the recipe's own; where that is none's choice, affine for images and `SERIES`'s for
            series.
        n_content: Size of the content code; None for the recipe's.

    Raises:
        ConfigError: Not a recipe or a warp, an unknown name, or a warp that does not act on such samples.
    """
    domain: DomainName = "image" if x.ndim == 4 else "series"
    chosen = _default(recipe, domain, x) if recipe is None or isinstance(recipe, str) else recipe
    if not isinstance(chosen, Recipe):
        raise ConfigError(f"recipe={recipe!r} is neither a Recipe nor one of {', '.join(models.families())}")
    found = warps.named(warp) if isinstance(warp, str) and warp != "auto" else warp
    if found == "auto":
        found = _natural(chosen.warp, domain)
    if not isinstance(found, Warp):
        raise ConfigError(f"warp={warp!r} is neither a Warp nor a name; see unwarp.warps")
    size = chosen.n_content if n_content is None else n_content
    padding = _beyond(x) if chosen.padding == "auto" else chosen.padding
    return replace(chosen, warp=found, n_content=int(size), padding=padding)


def kind_of(warp: Any, recipe: Any = None) -> DomainName:
    """What samples a `warp` (or its name), or where it is `auto` that of a recipe, acts on; `auto` where they do not say."""
    found = warps.named(warp) if isinstance(warp, str) and warp != "auto" else warp
    if found == "auto" and isinstance(recipe, Recipe) and recipe.warp != AE().warp:
        found = recipe.warp
    return found.domain if isinstance(found, Warp) else "auto"


def _default(family: str | None, domain: DomainName, x: Tensor) -> Recipe:
    """What a family's name, or none, means for data `x` of a kind."""
    if domain == "image":
        return replace(models.named(family), warp=AE().warp) if family else AE()
    shared = ("warp", "n_content", "refinements", "passes", "padding", "net")
    own = replace(models.named(family), **{name: getattr(SERIES, name) for name in shared}) if family else SERIES
    return adapted(own, x)


def _natural(warp: Warp, domain: DomainName) -> Warp:
    """A recipe's `warp`, or what suits data of a kind where the recipe left it as it comes."""
    if warp.domain in ("auto", domain):
        return warp
    if warp == AE().warp:
        return SERIES.warp
    raise ConfigError(f"the recipe's warp {warp.name!r} acts on {warp.domain} data, X holds {domain} data")


def _beyond(x: Tensor) -> Padding:
    """Zeros beyond pictures whose rim is dark, else the rim itself; the end of series."""
    if x.ndim != 4:
        return "border"
    rim = torch.cat([x[..., 0, :], x[..., -1, :], x[..., :, 0], x[..., :, -1]], -1)
    return "zeros" if float(rim.mean()) < 0.05 else "border"
