"""The `Request` of a user, and the `Plan` for a training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ConfigDict

from unwarp import models
from unwarp.core import ContentName, StartName
from unwarp.data.samples import Samples
from unwarp.data.schema import Schema
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.recipe import RECIPE_OF_DATASET, Recipe
from unwarp.planning.defaults import (
    choose_start,
    default_recipe,
    default_steps,
    infer_padding,
    measured_content,
    resolve_warp,
    share_sampling_rate,
    with_content,
    without_idle_views,
)
from unwarp.planning.overrides import apply_overrides, check_fields, check_values
from unwarp.range_kinds import Choice
from unwarp.ranges import ARGUMENTS, check_value
from unwarp.values import brief
from unwarp.warps import Warp

SAMPLES_FOR_DEFAULTS = 4096
"""Number of samples from which defaults are chosen if not all are in memory."""


@dataclass(frozen=True)
class Request:
    """The model that a user asks for.

    The values of fields that are left at their defaults are chosen from the data. All fields are
    checked when the request is created, before data are read. Recipe, warp and size of the content
    code may each be set as a field or as an override, but not as both.

    Attributes:
        recipe: A `Recipe`, the name of a family, or None for a recipe that suits the data. In the
            record of a run, it is the mapping that `describe` returns for a recipe.
        warp: A `Warp`, its name, the mapping that `describe` returns for it, or `auto` for the warp
            of the recipe.
        n_content: Size of the content code; None for that of the recipe.
        overrides: Values of recipe fields by dotted name, such as `{"optimiser.lr": 1e-3}`.
        content: Origin of the content code, as in `Unwarper`.
        start: First estimate of the pose, or `auto` for that of the recipe; see `choose_start`.
        fast: Whether a network predicts elastic codes; it is that of the recipe if False.

    Raises:
        ConfigError: The family or a field is unknown, or a field is set in two ways.

    Example:
        >>> Request(recipe="vae", overrides={"beta": 2.0}).family
        'vae'
        >>> Request().is_open
        True
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    recipe: Any = None
    warp: Any = "auto"
    n_content: int | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    start: StartName = "auto"
    content: ContentName = "auto"
    fast: bool = False

    def __post_init__(self) -> None:
        is_record = isinstance(self.recipe, Mapping) and "family" in self.recipe
        if not (is_record or isinstance(self.recipe, str | Recipe | None)):
            raise ConfigError(
                f"recipe={brief(self.recipe)} is neither a Recipe nor a name; choose one of "
                f"{', '.join(models.families())}, or make one, such as AE(n_content=8)"
            )
        resolve_warp(self.warp)
        check_value("start", self.start, ARGUMENTS["start"])
        self._check_duplicates()
        family = self._family_recipe()
        if isinstance(family, Recipe):
            check_fields(self.overrides, type(family))
            check_values(self.overrides, family)
        elif family is None:  # the recipe of the data set may belong to any family
            check_fields(self.overrides, AE, *Recipe.registry.values())
            check_values(self.overrides, AE(), *(member() for member in Recipe.registry.values()))

    @property
    def can_have_gaps(self) -> bool:
        """Whether models of the requested family take series with gaps."""
        recipe = self._family_recipe()
        if isinstance(recipe, Mapping):
            return bool(Recipe.registry[recipe["family"]].supports_gaps)
        return recipe is None or recipe.supports_gaps

    def _family_recipe(self) -> Any:
        """The requested recipe, or that of the requested family; None for neither."""
        if isinstance(self.family, Recipe | Mapping | None):
            return self.family
        if self.recipe is None and not Choice(tuple(models.families())).allows(self.family):
            raise ConfigError(
                f"family={brief(self.family)} is unknown; choose one of "
                f"{', '.join(models.families())}"
            )
        return models.recipe_named(self.family)

    def _check_duplicates(self) -> None:
        """Refuse a warp, a size or a family that is set twice, as a field and as an override."""
        settings = (
            ("warp", "warp", isinstance(self.warp, str) and self.warp == "auto"),
            ("n_content", "n_content", self.n_content is None),
            ("content", "content", self.content == "auto"),
            ("start", "start", self.start == "auto"),
            ("fast", "fast", not self.fast),
            ("recipe", "family", self.recipe in (None, self.overrides.get("family"))),
        )
        for name, key, is_unset in settings:
            if key in self.overrides and not is_unset:
                raise ConfigError(
                    f"{name}={getattr(self, name)!r} is also set by overrides, "
                    f"as {key}={self.overrides[key]!r}; keep one of the two"
                )

    @property
    def family(self) -> Any:
        """The requested recipe or name of a family; None for neither.

        It is the field `recipe` or, if that is None, the override `family`.
        """
        return self.overrides.get("family") if self.recipe is None else self.recipe

    @property
    def is_open(self) -> bool:
        """Whether trial trainings may decide how much to warp.

        True if the request has no family, no warp and no overrides of fields of a warp.
        """
        warp_keys = [key for key in self.overrides if key.partition(".")[0] == "warp"]
        return self.family is None and self.warp == "auto" and not warp_keys

    @property
    def warp_domain(self) -> str:
        """Name of the domain that the requested warp acts on, or `auto`.

        An array with three axes may hold images (N, H, W) or series (N, C, T); the domain decides
        between them. It is `auto` if the request has no warp or the default warp of `AE`.
        """
        warp = self._named_warp
        return "auto" if warp is None else warp.domain

    @property
    def has_gain(self) -> bool:
        """Whether the requested warp changes values, so that they are of interest."""
        warp = self._named_warp
        return warp is not None and not all(part.moves_points for part in warp.parts)

    @property
    def _named_warp(self) -> Warp | None:
        """The requested warp; None for none, or the default warp of `AE`."""
        warp = resolve_warp(self.overrides.get("warp", self.warp))
        if warp is None and isinstance(self.recipe, Recipe) and self.recipe.warp != AE().warp:
            return self.recipe.warp
        return warp


