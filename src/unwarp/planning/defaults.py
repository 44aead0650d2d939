"""Defaults chosen from the data: recipe, warp, padding, steps and clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from unwarp import models, warps
from unwarp.core import Array, ContentKind, ContentName, Domain, StartName
from unwarp.errors import ConfigError, NotImportedError
from unwarp.models.architecture import Architecture
from unwarp.models.codec import restore
from unwarp.models.content import MEASURED_CONTENTS
from unwarp.models.families.ae import AE
from unwarp.models.lags.search import lag_family
from unwarp.models.recipe import Recipe
from unwarp.models.scan.deciding import searched_warp
from unwarp.models.scan.search import is_closed, scan_family
from unwarp.models.starts import is_shifted
from unwarp.planning.presets import PRESET_OF_DOMAIN
from unwarp.values import brief
from unwarp.warps import Chain, Padding, Warp

MAX_SERIES_FOR_REFINEMENT, MAX_LENGTH_FOR_REFINEMENT = 100, 256
"""Bounds of short collections of series, for which `adapt_to_series` sets `refinements=1`.

They have fewer series than the first number, each with at most the second number of time steps.
With few series a model tends to learn their noise as content. The convolutions of an encoder see
127 time steps at once, so twice that covers a short series.
"""

CONTENT_PER_CHANNEL = 8
MAX_CHANNELS_FOR_CONTENT = 8
"""Content columns for each channel of series after the first, up to the eighth channel."""

PASSES_OVER_DATA = 30
MAX_STEPS = 4000
"""Passes over the data in a training of default length, and its greatest number of steps."""

MAX_BRIGHTNESS_OF_DARK_RIM = 0.05
"""Mean of the outermost pixels, in [0, 1], below which the background of images counts as dark."""

SAMPLES_PER_CLUSTER = 10
MIN_CLUSTERS, MAX_CLUSTERS = 2, 10
"""Default number of clusters: one for this many samples, within these bounds."""


def default_recipe(
    x: Tensor, domain: Domain, recipe: Any = None, warp: Any = "auto", n_content: int | None = None
) -> Recipe:
    """The requested recipe, or one that suits the samples.

    Args:
        x: Training samples (N, C, ...).
        domain: Domain of the samples.
        recipe: A `Recipe`, the name of a family, or None for the preset of the domain, the recipe
            in `PRESET_OF_DOMAIN`. A family that is given by name gets the architecture of this
            preset.
        warp: A `Warp`, its name, the mapping that `describe` returns for it, or `auto` for the
            warp of the recipe. If that is the default warp of `AE` and does not act on the domain,
            `auto` is the default warp of the domain.
        n_content: Size of the content code; None for that of the recipe.

    Returns:
        A recipe with this warp and this size of the content code. If its padding is `auto`,
        `infer_padding` replaces it.

    Raises:
        ConfigError: `recipe` or `warp` is unknown or has the wrong type, or the warp does not act
            on the domain.
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
    """The warp that a user specifies; None for `auto`.

    Args:
        warp: A `Warp`, its name, the mapping that `describe` returns for it, or `auto`.

    Raises:
        ConfigError: `warp` is none of these, or its name is unknown.
    """
    if isinstance(warp, str):
        return None if warp == "auto" else warps.warp_named(warp)
    if isinstance(warp, Mapping):
        warp = _restore_warp(warp)
    if not isinstance(warp, Warp):
        raise ConfigError(
            f"warp={brief(warp)} is neither a Warp nor a name; choose one of "
            f"{', '.join(warps.families())}, or make one, such as Affine2d(rotation=30)"
        )
    return warp


def _restore_warp(record: Mapping[str, Any]) -> Any:
    """The warp of a record; an error of the record names the argument."""
    try:
        return restore(record)
    except NotImportedError:
        raise
    except ConfigError as error:
        raise ConfigError(f"warp={brief(record)} is not allowed: {error}") from None


