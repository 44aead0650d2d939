"""`Unwarper`: templates, content codes and deformations as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from time import perf_counter
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.analysis.mixture import Mixture
from unwarp.core import Array, Domain, MissingPolicy, Precision, ScaleName, WorkingSize
from unwarp.data.dataset import Dataset
from unwarp.data.fingerprint import code_facts, dataset_facts
from unwarp.data.opening import as_source
from unwarp.data.recordings import IrregularSeries
from unwarp.data.samples import Samples, reference_view
from unwarp.data.scale_fitting import channel_scale_hint
from unwarp.data.schema import Prepared, Reading, Schema
from unwarp.data.source import Source
from unwarp.devices import float32_gradients, resolve_device
from unwarp.errors import ConfigError
from unwarp.estimators.alignment import Alignment
from unwarp.estimators.generation import Generation
from unwarp.estimators.persistence import Persistence
from unwarp.estimators.selection import CHOICES_OF_DOMAIN, STEPS_OF_TRIAL, Selection, select
from unwarp.models.codec import recipe_facts
from unwarp.models.latent import Latent
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.planning.defaults import adapt_to_series, default_clusters, sampling_rate_of
from unwarp.planning.plan import SAMPLES_FOR_DEFAULTS, Plan, Request, make_plan
from unwarp.ranges import check_arguments
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.progress import Announcer, Progress
from unwarp.training.state import History
from unwarp.warps import Warp

SHARE_OF_SECONDS_FOR_SELECTION = 0.5
"""Share of `max_seconds` that the trials for the selection of a warp may take."""

MIN_SECONDS_OF_TRAINING = 1.0
"""Seconds of training that are allowed even if the selection of a warp used up `max_seconds`."""


class Unwarper(
    TransformerMixin,  # type: ignore[misc]
    Alignment,
    Generation,
    Persistence,
    BaseEstimator,  # type: ignore[misc]
):
    """Templates, content codes and deformations of samples, learned without labels.

    An autoencoder with a differentiable warp, for misaligned images and time series. A sample is
    one image or one series. The encoder maps a sample x to a content code z and to the parameters
    theta of a deformation. The decoder maps z to a template, which does not depend on theta, and
    the warp deforms the template:

        x_hat = warp(decoder(z), theta)

    The warp has no trainable weights, so theta has a fixed meaning; `transform_params` returns
    deformations in degrees, pixels, factors or seconds. A deformation is measured relative to the
    mean deformation of the training samples, which counts as the identity (no deformation).

    Args:
        warp: Family of deformations: a `Warp`, its name (`affine`, `similarity`, `time`, `identity`
            for none), or names joined by a plus sign (`displacement+affine`). `auto` takes the warp
            of the recipe; the default is `affine` for images and `time` for series. For series, if
            `recipe` is None as well, short trainings decide between a smooth warp of time, a sharp
            warp of time, and no warp (`selection_`).
        recipe: Architecture, losses and optimiser: a `Recipe`, or the name of a family (`ae`,
            `vae`, `beta-vae`, `gan`, ...). None for an autoencoder that suits the data.
        domain: Kind of samples: `image` or `series`. `auto` takes the kind that the named warp
            deforms; without a named warp the shape of `X` decides.
        n_content: Size D of the content code; None for the size that the recipe states.
        n_clusters: Number of clusters for `predict`. None means 10 for images. For series it means
            the number of classes if the source has labels, else a tenth of the number of samples,
            but at least 2 and at most 10.
        max_steps: Training steps. None for about 30 passes over the data, but at least 300 for
            images, 400 for series and 800 for the sharp warp of series, and at most 4,000.
        max_seconds: Longest time of `fit` after the samples are read; None for no limit.
        batch_size: Samples in a training step; None for 64 images or 20 series.
        scale: Scaling of values. `auto` divides uint8 by 255, maps the range of other images to
            [0, 1], and standardises all series together; `channel` standardises each channel over
            all series; `each` standardises every channel of every series by itself; None leaves
            values as they are, and values outside [0, 1] are an error.
        missing: Treatment of NaN in series: `error` refuses them, `interpolate` fills them linearly
            in time, `mask` learns only from the observed values.
        sampling_rate: Samples per second of series; times, lags and events are then in seconds.
            None to count time in time steps.
        image_shape: (H, W) or (C, H, W) of images that are rows of a table; None otherwise.
        working_size: Size at which the model learns images. Deformations do not depend on the size,
            so `align`, templates, points and matrices are at the size of the images. `auto` keeps
            images of up to 48 pixels and takes a side of 24 to 48 for larger ones, as much detail
            as they have; a number is the longest side in pixels, (H, W) a size, None the full size.
        overrides: Values for single fields of the recipe, such as `{"optimiser.lr": 1e-3}`. They
            replace the values of `recipe` and those that `fit` chooses.
        random_state: Seed of all random numbers: a whole number below 2**32, or, as scikit-learn
            takes them, a `numpy.random.RandomState`, or None for another seed at each `fit`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for 32-bit floats, `bf16` or `fp16` for mixed precision in training.
        verbose: Whether to print decisions and progress.

    Attributes:
        model_: The trained `Model`.
        recipe_: The recipe of the model.
        plan_: Recipe, steps and batch size of the training, with the reasons for each decision;
            None after `load`.
        selection_: Selected warp of series with its measurements; None if no selection was needed.
        history_: Loss terms and other measures over the training; empty after `load`.
        schema_: Shape, scale and times of the samples that the model takes.
        n_features_in_: Number of values in a sample.
        cluster_centers_: Content codes of the clusters (n_clusters, D).
        cluster_templates_: Templates of the cluster centres (n_clusters, C, ...).
        mixture_: Gaussian mixture over content and deformation of the training samples.
        times_: Time of each time step of aligned series (T,); models of series only.

    See Also:
        unwarp.train: The training loop, for your own models and losses.
        unwarp.evaluate: Scores of a trained model on labelled or unlabelled data.

    Notes:
        On the CPU, the same samples, arguments and number of threads give the same weights.
        Autoencoders with explicit deformations: Detlefsen and Hauberg (2019, Explicit
        disentanglement of appearance and perspective in generative models), for images, and
        Koneripalli et al. (2020, Rate-invariant autoencoding of time-series).

    Examples:
        >>> import numpy as np
        >>> from unwarp import Unwarper
        >>> X = np.random.default_rng(0).random((20, 12, 12))
        >>> unwarper = Unwarper(max_steps=2, n_clusters=3).fit(X)
        >>> unwarper.align(X).shape
        (20, 12, 12)
        >>> unwarper.transform_params(X).columns[0]
        'rotation_deg'
        >>> unwarper.predict(X).shape
        (20,)
    """

    warp: str | Warp
    recipe: str | Recipe | None
    domain: str
    n_content: int | None
    n_clusters: int | None
    max_steps: int | None
    max_seconds: float | None
    batch_size: int | None
    scale: ScaleName | None
    missing: MissingPolicy
    sampling_rate: float | None
    image_shape: tuple[int, ...] | None
    working_size: WorkingSize
    overrides: Mapping[str, Any] | None
    random_state: int | np.random.RandomState | None
    device: str
    precision: Precision
    verbose: bool

    def __init__(
        self,
        warp: str | Warp = "auto",
        recipe: str | Recipe | None = None,
        *,
        domain: str = "auto",
        n_content: int | None = None,
        n_clusters: int | None = None,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        batch_size: int | None = None,
        scale: ScaleName | None = "auto",
        missing: MissingPolicy = "error",
        sampling_rate: float | None = None,
        image_shape: tuple[int, ...] | None = None,
        working_size: WorkingSize = "auto",
        overrides: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
        precision: Precision = "no",
        verbose: bool = False,
    ) -> None:
        # scikit-learn requires that arguments are stored unchanged and checked in `fit`
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    @float32_gradients()
    def fit(
        self, X: Any, y: Any = None, *, times: Any = None, callbacks: Sequence[Callback] = ()
    ) -> Self:
        """Learn templates, content codes and deformations from samples.

        The arguments are checked before the samples are read. All attributes of the trained
        estimator change together at the end: after an error or an interrupt, an estimator that was
        trained before is as it was.

        Args:
            X: N samples: an array of images (N, H, W) or (N, C, H, W) or of series (N, T) or
                (N, C, T), a list of series (T_i,) or (C, T_i), a folder of images, a file, or a
                `Dataset`. Series of unequal lengths are resampled to the length of the longest; in
                an array, NaN at the end of a row ends its series.
            y: Ignored; part of scikit-learn's interface.
            times: Time stamps of series whose time steps are not evenly spaced, as seconds, dates
                or durations: (N, T), a list of N arrays (T_i,), or (T,) for the same times in all
                series. A model that was trained with time stamps needs them in all methods.
            callbacks: Callbacks of the training loop (`unwarp.training.Callback`).

        Returns:
            The estimator itself.

        Raises:
            DataError: The samples cannot be used; the message gives reason and remedy.
            ConfigError: An argument is unknown or out of range, or does not fit the samples.
        """
        # 1. check the arguments, then read the samples and find out their domain, shape and scale
        request, reading = self._check()
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        callbacks = (*callbacks, *self._progress())
        schema, data = Schema.fit(as_source(X, times), reading)
        started = perf_counter()
        # 2. decide on the recipe, the steps and the batch size, and for series how much to warp
        plan, selection = self._decide(request, schema, data, seed, callbacks)
        # 3. build the model of the recipe, train it, and cluster the latents of the samples
        learned = self._learn(plan, data, schema.domain, seed, started, callbacks)
        # 4. store all results at once, so that a failure or an interrupt changes no attribute
        self.__dict__.update(
            schema_=schema.with_sampling_rate(sampling_rate_of(plan.recipe.warp)),
            n_features_in_=schema.n_features,
            plan_=plan,
            recipe_=plan.recipe,
            selection_=selection,
            **learned,
        )
        return self

    def parse(self, X: Any, *, times: Any = None) -> Source:
        """Samples as `fit` reads them: parsed and checked, but not yet scaled.

        Use it to read samples once and then split them, for example in training and test samples.
        All methods accept the result, or its subsets (`Source.subset`), as `X`.

        Args:
            X: Samples, as for `fit`.
            times: Time stamps, as for `fit`.

        Raises:
            DataError: The samples cannot be used.
            ConfigError: An argument is unknown, or does not fit the samples.
        """
        reading = self._check()[1]
        return reading.parse(as_source(X, times))

    def fit_transform(
        self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any
    ) -> Array:
        """Content codes of the training samples, after `fit`.

        Args:
            X: N samples, as for `fit`.
            y: Ignored.
            times: Time stamps, as for `fit`.
            **fit_params: Further arguments of `fit`, such as `callbacks`.

        Returns:
            Content codes (N, D).

        Raises:
            DataError: The samples cannot be used.
            ConfigError: An argument is unknown, or does not fit the samples.
        """
        return self.fit(X, y, times=times, **fit_params).transform(X, times=times)

    def transform(self, X: Any, *, times: Any = None) -> Array:
        """Content codes of samples, which do not depend on their deformations.

        The code of a variational autoencoder is the posterior mean.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Content codes (N, D), in the dtype of `X` if that is float32 or float64, else float32.

        Raises:
            DataError: The samples do not fit the model.
        """
        return self._content(X, times).astype(_floating_dtype(X), copy=False)

    def template(self, X: Any, *, times: Any = None) -> Array:
        """The template of each sample: its reconstruction without a deformation.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Templates in the shape, range and dtype of `X`. Series of unequal lengths, or with time
            stamps, are returned at the evenly spaced times `times_`.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples = self.prepare_samples(X, times)
        return samples.collect(self._decoded(samples, is_deformed=False))

    def reconstruct(self, X: Any, *, times: Any = None) -> Array | list[Array]:
        """Reconstructions of samples: templates under the estimated deformations.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Reconstructions in the shape, range and dtype of `X`, at the times of the series in
            `X`. A list if `X` is a list of series of unequal lengths.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples = self.prepare_samples(X, times)
        if not isinstance(samples.origin, IrregularSeries):
            return samples.collect(self._decoded(samples))
        return samples.restore_times(torch.cat([part for _, part in self._decoded(samples)]))

    @torch.no_grad()
    @float32_gradients()
    def score(self, X: Any, y: Any = None, *, times: Any = None) -> float:
        """Mean log-likelihood of samples given their reconstructions.

        Args:
            X: N samples like those of `fit`.
            y: Ignored.
            times: Time stamps, as for `fit`.

        Returns:
            log p(x | x_hat) in nats, summed over values and averaged over samples, in the scaled
            units of the model; greater is better.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples, likelihood = self.prepare_samples(X, times), self.model_.likelihood
        total = 0.0
        for rows, latent in self._latents(samples):
            # the CPU decodes, so that the result does not depend on the device
            x_hat = self.model_.to("cpu").reconstruct(latent)
            # only the Gaussian likelihood is defined for values outside [0, 1]
            x = samples[rows] if likelihood.kind == "gaussian" else samples[rows].clamp(0, 1)
            total += float(likelihood(x_hat, x).sum())
        return -total / len(samples)

    def predict(self, X: Any, *, times: Any = None) -> Array:
        """The cluster of each sample: the one with the nearest centre.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Rows of `cluster_centers_` (N,), counted from 0.

        Raises:
            DataError: The samples do not fit the model.
        """
        return np.asarray(pairwise_distances_argmin(self._content(X, times), self.cluster_centers_))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the content columns, `content_0` to `content_{D-1}`.

        Args:
            input_features: Ignored; part of scikit-learn's interface.
        """
        check_is_fitted(self)
        return np.array([f"content_{i}" for i in range(self.model_.n_content)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def _check(self) -> tuple[Request, Reading]:
        """The model that is asked for, and how to read samples, with all arguments checked."""
        check_arguments(self.get_params(deep=False))
        resolve_device(self.device)
        overrides = {} if self.overrides is None else self.overrides
        if not isinstance(overrides, Mapping) or not all(isinstance(key, str) for key in overrides):
            raise ConfigError(
                f"overrides={overrides!r} must map names of recipe fields to values, "
                "as {'optimiser.lr': 1e-3}"
            )
        request = Request(self.recipe, self.warp, self.n_content, dict(overrides))
        return request, Reading(
            self.domain,
            self.scale,
            self.missing,
            self.sampling_rate,
            self.image_shape,
            self.working_size,
            request.warp_domain,
        )

    def _seconds_left(self, started: float) -> float | None:
        """Seconds that are left for training since `started`; None for no limit."""
        if self.max_seconds is None:
            return None
        return max(MIN_SECONDS_OF_TRAINING, self.max_seconds - (perf_counter() - started))

    def _progress(self) -> tuple[Callback, ...]:
        """Callbacks that print decisions and progress, if `verbose`."""
        seconds = self.max_seconds
        if not self.verbose:
            return ()
        return Announcer(print, seconds), Progress("training", seconds=seconds)

    def _decide(
        self,
        request: Request,
        schema: Schema,
        data: Samples,
        seed: int,
        callbacks: Sequence[Callback],
    ) -> tuple[Plan, Selection | None]:
        """Decide how to train a model of the samples.

        Args:
            request: Recipe, warp and overrides of the user.
            schema: Domain, shape and scale of the samples.
            data: Scaled training samples.
            seed: Seed of the trials that select a warp.
            callbacks: Callbacks, which are told about the decisions.

        Returns:
            The plan of the training; and the selection of a warp, or None if none was needed.
        """
        notify = partial(_notify, callbacks)
        for note in schema.notes:
            notify(note)
        if schema.domain.has_times and self.scale == "auto":
            warning = channel_scale_hint(data.preview(SAMPLES_FOR_DEFAULTS).numpy())
            if warning:
                notify(warning)
        options: dict[str, Any] = {"batch_size": self.batch_size, "steps": self.max_steps}
        options["has_gaps"] = self.missing == "mask"
        plan = make_plan(request, schema, data, **options)
        if not plan.is_open or schema.domain.name not in CHOICES_OF_DOMAIN:
            return plan, None
        selection = self._select_warp(data, seed, callbacks)
        why = f"how much to warp: {selection}"
        notify(why)
        decided = adapt_to_series(selection.recipe, data.preview(SAMPLES_FOR_DEFAULTS))
        return make_plan(request, schema, data, decided=decided, why=(why,), **options), selection

    def _select_warp(self, data: Samples, seed: int, callbacks: Sequence[Callback]) -> Selection:
        """Select how much to warp series, within `max_steps` and half of `max_seconds`.

        A callback that stores decisions has the selection of an interrupted run.
        """
        steps, seconds = STEPS_OF_TRIAL, None
        if self.max_steps is not None:
            steps = min(STEPS_OF_TRIAL, self.max_steps)
        if self.max_seconds is not None:
            seconds = self.max_seconds * SHARE_OF_SECONDS_FOR_SELECTION
        options: dict[str, Any] = {
            "seed": seed,
            "steps": steps,
            "seconds": seconds,
            "device": self.device,
        }
        facts = {**options, "data": dataset_facts(data), **code_facts()}
        for callback in callbacks:
            if (record := callback.recall("selection", facts)) is not None:
                return Selection.of(record)
        selection = select(
            data.preview(SAMPLES_FOR_DEFAULTS), **options, on_message=partial(_notify, callbacks)
        )
        for callback in callbacks:
            callback.on_decision("selection", facts, asdict(selection))
        return selection

    def _learn(
        self,
        plan: Plan,
        data: Samples,
        domain: Domain,
        seed: int,
        started: float,
        callbacks: Sequence[Callback],
    ) -> dict[str, Any]:
        """Build and train the model of a plan, and cluster the latents of the samples.

        Args:
            plan: Recipe, steps and batch size.
            data: Training samples.
            domain: Domain of the samples.
            seed: Seed of the weights, the training and the clusters.
            started: Time at which the samples were read, from `perf_counter`.
            callbacks: Observers of the training.

        Returns:
            Values of the attributes `model_`, `history_`, `cluster_centers_` and `mixture_`.
        """
        model = plan.recipe.build(data.shape, seed=seed)
        history = self._train(model, plan, data, seed, self._seconds_left(started), callbacks)
        centers, mixture = self._cluster(model, reference_view(data), domain, seed)
        results = {"model_": model, "history_": history}
        return {**results, "cluster_centers_": centers, "mixture_": mixture}

    def _train(
        self,
        model: Model,
        plan: Plan,
        data: Samples,
        seed: int,
        seconds: float | None,
        callbacks: Sequence[Callback],
    ) -> History:
        """Train a model by its plan, for at most `seconds`, and return the history."""
        return train(
            model,
            plan.recipe.players(model),
            data,
            steps=plan.steps,
            batch_size=plan.batch_size,
            seed=seed,
            seconds=seconds,
            device=self.device,
            precision=self.precision,
            callbacks=callbacks,
            facts={"recipe": recipe_facts(plan.recipe)},
        )

    def _cluster(
        self, model: Model, data: Dataset, domain: Domain, seed: int
    ) -> tuple[Array, Mixture]:
        """Cluster the latents of training samples.

        Args:
            model: The trained model.
            data: Training samples.
            domain: Domain of the samples, for the default number of clusters.
            seed: Seed of k-means and of the mixture.

        Returns:
            The centres (k, D) of k-means on content codes, and a Gaussian mixture of content and
            theta.
        """
        content, theta = encode(model, data.x, device=self.device)
        codes = content.numpy()
        n = self.n_clusters or default_clusters(domain, len(data), data.labels)
        mixture = Mixture.fit(torch.cat([content, theta], 1).numpy(), n, seed)
        # k-means warns if there are more clusters than distinct codes
        k = min(n, len(np.unique(codes, axis=0)))
        # scikit-learn takes seeds below 2**32
        means = KMeans(k, n_init=10, random_state=seed % (1 << 32)).fit(codes)
        return means.cluster_centers_, mixture

    @torch.no_grad()
    def _latents(self, samples: Prepared) -> Iterator[tuple[slice, Latent]]:
        """Content codes and deformations of samples, chunk by chunk.

        Args:
            samples: N samples.

        Yields:
            The rows of a chunk, and its latents on the CPU.
        """
        model, chart = self.model_, self.model_.chart
        for rows in samples.chunks():
            content, theta = encode(model, samples[rows], device=self.device)
            yield rows, Latent(content, chart.map(theta))

    def _decoded(
        self, samples: Prepared, is_deformed: bool = True
    ) -> Iterator[tuple[slice, Tensor]]:
        """Reconstructions of samples, or templates, chunk by chunk.

        Args:
            samples: N samples.
            is_deformed: Whether to deform the templates into reconstructions.

        Yields:
            The rows of a chunk, and its decoded samples at the user's size, scaled.
        """
        for rows, latent in self._latents(samples):
            yield rows, self._decode(latent.content, latent.map if is_deformed else None)

    def _content(self, X: Any, times: Any) -> Array:
        """Content codes (N, D) of samples, float32."""
        samples = self.prepare_samples(X, times)
        return encode(self.model_, samples, device=self.device)[0].numpy()


def _notify(callbacks: Sequence[Callback], message: str) -> None:
    """Pass a message for people to all callbacks."""
    for callback in callbacks:
        callback.on_message(message)


def _floating_dtype(X: Any) -> Any:
    """The dtype of floating-point samples; float32 for all others."""
    dtype = getattr(X, "dtype", None)
    return dtype if dtype in (np.float32, np.float64) else np.float32
