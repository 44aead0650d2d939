"""The scikit-learn door: `Unwarper`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from time import perf_counter
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from unwarp.analysis.embedding import Embedding, embed, encode
from unwarp.analysis.mixture import Mixture
from unwarp.core import Array, MissingPolicy, Precision
from unwarp.data.dataset import Dataset, reference_view
from unwarp.data.opening import as_source
from unwarp.data.scaling import Scale, uneven_channels
from unwarp.data.schema import Prepared, Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import ConfigError
from unwarp.estimators.alignment import Alignment
from unwarp.estimators.generation import Generation
from unwarp.estimators.selection import CHOICES_OF_DOMAIN, STEPS, Selection, select
from unwarp.estimators.storing import Storing
from unwarp.models.recipe import Recipe
from unwarp.planning.defaults import adapt_to_series, default_clusters, sampling_rate_of
from unwarp.planning.plan import Plan, Request, make_plan
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.progress import Choice, Progress
from unwarp.warps import Warp

LEAST = {"batch_size": 2, "n_clusters": 1, "n_content": 1, "max_steps": 1}
"""Smallest value of each argument that counts something; None leaves it to the data."""


class Unwarper(TransformerMixin, Alignment, Generation, Storing, BaseEstimator):  # type: ignore[misc]
    """Each sample's template, content code and deformation in human units, learned without labels.

    Args:
        warp: `auto` (affine for images; for series as much as `selection_` finds to help, perhaps none), a name
            (`affine`, `similarity`, `identity`, ... or `displacement+affine`), or any `Warp`. It replaces the recipe's.
        recipe: Any `Recipe`, or its name (`ae`, `vae`); None for an autoencoder that suits the data.
        domain: `image`, `series`, or `auto`: what the warp acts on or, where none is named, what the shape says.
        n_content: Size of the content code; None for the recipe's.
        n_clusters: Clusters of `predict`; None for 10 of images, and of series for as many as there are classes in a file or
            data set that knows them, else for a tenth of the samples, 2 to 10.
        max_steps: Training steps; None for about 30 passes over the data, 300 to 4,000 steps (400 at least of series, 800 of
            those with ripples).
        max_seconds: Bound on the training time.
        batch_size: Samples a step; None for 64 images or 20 series.
        scale: `auto` (uint8 by 255, other images by their range, series by mean and standard deviation), `channel`
            (each channel of series by its mean and standard deviation over all), `each` (each channel of every series by
            its own), or None to demand values in [0, 1].
        missing: NaN in series: `error`; `mask` to learn from what was observed alone; or `interpolate` to fill it by a line
            between its neighbours in time and take it as observed.
        sampling_rate: Samples a second of series; times, lags and events are then in seconds.
        image_shape: (H, W) or (C, H, W) of flattened images.
        overrides: Fields of the recipe, as `{"optimiser.lr": 1e-3}`, laid over the recipe that was decided.
        random_state: Seed of everything random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, or `bf16` or `fp16` for mixed precision in training.
        verbose: Show what was chosen, and progress.

    Attributes:
        model_: The trained `Model`.
        plan_: What was decided, and why; None of a loaded estimator.
        recipe_: The recipe of the plan.
        selection_: How much to warp series, with the evidence; None where that was not left open.
        history_: What training did.
        schema_: What samples it takes, and how they are scaled.
        cluster_centers_: Content of the clusters (n_clusters, D).
        cluster_templates_: What they look like.
        mixture_: Where content and deformation of the training samples lie: what `sample` draws from.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((20, 12, 12))
    >>> Unwarper(max_steps=2).fit(X).transform_params(X).columns[0]
    'rotation_deg'
    """

    warp: str | Warp
    recipe: str | Recipe | None
    domain: str
    n_content: int | None
    n_clusters: int | None
    max_steps: int | None
    max_seconds: float | None
    batch_size: int | None
    scale: Scale
    missing: MissingPolicy
    sampling_rate: float | None
    image_shape: tuple[int, ...] | None
    overrides: Mapping[str, Any] | None
    random_state: int
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
        scale: Scale = "auto",
        missing: MissingPolicy = "error",
        sampling_rate: float | None = None,
        image_shape: tuple[int, ...] | None = None,
        overrides: Mapping[str, Any] | None = None,
        random_state: int = 0,
        device: str = "auto",
        precision: Precision = "no",
        verbose: bool = False,
    ) -> None:
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    def fit(
        self, X: Any, y: Any = None, *, times: Any = None, callbacks: Sequence[Callback] = ()
    ) -> Self:
        """Learn from samples.

        Args:
            X: An array, a folder of images, a file, a `Dataset`, or a list of series of unequal lengths, which are all
                resampled to as many steps as the longest has. In an array of series NaN at the end of a row ends it.
            y: Ignored.
            times: Time stamps of series, in seconds, dates or durations: (T,) for all, (N, T), or N of (T_i,), for uneven
                steps. All methods that take series take theirs.
            callbacks: Code that looks on.

        Raises:
            DataError: Data that cannot be used; the message says what came and what to do.
            ConfigError: A choice that does not exist or does not fit the data.
        """
        request = self._request()
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        callbacks = (*callbacks, *self._progress())
        # open once: samples with their times, then what they are and the tensor that a model takes
        schema, data = Schema.fit(as_source(X, times), self._reading(request.warp_domain))
        started = perf_counter()
        # decide: what can be read off the data, then, where it is left open, how much to warp
        plan, selection = self._decide(request, schema, data, seed, callbacks)
        # learn: the model that the plan describes, by the players that its recipe names
        model = plan.recipe.build(data.shape, seed=seed)
        players, seconds = plan.recipe.players(model), self._seconds_left(started)
        where: dict[str, Any] = {
            "device": self.device,
            "precision": self.precision,
            "callbacks": callbacks,
        }
        steps, size = plan.steps, plan.batch_size
        history = train(
            model, players, data, steps=steps, batch_size=size, seed=seed, seconds=seconds, **where
        )
        # keep all of it, at once
        self.schema_ = schema.with_sampling_rate(sampling_rate_of(plan.recipe.warp))
        self.n_features_in_ = schema.n_features
        self.plan_, self.recipe_, self.selection_ = plan, plan.recipe, selection
        self.model_, self.history_ = model, history
        self._cluster(reference_view(data), seed)
        return self

    def parse(self, X: Any, *, times: Any = None) -> Source:
        """Samples as `fit` reads them, parsed and checked; parts of them may then be given to `fit` and all other methods.

        Args:
            X: Samples, as for `fit`.
            times: Time stamps, as for `fit`.

        Raises:
            DataError: Data that cannot be used.
            ConfigError: A choice that does not exist or does not fit the data.
        """
        return self._reading(self._request().warp_domain).parse(as_source(X, times))

    def fit_transform(
        self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any
    ) -> Array:
        """`fit`, then `transform`."""
        return self.fit(X, y, times=times, **fit_params).transform(X, times=times)

    def transform(self, X: Any, *, times: Any = None) -> Array:
        """Content codes (N, D): the posterior mean, whatever the batch size."""
        return self._content(X, times).astype(_floating(X), copy=False)

    def template(self, X: Any, *, times: Any = None) -> Array:
        """What each sample looks like undeformed, in the shape and range of `X`; series at the steps `times_`."""
        samples = self.prepare_samples(X, times)
        return samples.restore_shape(torch.from_numpy(self._embed(samples).templates))

    def reconstruct(self, X: Any, *, times: Any = None) -> Array | list[Array]:
        """The templates, deformed as the samples are, in the shape and range of `X`; series at their own times."""
        samples = self.prepare_samples(X, times)
        return samples.restore_clock(torch.from_numpy(self._embed(samples).x_hat))

    def score(self, X: Any, y: Any = None, *, times: Any = None) -> float:
        """Mean log-likelihood of the samples given their reconstruction, in nats; greater is better."""
        samples = self.prepare_samples(X, times)
        x, x_hat = samples.x, torch.from_numpy(self._embed(samples).x_hat)
        likelihood = self.model_.likelihood
        with torch.no_grad():
            return -float(
                likelihood(x_hat, x if likelihood.kind == "gaussian" else x.clamp(0, 1)).mean()
            )

    def predict(self, X: Any, *, times: Any = None) -> Array:
        """The cluster of each sample (N,): the nearest of `cluster_centers_` in content."""
        return np.asarray(pairwise_distances_argmin(self._content(X, times), self.cluster_centers_))

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the content columns."""
        check_is_fitted(self)
        return np.array([f"content_{i}" for i in range(self.model_.n_content)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def _request(self) -> Request:
        """What is asked for, checked before any data are read."""
        for name, low in LEAST.items():
            value = getattr(self, name)
            if not (value is None or (isinstance(value, Integral) and int(value) >= low)):
                raise ConfigError(f"{name}={value!r} must be a whole number of at least {low}")
        overrides = {} if self.overrides is None else self.overrides
        if not isinstance(overrides, Mapping) or not all(isinstance(key, str) for key in overrides):
            raise ConfigError(
                f"overrides={overrides!r} must map fields to values, as {{'optimiser.lr': 1e-3}}"
            )
        bound = self.max_seconds
        if not (bound is None or (isinstance(bound, Real) and 0 < bound < np.inf)):
            raise ConfigError(
                f"max_seconds={bound!r} must be a positive number, or None for no bound"
            )
        return Request(self.recipe, self.warp, self.n_content, dict(overrides))

    def _reading(self, warp_domain: str) -> Reading:
        return Reading(
            self.domain, self.scale, self.missing, self.sampling_rate, self.image_shape, warp_domain
        )

    def _seconds_left(self, started: float) -> float | None:
        """What is left of the bound on the time of `fit`, one second at least."""
        return self.max_seconds and max(1.0, self.max_seconds - (perf_counter() - started))

    def _progress(self) -> tuple[Callback, ...]:
        bound = self.max_seconds
        return (Choice(print, bound), Progress("training", seconds=bound)) if self.verbose else ()

    def _decide(
        self,
        request: Request,
        schema: Schema,
        data: Dataset,
        seed: int,
        callbacks: Sequence[Callback],
    ) -> tuple[Plan, Selection | None]:
        """The plan for training samples and, where the data had to decide how much to warp, the evidence."""
        say = partial(_say, callbacks)
        if (
            schema.domain.has_times
            and self.scale == "auto"
            and (uneven := uneven_channels(data.x.numpy()))
        ):
            say(uneven)
        options: dict[str, Any] = {"batch_size": self.batch_size, "steps": self.max_steps}
        options["has_gaps"] = self.missing == "mask"
        plan = make_plan(request, schema, data, **options)
        if not plan.is_open or schema.domain.name not in CHOICES_OF_DOMAIN:
            return plan, None
        steps = STEPS if self.max_steps is None else min(STEPS, self.max_steps)
        seconds = None if self.max_seconds is None else self.max_seconds / 2
        selection = select(
            data.x, seed=seed, steps=steps, seconds=seconds, device=self.device, say=say
        )
        why = f"how much to warp: {selection}"
        say(why)
        decided = adapt_to_series(selection.recipe, data.x)
        return make_plan(request, schema, data, decided=decided, why=(why,), **options), selection

    def _cluster(self, data: Dataset, seed: int) -> None:
        """Find clusters of content, and the mixture of content and deformation, of training samples."""
        content, theta = encode(self.model_, data.x, device=self.device)
        codes = content.numpy()
        n = self.n_clusters or default_clusters(self.schema_.domain, len(data), data.labels)
        self.mixture_ = Mixture.fit(torch.cat([content, theta], 1).numpy(), n, seed)
        k = min(n, len(np.unique(codes, axis=0)))
        self.cluster_centers_ = (
            KMeans(k, n_init=10, random_state=seed % (1 << 32)).fit(codes).cluster_centers_
        )

    def _embed(self, samples: Prepared) -> Embedding:
        return embed(self.model_, samples.x, device=self.device)

    def _content(self, X: Any, times: Any) -> Array:
        x = self.prepare(X, times)
        return encode(self.model_, x, device=self.device)[0].numpy()


def _say(callbacks: Sequence[Callback], line: str) -> None:
    for callback in callbacks:
        callback.on_message(line)


def _floating(X: Any) -> Any:
    dtype = getattr(X, "dtype", None)
    return dtype if dtype in (np.float32, np.float64) else np.float32
