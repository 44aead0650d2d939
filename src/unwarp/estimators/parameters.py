"""Arguments of `Unwarper`, fields of the recipe included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from unwarp import models
from unwarp.core import (
    ClusterMethod,
    ContentName,
    DivergencePolicy,
    Domain,
    LabelPolicy,
    LayoutName,
    LengthPolicy,
    MissingPolicy,
    Precision,
    RefineName,
    ScaleName,
    StartName,
    TableLayout,
    WorkingSize,
)
from unwarp.data.schema import Reading
from unwarp.devices import resolve_device
from unwarp.errors import ConfigError
from unwarp.launch import is_first_process
from unwarp.models.recipe import Recipe
from unwarp.planning.overrides import check_fields
from unwarp.planning.plan import Request
from unwarp.range_kinds import Choice
from unwarp.ranges import check_arguments, check_value
from unwarp.training.callbacks import Callback
from unwarp.training.progress import Announcer, Progress
from unwarp.values import brief
from unwarp.warps import Warp

PREFIX = "recipe__"
"""Start of the names of parameters that are fields of the recipe."""


class Parameters(BaseEstimator):  # type: ignore[misc]
    """Mixin that gives `Unwarper` its parameters, fields of the recipe included.

    scikit-learn names the parameter of a part by two underscores. So `recipe__n_content` is the
    field `n_content` of the recipe, and `recipe__optimiser__lr` the field `optimiser.lr`. Setting
    one adds it to `overrides`; grid searches and pipelines can vary it.

    >>> from unwarp import Unwarper
    >>> unwarper = Unwarper(recipe="vae").set_params(recipe__beta=2.0, recipe__optimiser__lr=1e-3)
    >>> unwarper.overrides
    {'beta': 2.0, 'optimiser.lr': 0.001}
    >>> unwarper.get_params()["recipe__beta"]
    2.0
    """

    warp: str | Warp
    recipe: str | Recipe | None
    domain: str
    content: ContentName
    n_content: int | None
    n_clusters: int | None
    clusters: ClusterMethod
    refine: RefineName
    fast: bool
    labels: LabelPolicy
    max_steps: int | None
    max_seconds: float | None
    validation_fraction: float | None
    batch_size: int | None
    scale: ScaleName | None
    missing: MissingPolicy
    sampling_rate: float | None
    image_shape: tuple[int, ...] | None
    layout: LayoutName
    sizes: str | tuple[int, int] | None
    lengths: LengthPolicy
    table: TableLayout
    id_column: str | None
    time_column: str | None
    value_columns: list[str] | tuple[str, ...] | None
    label_column: str | None
    working_size: WorkingSize
    overrides: Mapping[str, Any] | None
    random_state: int | np.random.RandomState | None
    device: str
    precision: Precision
    on_divergence: DivergencePolicy
    start: StartName
    warm_start: bool
    verbose: bool

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name.

        Args:
            deep: Whether to add the entries of `overrides`, as fields of the recipe such as
                `recipe__n_content`.

        Returns:
            Values by name.
        """
        values: dict[str, Any] = super().get_params(deep=deep)
        if deep and isinstance(self.overrides, Mapping):
            for key, value in self.overrides.items():
                values[PREFIX + str(key).replace(".", "__")] = value
        return values

    def set_params(self, **params: Any) -> Self:
        """Change arguments, or single fields of the recipe.

        Args:
            **params: Values by name. `recipe__FIELD` sets an entry of `overrides`, after all other
                arguments.

        Returns:
            The estimator itself.

        Raises:
            ConfigError: The recipe has no such field; the message lists its fields.
            ValueError: There is no such argument.
        """
        fields = {name: value for name, value in params.items() if name.startswith(PREFIX)}
        super().set_params(**{name: params[name] for name in params.keys() - fields.keys()})
        if fields:
            keys = (name.removeprefix(PREFIX).replace("__", ".") for name in fields)
            values = dict(zip(keys, fields.values(), strict=True))
            check_fields(values, *self._recipe_classes())
            self.overrides = {**self._checked_overrides(), **values}
        return self

    def _recipe_classes(self) -> Sequence[type[Recipe]]:
        """The class of the recipe; all classes if the recipe is left to `fit`."""
        overrides = self._checked_overrides()
        recipe = overrides.get("family") if self.recipe is None else self.recipe
        if isinstance(recipe, Recipe):
            return (type(recipe),)
        if isinstance(recipe, str):
            return (type(models.recipe_named(recipe)),)
        return (models.AE, *Recipe.registry.values())

    def _checked_overrides(self) -> Mapping[str, Any]:
        """The argument `overrides`, empty for None."""
        overrides = {} if self.overrides is None else self.overrides
        if not isinstance(overrides, Mapping) or not all(isinstance(key, str) for key in overrides):
            raise ConfigError(
                f"overrides={brief(overrides)} is no mapping of recipe fields to values; give one "
                "such as {'optimiser.lr': 1e-3}"
            )
        return overrides

    def _check(self) -> tuple[Request, Reading]:
        """The model that is asked for, and how to read samples, with all arguments checked."""
        check_arguments(self.get_params(deep=False))
        check_value("domain", self.domain, Choice(("auto", *Domain.registry)))
        resolve_device(self.device)
        overrides = dict(self._checked_overrides())
        request = Request(
            self.recipe,
            self.warp,
            self.n_content,
            overrides,
            self.start,
            self.content,
            bool(self.fast),
        )
        return request, Reading(
            self.domain,
            self.scale,
            self.missing,
            self.sampling_rate,
            self.image_shape,
            self.working_size,
            request.warp_domain,
            self.layout,
            self.sizes,
            "stretch" if self.lengths == "auto" and not request.can_have_gaps else self.lengths,
            self.table,
            self.id_column,
            self.time_column,
            self.value_columns,
            self.label_column,
            request.has_gain,
        )

    def _progress(self) -> tuple[Callback, ...]:
        """Callbacks that print decisions and progress, if `verbose`; one process prints."""
        seconds = self.max_seconds
        if not self.verbose or not is_first_process():
            return ()
        return Announcer(print, seconds), Progress("training", seconds=seconds)
