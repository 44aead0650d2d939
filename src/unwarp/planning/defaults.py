"""What `auto` means: recipe, warp, padding, steps and clusters by the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from unwarp import models, warps
from unwarp.core import Array, Domain
from unwarp.errors import ConfigError
from unwarp.models.architecture import Architecture
from unwarp.models.codec import restore
from unwarp.models.families.ae import AE
from unwarp.models.recipe import Recipe
from unwarp.planning.presets import PRESET_OF_DOMAIN
from unwarp.warps import Chain, Padding, Warp

# Below these sizes a second refinement pays: few series leave the noise undetermined, and two
# receptive fields of 127 samples cover a short series.
MAX_SERIES_FOR_REFINEMENT, MAX_LENGTH_FOR_REFINEMENT = 100, 256

MAX_STEPS = 4000
PASSES_OVER_DATA = 30
MIN_STEPS_WITH_BANDS = 800
"""Least steps of a recipe that learns small ripples, band by band."""

MAX_BRIGHTNESS_OF_DARK_RIM = 0.05
"""Mean of the outermost values, 0 to 1, up to which the ground counts as dark."""


def default_recipe(
    x: Tensor, domain: Domain, recipe: Any = None, warp: Any = "auto", n_content: int | None = None
) -> Recipe:
    """The recipe for samples: the one that is asked for, else one that suits them.

    Args:
        x: Training samples (N, C, ...).
        domain: What they are.
        recipe: A `Recipe`, the name of a family, or None for an autoencoder.
        warp: A `Warp`, a name, or `auto`: the recipe's, or where it was left as it comes, the domain's.
        n_content: Size of the content code; None for the recipe's.

    Raises:
        ConfigError: Not a recipe or a warp, an unknown name, or a warp that does not act on such samples.
    """
    if recipe is None or isinstance(recipe, str):
        recipe = _recipe_of_family(recipe, domain, x)
    if not isinstance(recipe, Recipe):
        raise ConfigError(
            f"recipe={recipe!r} is neither a Recipe nor one of {', '.join(models.families())}"
        )
    size = recipe.n_content if n_content is None else n_content
    suitable = resolve_warp(warp) or _warp_of_recipe(recipe.warp, domain)
    return infer_padding(replace(recipe, warp=suitable, n_content=int(size)), x, domain)


def resolve_warp(warp: Any) -> Warp | None:
    """The warp that is asked for, by itself, by name or as `describe` gives it; None for `auto`.

    Raises:
        ConfigError: Neither a warp nor the name of one.
    """
    if isinstance(warp, str):
        return None if warp == "auto" else warps.named(warp)
    if isinstance(warp, Mapping):
        warp = restore(warp)
    if not isinstance(warp, Warp):
        raise ConfigError(f"warp={warp!r} is neither a Warp nor a name; see unwarp.warps")
    return warp


def _recipe_of_family(family: str | None, domain: Domain, x: Tensor) -> Recipe:
    """The recipe of a family, or of the domain, with the architecture that was measured for the domain."""
    preset = PRESET_OF_DOMAIN.get(domain.name) or AE(warp=warps.named(domain.warp))
    if family is not None:
        plain = Architecture()
        names = [
            f.name
            for f in fields(Architecture)
            if getattr(preset, f.name) != getattr(plain, f.name)
        ]
        preset = replace(models.named(family), **{name: getattr(preset, name) for name in names})
    return adapt_to_series(preset, x) if domain.has_times else preset


def adapt_to_series(recipe: Recipe, x: Tensor) -> Recipe:
    """The recipe with more content for more channels, and a second look at few, short series.

    Each channel beyond the first, up to the eighth, brings eight more columns of content. From few series of few samples a
    staged autoencoder with a warp learns a second look at what the first one aligned, and draws each view from the content of
    the other.

    Args:
        recipe: A recipe for series of one channel.
        x: Training series (N, C, T).
    """
    recipe = replace(recipe, n_content=recipe.n_content + 8 * (min(x.shape[1], 8) - 1))
    if not isinstance(recipe, AE) or recipe.encoder == "one-stage" or recipe.net.detail:
        return recipe
    if len(x) >= MAX_SERIES_FOR_REFINEMENT or x.shape[-1] > MAX_LENGTH_FOR_REFINEMENT:
        return recipe
    return (
        replace(recipe, refinements=1, swap=True)
        if recipe.warp.factors and recipe.views
        else recipe
    )


def default_steps(recipe: Recipe, x: Tensor, domain: Domain, batch_size: int) -> int:
    """Training steps for about 30 passes over the data, within the bounds of the domain and the recipe.

    Args:
        recipe: What is trained.
        x: Training samples (N, C, ...).
        domain: What they are.
        batch_size: Samples a step.
    """
    least = max(domain.min_steps, MIN_STEPS_WITH_BANDS if getattr(recipe, "bands", 0.0) else 0)
    return int(min(max(PASSES_OVER_DATA * len(x) / batch_size, least), MAX_STEPS))


def default_clusters(domain: Domain, n_samples: int, labels: Array | None = None) -> int:
    """Number of clusters: the domain's, else that of the classes, else a tenth of the samples.

    Args:
        domain: What the samples are.
        n_samples: How many there are.
        labels: Their classes (N,), where known; how many there are is all that is used.
    """
    if domain.n_clusters is not None:
        return domain.n_clusters
    return (
        int(np.clip(n_samples // 10, 2, 10)) if labels is None else max(2, len(np.unique(labels)))
    )


def share_sampling_rate(recipe: Recipe, sampling_rate: float | None) -> Recipe:
    """The recipe with one sampling rate for all parts of its warp, so that times come in seconds.

    Args:
        recipe: Any recipe.
        sampling_rate: That of the data in samples a second; None for the warp's own.
    """
    parts: list[Any] = list(recipe.warp.parts)
    rate = sampling_rate or sampling_rate_of(recipe.warp)
    if rate is None:
        return recipe
    parts = [
        replace(part, sampling_rate=rate) if hasattr(part, "sampling_rate") else part
        for part in parts
    ]
    return replace(recipe, warp=Chain(*parts) if len(parts) > 1 else parts[0])


def sampling_rate_of(warp: Warp) -> float | None:
    """Samples a second that a warp was given, if it was."""
    rates = (getattr(part, "sampling_rate", None) for part in warp.parts)
    return next((float(rate) for rate in rates if rate), None)


def _warp_of_recipe(warp: Warp, domain: Domain) -> Warp:
    """A recipe's warp, or the domain's where the recipe left it as it comes."""
    if warp.domain in ("auto", domain.name):
        return warp
    if warp == AE().warp:
        return warps.named(domain.warp)
    raise ConfigError(
        f"the recipe's warp {warp.name!r} acts on {warp.domain} data, X holds {domain.name} data"
    )


def infer_padding(recipe: Recipe, x: Tensor, domain: Domain) -> Recipe:
    """The recipe with a padding: where it is `auto`, zeros if the rim of the samples is dark, else the rim.

    Args:
        recipe: Any recipe.
        x: Training samples (N, C, ...), 0 to 1.
        domain: What they are; its own padding counts, if it has one.
    """
    if recipe.padding != "auto":
        return recipe
    if domain.padding != "auto":
        return replace(recipe, padding=cast(Padding, domain.padding))
    rim = torch.cat([x.select(axis, end).flatten() for axis in range(2, x.ndim) for end in (0, -1)])
    is_dark = float(rim.mean()) < MAX_BRIGHTNESS_OF_DARK_RIM
    return replace(recipe, padding="zeros" if is_dark else "border")
