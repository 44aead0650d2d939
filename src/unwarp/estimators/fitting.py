"""One `fit` of an estimator: samples in, attributes out.

    Fitting     arguments, samples, seed and callbacks of one `fit`; `decide`, then `learn`
    Results     values of all attributes of a trained estimator

A fitting changes nothing. The estimator stores its results at the end, all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from unwarp.analysis.mixture import Mixture
from unwarp.checksums import checksum
from unwarp.core import (
    Array,
    ClusterMethod,
    DivergencePolicy,
    LabelPolicy,
    Precision,
    RefineName,
)
from unwarp.data.fingerprint import code_facts, dataset_facts
from unwarp.data.samples import Samples, reference_view
from unwarp.data.scale_fitting import channel_scale_hint
from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source
from unwarp.devices import resolve_device
from unwarp.estimators.choices import Selection
from unwarp.estimators.clusters import Clusters
from unwarp.estimators.feature_columns import Columns, scale_of_pose
from unwarp.estimators.feature_names import feature_names_of
from unwarp.estimators.grouping import Grouping
from unwarp.estimators.holding_out import Split, check_family
from unwarp.estimators.labels_choice import LabelsChoice, check_labels, choose_columns
from unwarp.estimators.memory import check_memory
from unwarp.estimators.picture_refining import fit_picture_refinement
from unwarp.estimators.picture_selection import select_for_pictures
from unwarp.estimators.pose_columns import pose_columns
from unwarp.estimators.refining import check_refine, fit_refinement
from unwarp.estimators.selection import STEPS_OF_TRIAL, select
from unwarp.estimators.warm_start import WHY, WarmStart
from unwarp.models.codec import recipe_facts
from unwarp.models.content import check_content
from unwarp.models.distilled import DistilledCode
from unwarp.models.mode_calibration import MAX_PICTURES, mode_temperature
from unwarp.models.model import Model
from unwarp.models.pose_modes import has_modes
from unwarp.models.recipe import Recipe
from unwarp.models.refinement import Refinement
from unwarp.planning.defaults import adapt_to_series, sampling_rate_of
from unwarp.planning.fixed_pattern import fixed_pattern_hint
from unwarp.planning.plan import SAMPLES_FOR_DEFAULTS, Plan, Request, make_plan
from unwarp.processes import run_once
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.settling import settle
from unwarp.training.state import History

SELECT_OF_DOMAIN = {"series": select, "image": select_for_pictures}
"""Function that selects a warp, by the name of the domain; other domains have one default warp."""

SHARE_OF_SECONDS_FOR_SELECTION = 0.5
"""Share of `max_seconds` that the trials for the selection of a warp may take."""

MAX_SAMPLES_FOR_SCALE = 1000
"""Greatest number of training samples by which poses are scaled beside content codes."""

MIN_SECONDS_OF_TRAINING = 1.0
"""Seconds of training that are allowed even if the selection of a warp used up `max_seconds`."""


class Arguments(Protocol):
    """Arguments of `Unwarper` that limit a training, and its means."""

    n_clusters: int | None
    clusters: ClusterMethod
    refine: RefineName
    labels: LabelPolicy
    max_steps: int | None
    max_seconds: float | None
    validation_fraction: float | None
    batch_size: int | None
    device: str
    precision: Precision
    on_divergence: DivergencePolicy


@dataclass(frozen=True)
class Results:
    """Values of all attributes of a trained estimator.

    The fields are those attributes, without the underscore at the end; see `Unwarper`. There are
    names of features only for data frames.

    >>> list(Results.__dataclass_fields__)[:3]
    ['model', 'recipe', 'schema']
    """

    model: Model
    recipe: Recipe
    schema: Schema
    plan: Plan | None
    selection: Selection | None
    history: History
    clusters: Clusters
    cluster_centers: Array
    mixture: Mixture
    n_features_in: int
    labels: Array | None = None
    outlier: Array | None = None
    n_iter: int | None = None
    refinement: Refinement | None = None
    mode_temperature: float | None = None
    columns: Columns = field(default_factory=Columns)
    labels_choice: LabelsChoice | None = None
    feature_names_in: Array | None = None

    def attributes(self) -> dict[str, Any]:
        """The values by the name of the attribute, such as `model_`."""
        values = {f"{name}_": value for name, value in vars(self).items()}
        if self.feature_names_in is None:
            del values["feature_names_in_"]
        return values


@dataclass(frozen=True)
class Fitting:
    """Arguments, samples, seed and callbacks of one `fit`.

    Attributes:
        arguments: The estimator, or another object with its arguments.
        request: Recipe, warp and overrides of the user.
        reading: The arguments by which the samples were read.
        schema: Domain, shape and scale of the samples.
        data: Scaled training samples.
        seed: Seed of trials, weights, training and clusters.
        callbacks: Callbacks, which are told about decisions and observe the training.
        source: The samples before scaling; None if they are not at hand.
        earlier: The training from which this one continues; None for a new one.
        started: Time at which the samples had been read, from `perf_counter`.

    >>> from unwarp import Unwarper
    >>> from unwarp.data.opening import as_source
    >>> X = np.random.default_rng(0).random((8, 12, 12))
    >>> estimator = Unwarper(max_steps=1, n_clusters=2)
    >>> samples = Schema.fit(as_source(X), Reading())
    >>> fitting = Fitting(estimator, Request(), Reading(), *samples, seed=0)
    >>> plan, selection = fitting.decide()
    >>> plan.recipe.family, selection.choice
    ('ae', 'affine')
    >>> fitting.learn(plan, selection).n_features_in
    144
    """

    arguments: Arguments
    request: Request
    reading: Reading
    schema: Schema
    data: Samples
    seed: int
    callbacks: Sequence[Callback] = ()
    source: Source | None = None
    earlier: WarmStart | None = None
    started: float = field(default_factory=perf_counter)

    def decide(self) -> tuple[Plan, Selection | None]:
        """Decide how to train a model of the samples.

        Returns:
            The plan of the training; and the selection of a warp, or None if none was needed.
        """
        arguments, domain = self.arguments, self.schema.domain
        self._split()  # refuses a share before anything takes long
        check_refine(arguments.refine, domain)
        check_labels(arguments.labels, self.data.labels)
        x = self.data.preview(SAMPLES_FOR_DEFAULTS)
        self._describe(x)
        options: dict[str, Any] = {
            "batch_size": arguments.batch_size,
            "steps": arguments.max_steps,
        }
        if self.earlier is not None:
            self._notify(WHY)
            plan = self.earlier.plan(self.request, self.data, **options)
            return plan, self.earlier.selection
        samples = (self.request, self.schema, self.data)
        plan = make_plan(*samples, **options)
        check_content(plan.recipe.content, domain, self.data.shape)  # before anything takes long
        if arguments.validation_fraction is not None:
            check_family(plan.recipe)
        # trials see no warp in noisy pictures whose poses a search finds
        is_searched = self.request.start == "auto" and plan.recipe.start == "search"
        if not plan.is_open or is_searched or domain.name not in SELECT_OF_DOMAIN:
            return plan, None
        selection = self._select_warp()
        why = f"how much to warp: {selection}"
        self._notify(why)
        decided = adapt_to_series(selection.recipe, x) if domain.has_times else selection.recipe
        return make_plan(*samples, decided=decided, why=(why,), **options), selection

    def _describe(self, x: Tensor) -> None:
        """Tell the callbacks how the samples `x` were read and scaled."""
        for note in self.schema.notes:
            self._notify(note)
        hint = ""
        if not self.schema.domain.has_times:
            hint = fixed_pattern_hint(x)
        elif self.reading.scale == "auto":
            hint = channel_scale_hint(x.numpy())
        if hint:
            self._notify(hint)

    def check_memory(self, source: Source, plan: Plan) -> None:
        """Tell the memory of a training; refuse one without enough.

        Args:
            source: The samples as the user gave them.
            plan: Recipe and batch size.

        Raises:
            ConfigError: The training needs more memory than is available.
        """
        if resolve_device(self.arguments.device).type == "cpu":
            notify = self._notify if self.callbacks else None
            check_memory(source, self.schema, self.data, plan, notify)

    def learn(self, plan: Plan, selection: Selection | None = None) -> Results:
        """Train the model of a plan, and cluster the latents.

        Args:
            plan: Recipe, steps and batch size.
            selection: The selection of a warp, for the record; None if none was needed.
        """
        if self.earlier is None:
            model = plan.recipe.joint().build(self.data.shape, seed=self.seed)
        else:
            model = self.earlier.build(self.seed)
        history = self._train(model, plan) if self._needs_pose(plan) else None
        return run_once(lambda: self._conclude(model, plan, selection, history))

    def _conclude(
        self, model: Model, plan: Plan, selection: Selection | None, history: History | None
    ) -> Results:
        """Measure content and cluster the latents of a model after its joint training.

        Args:
            model: The model.
            plan: Its recipe, steps and batch size.
            selection: The selection of a warp; None if none was needed.
            history: History of the joint training; None if there was none.
        """
        recipe, schema = plan.recipe, self.schema
        if history is not None:
            model, _ = self._settle(model, plan)
        else:
            model, history = self._settle(model, plan, self.callbacks)
        grouping = self._group(model)
        refinement = self._refine(model, plan, selection)
        columns, labels_choice = self._choose_columns(model, grouping, refinement)
        return Results(
            model=model,
            recipe=recipe,
            schema=schema.with_sampling_rate(sampling_rate_of(recipe.warp)),
            plan=replace(plan, why=(*plan.why, *(f"training {line}" for line in history.notes))),
            selection=selection,
            history=history,
            clusters=grouping.clusters,
            cluster_centers=grouping.clusters.centers,
            mixture=grouping.mixture,
            n_features_in=schema.n_features,
            labels=grouping.labels,
            outlier=grouping.outliers,
            n_iter=history.steps,
            refinement=refinement,
            mode_temperature=self._calibrate_modes(model, refinement),
            columns=columns,
            labels_choice=labels_choice,
            feature_names_in=feature_names_of(self.source),
        )

    def _select_warp(self) -> Selection:
        """Select how much to warp, within `max_steps` and half of `max_seconds`.

        A callback that stores decisions has the selection of an interrupted run.
        """
        max_steps, max_seconds = self.arguments.max_steps, self.arguments.max_seconds
        share = SHARE_OF_SECONDS_FOR_SELECTION
        options: dict[str, Any] = {
            "seed": self.seed,
            "steps": STEPS_OF_TRIAL if max_steps is None else min(STEPS_OF_TRIAL, max_steps),
            "seconds": None if max_seconds is None else max_seconds * share,
            "device": self.arguments.device,
        }
        facts = {**options, "data": dataset_facts(self.data), **code_facts()}
        for callback in self.callbacks:
            if (record := callback.recall("selection", facts)) is not None:
                return Selection.of(record)
        options["on_divergence"] = self.arguments.on_divergence
        select_warp = SELECT_OF_DOMAIN[self.schema.domain.name]
        selection = select_warp(
            self.data.preview(SAMPLES_FOR_DEFAULTS), **options, on_message=self._notify
        )
        for callback in self.callbacks:
            callback.on_decision("selection", facts, asdict(selection))
        return selection

    def _train(self, model: Model, plan: Plan) -> History:
        """Train a model by its plan, in the time that is left, and return the history."""
        facts = {"recipe": recipe_facts(plan.recipe)}
        if self.earlier is not None:
            facts["start"] = checksum(model.state_dict())
        split = self._split()
        is_open = self.arguments.max_steps is None
        return train(
            model,
            plan.recipe.joint().players(model),
            split.training,
            steps=plan.steps,
            batch_size=plan.batch_size,
            seed=self.seed,
            seconds=self._seconds_left(),
            device=self.arguments.device,
            precision=self.arguments.precision,
            on_divergence=self.arguments.on_divergence,
            callbacks=self.callbacks,
            facts=facts,
            validation=split.validation(plan, self.schema.domain, is_open),
        )

    def _needs_pose(self, plan: Plan) -> bool:
        """Whether a joint training comes before the content is measured.

        Without a warp there is no pose to learn, unless an earlier training is continued or samples
        are held out of the joint one.
        """
        is_measured = plan.recipe.content != "joint"
        is_plain = self.earlier is None and self.arguments.validation_fraction is None
        return bool(plan.recipe.warp.factors) or not (is_measured and is_plain)

    def _settle(
        self, model: Model, plan: Plan, callbacks: Sequence[Callback] = ()
    ) -> tuple[Model, History]:
        """The model with measured content, if its recipe says so; else the model itself."""
        if plan.recipe.content == "joint":
            return model, History()
        self._notify("content: measuring codes, and training a decoder for them")
        settled, history = settle(
            model,
            plan.recipe,
            self._split().training,
            steps=plan.steps,
            batch_size=plan.batch_size,
            seed=self.seed,
            seconds=self._seconds_left(),
            device=self.arguments.device,
            precision=self.arguments.precision,
            on_divergence=self.arguments.on_divergence,
            callbacks=callbacks,
        )
        content = settled.encoder.content
        if isinstance(content, DistilledCode):
            self._notify(f"fast codes: {content.loss}")
        return settled, history

    def _refine(self, model: Model, plan: Plan, selection: Selection | None) -> Refinement | None:
        """The refinement of the deformations; None for none.

        A warp that the user named is not refined automatically if it moves nothing.
        """
        refine, has_warp = self.arguments.refine, bool(plan.recipe.warp.factors)
        if refine == "auto" and not (has_warp or selection):
            return None
        options: dict[str, Any] = {"seed": self.seed, "device": self.arguments.device}
        fit = fit_refinement if self.schema.domain.has_times else fit_picture_refinement
        return fit(model, self.data, refine, **options, notify=self._notify)

    def _calibrate_modes(self, model: Model, refinement: Refinement | None) -> float | None:
        """The temperature of pose modes; None for a model whose samples have one pose each."""
        if not has_modes(model):
            return None
        device = resolve_device(self.arguments.device)
        x = reference_view(self.data, MAX_PICTURES, self.seed).x.to(device)
        temperature = mode_temperature(model.to(device).eval(), x, refinement, self.seed)
        model.to("cpu")
        return temperature

    def _split(self) -> Split:
        """The samples to train on, and those that are held out."""
        return Split.of(self.data, self.arguments.validation_fraction, self.seed)

    def _seconds_left(self) -> float | None:
        """Seconds that are left for training; None for no limit."""
        limit = self.arguments.max_seconds
        if limit is None:
            return None
        return max(MIN_SECONDS_OF_TRAINING, limit - (perf_counter() - self.started))

    def _group(self, model: Model) -> Grouping:
        """Clusters and density of the latents of the training samples.

        The cluster of each training sample is that which `predict` returns.
        """
        arguments, schema = self.arguments, self.schema
        grouping = Grouping.of(
            model,
            self.data,
            schema.domain,
            arguments.clusters,
            arguments.n_clusters,
            seed=self.seed,
            device=arguments.device,
            notify=self._notify,
        )
        # values of outliers are limited in training only; those of images always
        rows = np.array(schema.limited_rows, np.intp)
        if rows.size and self.source is not None and not schema.domain.is_bounded:
            samples = schema.prepare(self.source.subset(rows), self.reading.missing)
            grouping.labels[rows] = grouping.clusters.assign(model, samples, arguments.device)
        return grouping

    def _choose_columns(
        self, model: Model, grouping: Grouping, refinement: Refinement | None
    ) -> tuple[Columns, LabelsChoice | None]:
        """The columns of `transform`; and the choice of labels, if they choose."""
        domain, device = self.schema.domain, self.arguments.device
        if self.arguments.labels == "choose":
            columns, choice = choose_columns(model, self.data, domain, device, refinement)
            self._notify(str(choice))
            return columns, choice
        content, theta = (part[:MAX_SAMPLES_FOR_SCALE] for part in grouping.latents)
        pose = pose_columns(model.chart.map(theta), model.chart, domain)
        return Columns("content", scale_of_pose(content, pose)), None

    def _notify(self, message: str) -> None:
        """Pass a message for people to all callbacks."""
        for callback in self.callbacks:
            callback.on_message(message)