def _recipe_of_family(family: str | None, domain: Domain, x: Tensor) -> Recipe:
    """The preset of a domain, or the recipe of a family with the preset's architecture."""
    preset = PRESET_OF_DOMAIN.get(domain.name) or AE(warp=warps.warp_named(domain.warp))
    if family is not None:
        default = Architecture()
        names = [
            field.name
            for field in fields(Architecture)  # not fields of the training, which families choose
            if getattr(preset, field.name) != getattr(default, field.name)
        ]
        preset = replace(
            models.recipe_named(family), **{name: getattr(preset, name) for name in names}
        )
    return adapt_to_series(preset, x) if domain.has_times else preset


def adapt_to_series(recipe: Recipe, x: Tensor) -> Recipe:
    """The recipe, adapted to the number, length and channels of series.

    Each channel after the first, up to the eighth, adds eight columns to the content code. For
    fewer than 100 series of at most 256 time steps, `refinements=1` and `swap=True` are set as
    well, because a model tends to learn the noise of few series as content. This applies to recipes
    of `AE` with a warp, second views and the staged encoder, and without `net.detail`.

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


def measured_content(
    content: ContentName, family: Any, recipe: Recipe, domain: Domain
) -> ContentKind:
    """The origin of the content code of a model.

    Args:
        content: The user's choice, or `auto`.
        family: The recipe or the name of a family that the user asks for; None for neither.
        recipe: The recipe as it stands.
        domain: Domain of the samples.

    Returns:
        The choice; for `auto` that of the recipe, but without a named family that of the domain,
        if the recipe can have it.
    """
    if content != "auto":
        return content
    is_preset = family is None and recipe.family == AE.family
    is_free = is_preset and recipe.can_measure(domain.content)
    return domain.content if is_free else recipe.content


def with_content(recipe: Recipe, content: ContentKind, n_content: int | None) -> Recipe:
    """The recipe with another origin or size of its content code.

    Args:
        recipe: Any recipe.
        content: Origin of the code.
        n_content: Size of the code; None for that of the recipe, or the default size of a measured
            code that takes the place of a joint one.

    Raises:
        ConfigError: The family or the architecture has no measured content.
    """
    if content == recipe.content:
        return replace(recipe, n_content=n_content or recipe.n_content)
    if content == "joint":
        joint = recipe.joint()
        return replace(joint, n_content=n_content or joint.n_content)
    return replace(
        recipe,
        content=content,
        n_content=n_content or MEASURED_CONTENTS[content].default_size,
        n_joint=recipe.n_content,
    )


def choose_start(
    recipe: Recipe,
    start: StartName,
    is_open: bool,
    x: Tensor | None = None,
    is_warp_open: bool = False,
) -> Recipe:
    """The recipe with a first estimate of the pose.

    Lags of series are searched, in the autoencoder `AE` with the staged encoder: a network learns
    them slowly and inexactly. So are poses of noisy pictures of few kinds; no stages follow then.
    Other pictures on a dark background start at the centre of intensity.

    Args:
        recipe: Any recipe.
        start: The start that a user asks for, or `auto`.
        is_open: Whether `auto` may replace the start of the recipe, because the user gave none.
        x: Training samples (N, C, ...); None if the start does not depend on them.
        is_warp_open: Whether a search may replace the warp.

    Returns:
        The recipe with the start of the user; with `auto`, that of the recipe, `search` or
        `centroid`.
    """
    if start != "auto":
        return replace(recipe, start=start)
    is_plain = isinstance(recipe, AE) and (recipe.encoder, recipe.crop) == ("staged", 1)
    if is_open and is_plain and recipe.start == "learned" and lag_family(recipe.warp) is not None:
        return replace(recipe, start="search")
    if is_open and is_plain and recipe.start == "learned" and x is not None:
        warp = searched_warp(x, recipe.warp, is_warp_open)
        if warp is not None:
            return replace(recipe, start="search", warp=warp, refinements=0)
    if is_open and is_plain and recipe.start == "learned" and recipe.padding == "zeros":
        return replace(recipe, start="centroid") if is_shifted(recipe.warp) else recipe
    return recipe


def without_idle_views(recipe: Recipe) -> Recipe:
    """The recipe without second views, if a search finds the whole pose.

    There is then no network of the pose that second views could teach.

    Args:
        recipe: Any recipe.
    """
    if not isinstance(recipe, AE) or recipe.start != "search":
        return recipe
    family = scan_family(recipe.warp)
    is_whole = lag_family(recipe.warp) == recipe.warp or (
        family == recipe.warp and is_closed(family)
    )
    return replace(recipe, views=0.0, equivariance=0.0) if is_whole else recipe


def default_steps(n_samples: int, domain: Domain, batch_size: int) -> int:
    """The number of training steps for about 30 passes over the data.

    Args:
        n_samples: Number of training samples.
        domain: Domain of the samples; `domain.min_steps` is the least number of steps.
        batch_size: Number of samples per step.

    Returns:
        A number of steps, at most 4,000.
    """
    return int(min(max(PASSES_OVER_DATA * n_samples / batch_size, domain.min_steps), MAX_STEPS))


def default_clusters(domain: Domain, n_samples: int, labels: Array | None = None) -> int:
    """The number of clusters of codes.

    Args:
        domain: Domain of the samples.
        n_samples: Number of samples.
        labels: Class of each sample (N,), or None. Only the number of classes is used.

    Returns:
        `domain.n_clusters` if it is not None; else, with labels, the number of classes, at least 2;
        else a tenth of the number of samples, from 2 to 10.
    """
    if domain.n_clusters is not None:
        return domain.n_clusters
    if labels is not None:
        return max(MIN_CLUSTERS, len(np.unique(labels)))
    return int(np.clip(n_samples // SAMPLES_PER_CLUSTER, MIN_CLUSTERS, MAX_CLUSTERS))


def share_sampling_rate(recipe: Recipe, sampling_rate: float | None) -> Recipe:
    """The recipe with one sampling rate in its warp.

    All parts of a chain get the same sampling rate. The summary columns of the deformation then
    have times in seconds.

    Args:
        recipe: Any recipe.
        sampling_rate: Sampling rate of the data in samples per second; None for that of the warp,
            see `sampling_rate_of`.

    Returns:
        The recipe; unchanged if neither the data nor the warp has a sampling rate.

    Raises:
        ConfigError: The data and the warp have different sampling rates.
    """
    parts: list[Any] = list(recipe.warp.parts)
    own_rate = sampling_rate_of(recipe.warp)
    rate = sampling_rate or own_rate
    if rate is None:
        return recipe
    if own_rate is not None and rate != own_rate:
        raise ConfigError(
            f"sampling_rate={own_rate:g} of the warp, and {rate:g} of the series: leave that of "
            "the warp out"
        )
    parts = [
        replace(part, sampling_rate=rate) if hasattr(part, "sampling_rate") else part
        for part in parts
    ]
    return replace(recipe, warp=Chain(*parts) if len(parts) > 1 else parts[0])


def sampling_rate_of(warp: Warp) -> float | None:
    """The sampling rate of a warp in samples per second, or None.

    For a chain it is the first sampling rate among its parts.
    """
    rates = (getattr(part, "sampling_rate", None) for part in warp.parts)
    return next((float(rate) for rate in rates if rate), None)


def _warp_of_recipe(warp: Warp, domain: Domain) -> Warp:
    """The warp of a recipe, or the domain's warp in place of the default warp of `AE`.

    Raises:
        ConfigError: The warp does not act on the domain and is not the default warp of `AE`.
    """
    if warp.domain in ("auto", domain.name):
        return warp
    if warp == AE().warp:
        return warps.warp_named(domain.warp)
    raise ConfigError(
        f"the recipe's warp {warp.name!r} acts on {warp.domain} data, and X holds {domain.name} "
        f"data; choose another warp, such as warp={domain.warp!r}"
    )


def infer_padding(recipe: Recipe, x: Tensor, domain: Domain) -> Recipe:
    """The recipe with `padding="auto"` replaced by a value.

    The new value is the padding of the domain if that is not `auto`. Otherwise it is `zeros` if the
    rim of the samples is dark, with a mean of the outermost values below 0.05, else `border`.

    Args:
        recipe: Any recipe; if its padding is not `auto`, it is returned unchanged.
        x: Training samples (N, C, ...), for images with values in [0, 1].
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
