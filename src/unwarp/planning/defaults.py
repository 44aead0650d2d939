"""Defaults that follow from the data: recipe, warp, padding, steps and clusters."""

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

CONTENT_PER_CHANNEL = 8
MAX_CHANNELS_FOR_CONTENT = 8
"""Content columns that each channel of series after the first adds, and the last that does."""

PASSES_OVER_DATA = 30
MAX_STEPS = 4000
MIN_STEPS_WITH_BANDS = 800
"""Least number of steps with the `bands` term, as small ripples are learned late."""

MAX_BRIGHTNESS_OF_DARK_RIM = 0.05
"""Mean of the outermost values, in [0, 1], below which a background counts as dark."""

SAMPLES_PER_CLUSTER = 10
MIN_CLUSTERS, MAX_CLUSTERS = 2, 10


def default_recipe(
    x: Tensor, domain: Domain, recipe: Any = None, warp: Any = "auto", n_content: int | None = None
) -> Recipe:
    """The requested recipe, or one that suits the samples.

    Args:
        x: Training samples (N, C, ...).
        domain: Domain of the samples.
        recipe: A `Recipe`, the name of a family, or None for the preset of the domain. A family
            given by name gets the architecture of that preset.
        warp: A `Warp`, its name, its description, or `auto` for the recipe's warp. The default
            warp of `AE` then gives way to that of the domain, if it does not act on it.
        n_content: Size of the content code; None for the recipe's.

    Returns:
        A recipe with a warp and, if the recipe says `auto`, an inferred padding.

    Raises:
        ConfigError: `recipe` or `warp` is of the wrong type or unknown, or the warp does not act on
            such samples.
    """
    if recipe is None or isinstance(recipe, str):
        recipe = _recipe_of_family(recipe, domain, x)
    if not isinstance(recipe, Recipe):
        raise ConfigError(
            f"recipe={recipe!r} is neither a Recipe nor one of {', '.join(models.families())}"
        )
    size = recipe.n_content if n_content is None else n_content
    resolved_warp = resolve_warp(warp) or _warp_of_recipe(recipe.warp, domain)
    return infer_padding(replace(recipe, warp=resolved_warp, n_content=int(size)), x, domain)


def resolve_warp(warp: Any) -> Warp | None:
    """The warp that a user names; None for `auto`.

    Args:
        warp: A `Warp`, its name, the mapping that `describe` makes of it, or `auto`.

    Raises:
        ConfigError: `warp` is none of these, or its name is unknown.
    """
    if isinstance(warp, str):
        return None if warp == "auto" else warps.warp_named(warp)
    if isinstance(warp, Mapping):
        warp = restore(warp)
    if not isinstance(warp, Warp):
        raise ConfigError(
            f"warp={warp!r} is neither a Warp nor a name; choose one of "
            f"{', '.join(warps.families())}, or make one, such as Affine2d(rotation=30)"
        )
    return warp


def _recipe_of_family(family: str | None, domain: Domain, x: Tensor) -> Recipe:
    """The preset of a domain, or a family by name with the architecture of that preset."""
    preset = PRESET_OF_DOMAIN.get(domain.name) or AE(warp=warps.warp_named(domain.warp))
    if family is not None:
        default = Architecture()
        names = [
            field.name
            for field in fields(Architecture)
            if getattr(preset, field.name) != getattr(default, field.name)
        ]
        preset = replace(
            models.recipe_named(family), **{name: getattr(preset, name) for name in names}
        )
    return adapt_to_series(preset, x) if domain.has_times else preset


def adapt_to_series(recipe: Recipe, x: Tensor) -> Recipe:
    """The recipe, adapted to the number, length and channels of series.

    Each channel after the first, up to the eighth, adds eight columns of content. For fewer than
    100 series of at most 256 samples, a staged autoencoder with a warp and second views also gets a
    refinement of the first alignment and the swap of contents: the noise of few series would
    otherwise be learned as content. Recipes with `net.detail` are left without refinement.

    Args:
        recipe: A recipe for series of one channel.
        x: Training series (N, C, T).

    Returns:
        A recipe of the same family.
    """
    extra_channels = min(x.shape[1], MAX_CHANNELS_FOR_CONTENT) - 1
    recipe = replace(recipe, n_content=recipe.n_content + CONTENT_PER_CHANNEL * extra_channels)
    if not isinstance(recipe, AE) or recipe.encoder == "one-stage" or recipe.net.detail:
        return recipe
    if len(x) >= MAX_SERIES_FOR_REFINEMENT or x.shape[-1] > MAX_LENGTH_FOR_REFINEMENT:
        return recipe
    can_refine = recipe.warp.factors and recipe.views
    return replace(recipe, refinements=1, swap=True) if can_refine else recipe


