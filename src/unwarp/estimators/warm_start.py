"""Training that continues from the weights of an earlier one (`warm_start`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from unwarp.data.clock import Clock
from unwarp.data.missing import policy_for_scaling
from unwarp.data.outliers import outlier_rows, warn_of_outliers
from unwarp.data.reading import Reading
from unwarp.data.samples import Samples, training_samples
from unwarp.data.schema import Schema
from unwarp.data.source import Source
from unwarp.data.working_size import find_working_size
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.choices import Selection
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.planning.plan import Plan, Request, make_plan
from unwarp.training.settling import pose_weights
from unwarp.values import brief

WHY = "the training continues from the weights of the earlier one (warm_start)"
"""Line of a plan that says where the weights come from."""


@dataclass(frozen=True)
class WarmStart:
    """A trained model from which a training continues.

    Samples are scaled as before and the recipe stays as it is, because the weights belong to both.
    Arguments that would change one of them are refused.

    Attributes:
        model: The trained model, which does not change.
        recipe: Its recipe.
        schema: The samples that it takes.
        selection: The selection of its warp; None if there was none.

    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).random((8, 12, 12))
    >>> unwarper = Unwarper(max_steps=1, n_clusters=2, warm_start=True)
    >>> WarmStart.of(unwarper) is None, WarmStart.of(unwarper.fit(X)) is None
    (True, False)
    """

    model: Model
    recipe: Recipe
    schema: Schema
    selection: Selection | None

    @classmethod
    def of(cls, estimator: Any) -> Self | None:
        """The earlier training of an estimator.

        Args:
            estimator: An `Unwarper`.

        Returns:
            The trained model; None if there is none, or the estimator shall start anew.
        """
        if not estimator.warm_start or not hasattr(estimator, "model_"):
            return None
        return cls(estimator.model_, estimator.recipe_, estimator.schema_, estimator.selection_)

    def read(self, source: Source, reading: Reading) -> tuple[Schema, Samples]:
        """Training samples, scaled as those of the earlier training.

        Args:
            source: At least 2 samples.
            reading: The user's options for reading the samples.

        Returns:
            The schema of the model, and the samples.

        Raises:
            ConfigError: An option contradicts the schema.
            DataError: The samples do not fit the model, or there is only one.
        """
        _check_reading(self.schema, reading)
        outliers = np.array([], np.intp)
        if source.dataset is not None and source.dataset.draw is not None:
            data: Samples = self.schema.prepare_dataset(source, reading.missing)
        else:
            prepared = self.schema.prepare(source, reading.missing)
            length = self.schema.user_shape[-1] if self.schema.clock.any_length else None
            gapless = prepared.origin.on(Clock()).resample(
                length, policy_for_scaling(reading.missing)
            )
            if not self.schema.scaled_per_sample:
                outliers = outlier_rows(gapless, reading.scale)
            if outliers.size:
                warn_of_outliers(gapless, outliers)
            data = training_samples(source, prepared, outliers)
        if len(data) < 2 or data.shape != self.schema.shape:
            raise DataError(
                f"X holds {len(data)} samples of shape {data.shape}; with warm_start=True give at "
                f"least 2 of shape {self.schema.shape}, as in the earlier training"
            )
        return replace(self.schema, limited_rows=tuple(outliers.tolist())), data

    def plan(self, request: Request, data: Samples, **options: Any) -> Plan:
        """The plan of a training that keeps the recipe of the model.

        Args:
            request: Recipe, warp and overrides of the user.
            data: Training samples.
            **options: Further arguments of `make_plan`.

        Raises:
            ConfigError: The request contradicts the recipe; the message names a field.
        """
        family = request.family if isinstance(request.family, str) else self.recipe.family
        if family != self.recipe.family:
            raise _difference("recipe", family, self.recipe.family)
        base = request.recipe if isinstance(request.recipe, Recipe) else self.recipe
        overrides = {key: value for key, value in request.overrides.items() if key != "family"}
        full_request = Request(
            base,
            request.warp,
            request.n_content,
            overrides,
            request.start,
            request.content,
            request.fast,
        )
        plan = make_plan(full_request, self.schema, data, why=(WHY,), **options)
        recipe = plan.recipe
        if base.padding == "auto" and "padding" not in overrides:
            # this padding was read off the samples of the earlier training
            recipe = replace(recipe, padding=self.recipe.padding)
        _check_recipe(recipe, self.recipe)
        return replace(plan, recipe=self.recipe)

    def build(self, seed: int) -> Model:
        """A new model with the weights of the trained one.

        If content was measured, content network and decoder are new: only poses continue.

        Args:
            seed: Seed of the weights that are not trained.
        """
        model = self.recipe.joint().build(self.model.shape, seed=seed)
        if self.recipe.content == "joint":
            model.load_state_dict(self.model.state_dict())
        else:
            model.load_state_dict(pose_weights(self.model), strict=False)
        return model


def _check_reading(schema: Schema, reading: Reading) -> None:
    """Refuse options for reading samples that contradict a schema; `auto` contradicts none."""
    expectations: Mapping[str, tuple[bool, Any]] = {
        "domain": (reading.domain in ("auto", schema.domain.name), schema.domain.name),
        "image_shape": (_suits_image_shape(schema, reading), schema.image_shape),
        "sampling_rate": (
            reading.sampling_rate in (None, schema.clock.sampling_rate),
            schema.clock.sampling_rate,
        ),
        "missing": (reading.missing != "mask" or schema.has_gaps, "a model without gaps"),
        "lengths": (_suits_lengths(schema, reading), schema.clock.lengths),
        "scale": (_suits_scale(schema, reading), "the earlier scale"),
        "working_size": (_suits_working_size(schema, reading), schema.shape[1:]),
    }
    for name, (is_suitable, earlier) in expectations.items():
        if not is_suitable:
            raise _difference(name, getattr(reading, name), earlier)


def _suits_image_shape(schema: Schema, reading: Reading) -> bool:
    """Whether flattened images have the shape of the earlier ones."""
    shape = reading.image_shape
    return shape is None or tuple(shape) == tuple(schema.image_shape or ())


def _suits_lengths(schema: Schema, reading: Reading) -> bool:
    """Whether an option for the lengths of series may be that of a schema."""
    return not schema.clock.any_length or reading.lengths in ("auto", schema.clock.lengths)


def _suits_scale(schema: Schema, reading: Reading) -> bool:
    """Whether an argument `scale` may have given the scale of a schema."""
    scaler, scale = schema.scaler, reading.scale
    has_channels = np.ndim(scaler.factor) > 0
    is_identity = not has_channels and (scaler.offset, scaler.factor) == (0.0, 1.0)
    if scale in ("auto", "each", "level"):
        return scale == "auto" or (
            schema.scaled_per_sample and schema.is_levelled == (scale == "level")
        )
    return not schema.scaled_per_sample and (has_channels if scale == "channel" else is_identity)


def _suits_working_size(schema: Schema, reading: Reading) -> bool:
    """Whether the working size is that of a schema."""
    if reading.working_size == "auto":
        return True
    full = np.empty((1, *schema.user_shape), np.uint8)
    return find_working_size(full, schema.domain, reading.working_size) == schema.shape[1:]


def _check_recipe(recipe: Recipe, earlier: Recipe) -> None:
    """Refuse a recipe that differs from the earlier one."""
    if type(recipe) is not type(earlier):
        raise _difference("recipe", recipe.family, earlier.family)
    for field in fields(recipe):
        values = getattr(recipe, field.name), getattr(earlier, field.name)
        if values[0] != values[1]:
            raise _difference(field.name, *values)


def _difference(name: str, value: Any, earlier: Any) -> ConfigError:
    """The error for an argument that differs from that of the earlier training."""
    return ConfigError(
        f"{name}={brief(value)} contradicts the trained model, which has {brief(earlier)}; "
        "warm_start=True continues its training, so leave the argument as it was, or set "
        "warm_start=False"
    )
