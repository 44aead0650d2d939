"""What was asked for (`Request`), and what is then decided (`Plan`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ConfigDict

from unwarp import models
from unwarp.data.dataset import Dataset
from unwarp.data.schema import Schema
from unwarp.errors import ConfigError
from unwarp.models.families.ae import AE
from unwarp.models.recipe import RECIPE_OF_DATASET, Recipe
from unwarp.planning.defaults import (
    default_recipe,
    default_steps,
    infer_padding,
    resolve_warp,
    share_sampling_rate,
)
from unwarp.planning.overrides import check_fields, lay_over
from unwarp.warps import Warp


@dataclass(frozen=True)
class Request:
    """What a user asks of a model; everything else is decided by the data.

    Attributes:
        recipe: A `Recipe`, the name of a family, or None for what suits the data.
        warp: A `Warp`, the name of one, or `auto`; it replaces the recipe's.
        n_content: Size of the content code, or None for the recipe's.
        overrides: Fields of the recipe, as `{"optimiser.lr": 1e-3}`, laid over what was decided.

    Raises:
        ConfigError: An unknown family, a field that it does not have, or two answers to one question.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    recipe: Any = None
    warp: Any = "auto"
    n_content: int | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value, is_open in (
            ("warp", self.warp, self.warp == "auto"),
            ("n_content", self.n_content, self.n_content is None),
            ("family", self.recipe, self.recipe in (None, self.overrides.get("family"))),
        ):
            if name in self.overrides and not is_open:
                raise ConfigError(
                    f"{name} is asked for twice, as {value!r} and by overrides as "
                    f"{self.overrides[name]!r}; give one of the two"
                )
        family = models.named(self.family) if isinstance(self.family, str) else self.family
        if isinstance(family, Recipe):
            check_fields(self.overrides, type(family))
        elif family is None:  # perhaps the family of a data set's own recipe
            check_fields(self.overrides, AE, *Recipe.registry.values())

    @property
    def family(self) -> Any:
        """The recipe or the name of a family, overrides included."""
        return self.overrides.get("family") if self.recipe is None else self.recipe

    @property
    def is_open(self) -> bool:
        """Whether neither family nor warp is asked for, so that the data decide how much to warp."""
        warps = [key for key in self.overrides if key.partition(".")[0] == "warp"]
        return self.family is None and self.warp == "auto" and not warps

    @property
    def warp_domain(self) -> str:
        """The domain on which the warp acts, or `auto` where that is not said."""
        warp = resolve_warp(self.overrides.get("warp", self.warp))
        if warp is None and isinstance(self.recipe, Recipe) and self.recipe.warp != AE().warp:
            warp = self.recipe.warp
        return warp.domain if isinstance(warp, Warp) else "auto"


@dataclass(frozen=True)
class Plan:
    """What is decided: all that `train` needs besides the data.

    Attributes:
        recipe: The recipe.
        steps: Training steps.
        batch_size: Samples a step.
        why: Reasons, in lines for people.
        is_open: Whether a training must still decide how much to warp.
    """

    recipe: Recipe
    steps: int
    batch_size: int
    why: tuple[str, ...] = ()
    is_open: bool = False


def make_plan(
    request: Request,
    schema: Schema,
    data: Dataset,
    *,
    decided: Recipe | None = None,
    has_gaps: bool = False,
    batch_size: int | None = None,
    steps: int | None = None,
    why: tuple[str, ...] = (),
) -> Plan:
    """The plan for training samples, as far as it can be read off them.

    Args:
        request: What was asked for.
        schema: What the samples are.
        data: Training samples as a model sees them.
        decided: A recipe that a training decided on, where nothing else was asked for.
        has_gaps: Whether to learn from what was observed alone.
        batch_size: Samples a step; None for the domain's.
        steps: Training steps; None for as many as suit the data.
        why: Reasons so far.

    Raises:
        ConfigError: No such recipe, warp or field, or one that does not fit the samples.
    """
    measured = RECIPE_OF_DATASET.get(data.registered_name)
    if decided is None and request.family is None and measured is not None:
        decided, why = measured, (*why, f"the recipe measured on {data.registered_name}")
    is_open = request.is_open and decided is None
    recipe = default_recipe(
        data.x, schema.domain, request.family or decided, request.warp, request.n_content
    )
    if has_gaps and schema.domain.has_gaps:
        recipe = replace(recipe, gaps=True)
    recipe = infer_padding(lay_over(recipe, request.overrides), data.x, schema.domain)
    recipe = share_sampling_rate(recipe, schema.clock.sampling_rate)
    batch_size = batch_size or schema.domain.batch_size
    suitable = default_steps(recipe, data.x, schema.domain, batch_size)
    return Plan(recipe, suitable if steps is None else steps, batch_size, why, is_open)