def default_steps(recipe: Recipe, x: Tensor, domain: Domain, batch_size: int) -> int:
    """The number of training steps for about 30 passes over the data.

    Args:
        recipe: The recipe; one with a `bands` term takes at least 800 steps.
        x: Training samples (N, C, ...).
        domain: Domain of the samples, which sets another least number.
        batch_size: Samples per step.

    Returns:
        A number of steps from the least number to 4,000.
    """
    min_steps = max(domain.min_steps, MIN_STEPS_WITH_BANDS if getattr(recipe, "bands", 0.0) else 0)
    return int(min(max(PASSES_OVER_DATA * len(x) / batch_size, min_steps), MAX_STEPS))


def default_clusters(domain: Domain, n_samples: int, labels: Array | None = None) -> int:
    """The number of clusters of codes.

    Args:
        domain: Domain of the samples; its number of clusters, if it has one, is used.
        n_samples: Number of samples.
        labels: Classes (N,), if known. Only their number is used.

    Returns:
        The number of the domain, else of the classes (at least 2), else a tenth of the number of
        samples, from 2 to 10.
    """
    if domain.n_clusters is not None:
        return domain.n_clusters
    if labels is not None:
        return max(MIN_CLUSTERS, len(np.unique(labels)))
    return int(np.clip(n_samples // SAMPLES_PER_CLUSTER, MIN_CLUSTERS, MAX_CLUSTERS))


def share_sampling_rate(recipe: Recipe, sampling_rate: float | None) -> Recipe:
    """The recipe with one sampling rate in all parts of its warp.

    Times of the deformation are then in seconds.

    Args:
        recipe: Any recipe.
        sampling_rate: Sampling rate of the data in samples per second; None for the rate that a
            part of the warp has.

    Returns:
        The recipe; unchanged if neither the data nor the warp has a rate.
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
    """The sampling rate of a warp, or None.

    In samples per second; that of a chain is the first rate among its parts.
    """
    rates = (getattr(part, "sampling_rate", None) for part in warp.parts)
    return next((float(rate) for rate in rates if rate), None)


def _warp_of_recipe(warp: Warp, domain: Domain) -> Warp:
    """A recipe's warp if it acts on the domain, or the domain's for the default of `AE`."""
    if warp.domain in ("auto", domain.name):
        return warp
    if warp == AE().warp:
        return warps.warp_named(domain.warp)
    raise ConfigError(
        f"the recipe's warp {warp.name!r} acts on {warp.domain} data, and X holds {domain.name} "
        f"data; choose another warp, such as warp={domain.warp!r}"
    )


def infer_padding(recipe: Recipe, x: Tensor, domain: Domain) -> Recipe:
    """The recipe with a value for `padding="auto"`.

    A padding of the domain comes first. Otherwise the padding is `zeros` if the rim of the samples
    is dark, with a mean outermost value below 0.05, and `border` if not.

    Args:
        recipe: Any recipe; one with another padding than `auto` comes back unchanged.
        x: Training samples (N, C, ...) in [0, 1].
        domain: Domain of the samples.

    Returns:
        A recipe with the padding `zeros`, `border` or that of the domain.
    """
    if recipe.padding != "auto":
        return recipe
    if domain.padding != "auto":
        return replace(recipe, padding=cast(Padding, domain.padding))
    rim = torch.cat([x.select(axis, end).flatten() for axis in range(2, x.ndim) for end in (0, -1)])
    is_dark = float(rim.mean()) < MAX_BRIGHTNESS_OF_DARK_RIM
    return replace(recipe, padding="zeros" if is_dark else "border")