@dataclass(frozen=True)
class Plan:
    """The decisions for a training: recipe, steps and batch size.

    Attributes:
        recipe: The recipe of the model.
        steps: Number of training steps.
        batch_size: Number of samples per step.
        why: Reasons for the decisions, as lines for the user.
        is_open: Whether trial trainings must still select a recipe, which decides how much to warp.

    Example:
        >>> plan = Plan(AE(), steps=300, batch_size=64)
        >>> plan.recipe.family, plan.is_open
        ('ae', False)
    """

    recipe: Recipe
    steps: int
    batch_size: int
    why: tuple[str, ...] = ()
    is_open: bool = False


def make_plan(
    request: Request,
    schema: Schema,
    data: Samples,
    *,
    decided: Recipe | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    why: tuple[str, ...] = (),
) -> Plan:
    """The plan of a training, from a request and the data.

    The recipe is the first of these that exists: the recipe or family of the request; the recipe
    that trial trainings selected (`decided`); the tuned recipe of a built-in data set; the preset
    of the domain. Overrides replace fields of it, and then an open padding, sampling rate and
    number of steps are filled in.

    Args:
        request: The request of the user.
        schema: Schema of the samples, with domain and sampling rate.
        data: Training samples, scaled as the model expects.
        decided: Recipe that trial trainings selected; None if there were none so far.
        batch_size: Number of samples per step; None for that of the domain.
        steps: Number of training steps; None for `default_steps`.
        why: Reasons for `decided`, as lines for the user.

    Returns:
        The plan; `is_open` if trial trainings must still select a recipe.

    Raises:
        ConfigError: A recipe, a warp or a field is unknown, or does not fit the samples.
    """
    measured_recipe = RECIPE_OF_DATASET.get(data.registered_name)
    if decided is None and request.family is None and measured_recipe is not None:
        decided, why = measured_recipe, (*why, f"the recipe measured on {data.registered_name}")
    why, is_open = (*schema.notes, *why), request.is_open and decided is None
    x = data.preview(SAMPLES_FOR_DEFAULTS)
    recipe = default_recipe(x, schema.domain, request.family or decided, request.warp)
    changed = apply_overrides(recipe, request.overrides)
    content = measured_content(request.content, request.family, changed, schema.domain)
    recipe = with_content(recipe, content, request.n_content)
    if schema.has_gaps:
        recipe = replace(recipe, gaps=True)
    recipe = infer_padding(apply_overrides(recipe, request.overrides), x, schema.domain)
    if request.fast:
        recipe = replace(recipe, fast=True)
    if "start" not in request.overrides:
        is_warp_open = request.is_open and decided is None
        is_family_open = isinstance(request.family, str | None)
        searched = choose_start(recipe, request.start, is_family_open, x, is_warp_open)
        why = (*why, *_reasons_of_search(recipe, searched, schema.domain.has_times))
        recipe = searched
        if is_family_open and not request.overrides.keys() & {"views", "equivariance"}:
            recipe = without_idle_views(recipe)
    _check_start(recipe, schema)
    recipe = share_sampling_rate(recipe, schema.clock.sampling_rate)
    batch_size = batch_size or schema.domain.batch_size
    suitable_steps = default_steps(len(data), schema.domain, batch_size)
    return Plan(recipe, suitable_steps if steps is None else steps, batch_size, why, is_open)


def _check_start(recipe: Recipe, schema: Schema) -> None:
    """Refuse a start that is computed from pictures for samples that are none."""
    if recipe.start in ("centroid", "moments") and len(schema.domain.axes) != 2:
        raise ConfigError(
            f"start={recipe.start!r} reads the intensity of images, and these samples are "
            f"{schema.domain.plural}; use 'learned', 'search' or 'auto'"
        )


def _reasons_of_search(recipe: Recipe, searched: Recipe, is_series: bool) -> tuple[str, ...]:
    """Lines for people on a search that was chosen for pictures; none for series."""
    if is_series or searched.refinements == recipe.refinements:
        return ()
    why = "start: search, since the pictures are noisy and few templates explain them"
    if searched.warp == recipe.warp:
        return (why,)
    angle = math.degrees(next(f.half_range for f in searched.warp.factors if f.name == "rotation"))
    return (f"{why}; they move by shifts and by angles up to {angle:.0f} degrees",)
