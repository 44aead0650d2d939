"""The scikit-learn door: `Unwarper`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from time import perf_counter
from typing import Any, Self, get_args

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.embedding import Embedding, embed, encode
from unwarp.analysis.mixture import Mixture
from unwarp.analysis.tables import theta_of
from unwarp.core import Array, DomainName, LatentDensity, MissingPolicy, Precision
from unwarp.data.dataset import Dataset, reference_view
from unwarp.data.scaling import Scale, uneven_channels
from unwarp.data.schema import Prepared, Schema, learnable
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.estimators.alignment import Alignment
from unwarp.estimators.selection import STEPS, Selection, select
from unwarp.models import Model, Recipe, store
from unwarp.models.latent import Latent
from unwarp.planning.defaults import adapted, enough_steps, kind_of, suited, timed
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.progress import Choice, Progress
from unwarp.training.state import History
from unwarp.warps import Warp

LEAST = {"batch_size": 2, "n_clusters": 1, "n_content": 1, "max_steps": 1}


class Unwarper(TransformerMixin, Alignment, BaseEstimator):  # type: ignore[misc]
    """Learn, without labels, each sample's template, its content code and its deformation in human units.

    Args:
        warp: `auto` (affine for images; for series as much as `unwarp.selection` finds to help, perhaps none), a name (`affine`, `similarity`, `identity`, ... or
            `displacement+affine`), or any `Warp`. It replaces the recipe's.
        recipe: Any `Recipe`, or its name (`ae`, `vae`); None for an autoencoder that suits the data.
        domain: `image`, `series`, or `auto`: what the warp acts on or, where none is named, what the shape says.
        n_content: Size of the content code; None for the recipe's.
        n_clusters: Clusters of `predict`.
        max_steps: Training steps; None for about 30 passes over the data, 300 to 4,000 steps (400 at least of series, 800 of
            those with ripples).
        max_seconds: Bound on the training time.
        batch_size: Samples a step.
        scale: `auto` (uint8 by 255, other images by their range, series by mean and standard deviation), `channel`
            (each channel of series by its mean and standard deviation over all), `each` (each channel of every series by
            its own), or None to demand values in [0, 1].
        missing: NaN in series: `error`; `mask` to learn from what was observed alone; or `interpolate` to fill it by a line
            between its neighbours in time and take it as observed.
        sampling_rate: Samples a second of series; times, lags and events are then in seconds.
        image_shape: (H, W) or (C, H, W) of flattened images.
        random_state: Seed of everything random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, or `bf16` or `fp16` for mixed precision in training.
        verbose: Show what was chosen, and progress.

    Attributes:
        model_: The trained `Model`.
        recipe_: Its recipe.
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

    selection_: Selection | None

    def __init__(
        self,
        warp: str | Warp = "auto",
        recipe: str | Recipe | None = None,
        *,
        domain: DomainName = "auto",
        n_content: int | None = None,
        n_clusters: int = 10,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        batch_size: int = 64,
        scale: Scale = "auto",
        missing: MissingPolicy = "error",
        sampling_rate: float | None = None,
        image_shape: tuple[int, ...] | None = None,
        random_state: int = 0,
        device: str = "auto",
        precision: Precision = "no",
        verbose: bool = False,
    ) -> None:
        self.warp = warp
        self.recipe = recipe
        self.domain = domain
        self.n_content = n_content
        self.n_clusters = n_clusters
        self.max_steps = max_steps
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.scale = scale
        self.missing = missing
        self.sampling_rate = sampling_rate
        self.image_shape = image_shape
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, times: Any = None, callbacks: Sequence[Callback] = ()) -> Self:
        """Learn from samples.

        Args:
            X: An array, a folder of images, a file, a `Dataset`, or a list of series of unequal lengths, which are all
                resampled to as many steps as the longest has. In an array of series NaN at the end of a row ends it.
            y: Ignored.
            times: Time stamps of series, in seconds, dates or durations: (T,) for all, (N, T), or N of (T_i,), for uneven
                steps. All methods that take series take theirs.
            callbacks: Who looks on.

        Raises:
            DataError: Data that cannot be used; the message says what came and what to do.
            ConfigError: A choice that does not exist or does not fit the data.
        """
        data, started = self._learnable(X, times), perf_counter()
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        bound = self.max_seconds
        shown = [Choice(print, bound), Progress("training", seconds=bound)] if self.verbose else []
        looking_on = (*callbacks, *shown)
        if self.schema_.domain == "series" and self.scale == "auto" and (uneven := uneven_channels(data.x.numpy())):
            _say(looking_on, uneven)
        recipe = suited(data.x, self._chosen(data, seed, looking_on), self.warp, self.n_content)
        if self.missing == "mask" and self.schema_.domain == "series":
            recipe = replace(recipe, gaps=True)
        self.schema_, self.recipe_ = timed(self.schema_, recipe)
        model = self.recipe_.build(data.shape, seed=seed)
        suits = enough_steps(recipe, data.x, self.batch_size)
        self.history_ = train(
            model,
            self.recipe_.players(model),
            data,
            steps=suits if self.max_steps is None else self.max_steps,
            batch_size=self.batch_size,
            seed=seed,
            seconds=bound and max(1.0, bound - (perf_counter() - started)),
            device=self.device,
            precision=self.precision,
            callbacks=looking_on,
        )
        self.model_ = model
        self._cluster(reference_view(data), seed)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any) -> Array:
        """`fit`, then `transform`."""
        return self.fit(X, y, times=times, **fit_params).transform(X, times=times)

    def transform(self, X: Any, *, times: Any = None) -> Array:
        """Content codes (N, D): the posterior mean, whatever the batch size."""
        return self._content(X, times).astype(_floating(X), copy=False)

    def template(self, X: Any, *, times: Any = None) -> Array:
        """What each sample looks like undeformed, in the shape and range of `X`; series at the steps `times_`."""
        taken = self._take(X, times)
        return taken.aligned(torch.from_numpy(self._embed(taken).templates))

    def reconstruct(self, X: Any, *, times: Any = None) -> Array | list[Array]:
        """The templates, deformed as the samples are, in the shape and range of `X`; series at their own times."""
        taken = self._take(X, times)
        return taken.recorded(torch.from_numpy(self._embed(taken).x_hat))

    def inverse_transform(self, Z: Any, params: Any = None) -> Array:
        """Samples (N, C, ...) from content codes: templates, or deformed by `params`.

        Args:
            Z: Content codes (N, D).
            params: What `transform_params(..., full=True)` gives, or its affine human columns.
        """
        check_is_fitted(self)
        content = torch.tensor(np.array(Z, np.float32))
        if content.ndim != 2 or content.shape[1] != self.model_.n_content:
            raise DataError(f"Z has shape {tuple(content.shape)}; give codes of shape (N, {self.model_.n_content})")
        with torch.no_grad():
            if params is None:
                made = self.model_.template(content)
            else:
                theta = theta_of(params, self.model_.chart, len(content))
                made = self.model_.reconstruct(Latent(content, self.model_.chart.map(theta)))
        return np.asarray(self.schema_.scaler.undo(made.numpy()))

    def sample(self, n: int = 1, *, source: LatentDensity = "auto", random_state: int = 0) -> Array:
        """New samples (n, C, ...) in the data's range.

        Args:
            n: How many.
            source: `prior`, `mixture` (a Gaussian mixture fitted to the training samples' content and deformation), or `auto`:
                the prior of a family that has one, else the mixture.
            random_state: Seed.
        """
        check_is_fitted(self)
        if n < 1 or source not in get_args(LatentDensity):
            raise ConfigError(
                f"n={n} must be at least 1, and source={source!r} one of {', '.join(get_args(LatentDensity))}"
            )
        if source == "prior" and not self.recipe_.generative:
            raise ConfigError(f"{self.recipe_.family!r} has no prior over content; use source='mixture'")
        with torch.no_grad():
            if source == "mixture" or not self.recipe_.generative:
                made = self._drawn(torch.from_numpy(self.mixture_.sample(n, random_state)).float())
            else:
                made = self.model_.eval().sample(n, torch.Generator().manual_seed(random_state))
        return np.asarray(self.schema_.scaler.undo(made.numpy()))

    def _drawn(self, latents: Tensor) -> Tensor:
        """Content and theta, side by side (N, D + P), rendered."""
        content, theta = torch.split(latents, [self.model_.n_content, len(self.model_.warp.factors)], -1)
        return self.model_.reconstruct(Latent(content, self.model_.chart.map(theta)))

    def score(self, X: Any, y: Any = None, *, times: Any = None) -> float:
        """Mean log-likelihood of the samples given their reconstruction, in nats; greater is better."""
        taken = self._take(X, times)
        x, x_hat = taken.x, torch.from_numpy(self._embed(taken).x_hat)
        likelihood = self.model_.likelihood
        with torch.no_grad():
            return -float(likelihood(x_hat, x if likelihood.kind == "gaussian" else x.clamp(0, 1)).mean())

    def predict(self, X: Any, *, times: Any = None) -> Array:
        """The cluster of each sample (N,): the nearest of `cluster_centers_` in content."""
        return np.asarray(pairwise_distances_argmin(self._content(X, times), self.cluster_centers_))

    def save(self, folder: str | Path) -> None:
        """Write a folder that `load` reads: JSON and safetensors, whole or not at all."""
        check_is_fitted(self)
        settings = {k: v for k, v in self.get_params(deep=False).items() if k not in ("warp", "recipe")}
        mixture = {f"mixture_{name}": value for name, value in vars(self.mixture_).items()}
        kept = {"cluster_centers": self.cluster_centers_, **mixture}
        arrays = {name: torch.from_numpy(value) for name, value in kept.items()}
        extra = {
            "settings": settings,
            "data": self.schema_.record(),
            "n_features_in": self.n_features_in_,
            "arrays": arrays,
            "selection": None if self.selection_ is None else asdict(self.selection_),
        }
        store.save(self.model_, self.recipe_, folder, extra)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The estimator that `save` wrote.

        Raises:
            CheckpointError: No such model, a damaged one, or one of a newer format.
        """
        model, recipe, config = store.load(folder)
        if "settings" not in config:
            raise CheckpointError(f"{folder} holds a bare model; read it with unwarp.checkpoints.load")
        try:
            return cls._restored(model, recipe, config)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{folder}/config.json lacks what an Unwarper needs ({error}); save it again"
            ) from error

    @classmethod
    def _restored(cls, model: Model, recipe: Recipe, config: dict[str, Any]) -> Self:
        settings = config["settings"]
        shape = settings["image_shape"]
        found = cls(recipe.warp, recipe, **{**settings, "image_shape": tuple(shape) if shape else None})
        found.model_, found.recipe_, found.history_ = model, recipe, History()
        data, found.n_features_in_ = config["data"], config["n_features_in"]
        kept = config.get("selection")
        found.selection_ = None if kept is None else Selection.of(kept)
        found.schema_ = Schema.of(data, model.shape, found.image_shape)
        arrays = {name: value.numpy() for name, value in config["arrays"].items()}
        found.cluster_centers_ = arrays["cluster_centers"]
        found.mixture_ = Mixture(*(arrays[f"mixture_{field.name}"] for field in fields(Mixture)))
        return found

    @property
    def cluster_templates_(self) -> Array:
        """What the cluster centres look like (n_clusters, C, ...)."""
        return self.inverse_transform(self.cluster_centers_)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the content columns."""
        check_is_fitted(self)
        return np.array([f"content_{i}" for i in range(self.model_.n_content)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def _learnable(self, X: Any, times: Any) -> Dataset:
        """`X` as a checked, scaled data set; what it is stays known."""
        asked = (X, self.domain, self.scale, self.image_shape, times, self.missing, self.sampling_rate)
        data, self.schema_ = learnable(*asked, leaning=kind_of(self.warp, self.recipe))
        for name, low in LEAST.items():
            value = getattr(self, name)
            open_to_choice = value is None and name in ("n_content", "max_steps")
            if not (open_to_choice or (isinstance(value, Integral) and int(value) >= low)):
                raise ConfigError(f"{name}={value!r} must be a whole number of at least {low}")
        self.n_features_in_ = self.schema_.n_features
        return data

    def _chosen(self, data: Dataset, seed: int, looking_on: Sequence[Callback]) -> str | Recipe | None:
        """The recipe that was asked for or, of series where nothing was, the one that is found to help; see `selection_`."""
        self.selection_ = None
        if self.recipe is not None or self.warp != "auto" or self.schema_.domain == "image":
            return self.recipe
        steps = STEPS if self.max_steps is None else min(STEPS, self.max_steps)
        seconds = None if self.max_seconds is None else self.max_seconds / 2

        say = partial(_say, looking_on)
        self.selection_ = select(data.x, seed=seed, steps=steps, seconds=seconds, device=self.device, say=say)
        say(f"how much to warp: {self.selection_}")
        return adapted(self.selection_.recipe, data.x)

    def _cluster(self, data: Dataset, seed: int) -> None:
        content, theta = encode(self.model_, data.x, device=self.device)
        codes = content.numpy()
        self.mixture_ = Mixture.fit(torch.cat([content, theta], 1).numpy(), self.n_clusters, seed)
        k = min(self.n_clusters, len(np.unique(codes, axis=0)))
        self.cluster_centers_ = KMeans(k, n_init=10, random_state=seed % (1 << 32)).fit(codes).cluster_centers_

    def _embed(self, taken: Prepared) -> Embedding:
        return embed(self.model_, taken.x, device=self.device)

    def _content(self, X: Any, times: Any) -> Array:
        x = self.prepare(X, times)
        return encode(self.model_, x, device=self.device)[0].numpy()


def _say(looking_on: Sequence[Callback], line: str) -> None:
    for callback in looking_on:
        callback.on_message(line)


def _floating(X: Any) -> Any:
    dtype = getattr(X, "dtype", None)
    return dtype if dtype in (np.float32, np.float64) else np.float32
