"""The scikit-learn door: `Unwarper`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp import checkpoints
from unwarp.datasets import Dataset
from unwarp.evaluation import Embedding, embed, encode, reference_view, undone
from unwarp.mixture import Mixture
from unwarp.models import Model, Recipe
from unwarp.progress import Choice, Progress
from unwarp.readers import Scaler, as_given, as_samples, fit_scaler, read
from unwarp.recipes import suited
from unwarp.training import Callback, History, train
from unwarp.types import CheckpointError, ConfigError, DataError, Kind, Latent
from unwarp.warps import Map, Warp, to_matrix
from unwarp.warps.affine import Convention

Array = NDArray[Any]
Source = Literal["auto", "prior", "mixture"]


class Unwarper(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learn, without labels, each sample's template, its content code and its deformation in human units.

    Args:
        warp: `auto` (affine for images, none for series), a name (`affine`, `similarity`, `identity`, ... or
            `displacement+affine`), or any `Warp`. It replaces the recipe's.
        recipe: Any `Recipe`, or its name (`ae`, `vae`); None for an autoencoder that suits the data.
        kind: `auto`, `image` or `series`.
        n_content: Size of the content code; None for the recipe's.
        n_clusters: Clusters of `predict`.
        max_steps: Training steps; None for about 30 passes over the data, 300 to 4,000 steps.
        max_seconds: Bound on the training time.
        batch_size: Samples a step.
        scale: `auto` (uint8 by 255, other images by their range, series by mean and standard deviation), or None to
            demand values in [0, 1].
        image_shape: (H, W) or (C, H, W) of flattened images.
        random_state: Seed of everything random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        verbose: Show what was chosen, and progress.

    Attributes:
        model_: The trained `Model`.
        recipe_: Its recipe.
        history_: What training did.
        cluster_centers_: Content of the clusters (n_clusters, D).
        cluster_templates_: What they look like.
        mixture_: Where content and deformation of the training samples lie: what `sample` draws from.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((20, 12, 12))
    >>> Unwarper(max_steps=2).fit(X).transform_params(X).columns[0]
    'rotation_deg'
    """

    def __init__(
        self,
        warp: str | Warp = "auto",
        recipe: str | Recipe | None = None,
        *,
        kind: Kind = "auto",
        n_content: int | None = None,
        n_clusters: int = 10,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        batch_size: int = 64,
        scale: Literal["auto"] | None = "auto",
        image_shape: tuple[int, ...] | None = None,
        random_state: int = 0,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.warp = warp
        self.recipe = recipe
        self.kind = kind
        self.n_content = n_content
        self.n_clusters = n_clusters
        self.max_steps = max_steps
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.scale = scale
        self.image_shape = image_shape
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, callbacks: Sequence[Callback] = ()) -> Self:
        """Learn from `X`: an array, a folder of images, a path to `.npy` or `.npz`, or a `Dataset`. `y` is ignored.

        Raises:
            DataError: Data that cannot be used; the message says what came and what to do.
            ConfigError: A choice that does not exist or does not fit the data.
        """
        data = self._learnable(X)
        self.recipe_ = suited(data.x, self.recipe, self.warp, self.n_content)
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        model = self.recipe_.build(data.shape, seed=seed)
        steps = int(np.clip(30 * len(data) / self.batch_size, 300, 4000)) if self.max_steps is None else self.max_steps
        looking_on = (*callbacks, *([Choice(print), Progress(self.recipe_.warp.name)] if self.verbose else []))
        self.history_ = train(
            model,
            self.recipe_.players(model),
            data,
            steps=steps,
            batch_size=self.batch_size,
            seed=seed,
            seconds=self.max_seconds,
            device=self.device,
            callbacks=looking_on,
        )
        self.model_ = model
        self._cluster(reference_view(data), seed)
        return self

    def transform(self, X: Any) -> Array:
        """Content codes (N, D): the posterior mean, whatever the batch size."""
        return self._encode(X)[0].numpy().astype(_floating(X), copy=False)

    def transform_params(self, X: Any, full: bool = False) -> pd.DataFrame:
        """The deformation of each sample, with units in the column names and in `.attrs["units"]`.

        Args:
            X: Samples.
            full: Every column of theta, which `inverse_transform` takes back without loss, instead of human columns.
        """
        theta, chart = self._encode(X)[1], self.model_.chart
        human = {factor: column.numpy() for factor, column in chart.summary(chart.map(theta)).items()}
        factors = {f.name: f.unit for f in (chart.factors if full else human)}
        columns = theta.numpy() if full or not human else np.stack([*human.values()], 1)
        table = pd.DataFrame(columns, columns=list(factors))
        table.attrs["units"] = factors
        return table

    def align(self, X: Any, other: Any = None) -> Array:
        """The samples with the invertible part of their deformation undone; shape, range and dtype as given.

        Args:
            X: Samples, whose deformations are found.
            other: What to undo them in instead (N, ...): another channel, or a boolean mask, in the same frame.
        """
        x = self.prepare(X)
        map = self._maps(x)
        if other is None:
            return self._give_back(undone(x, map, self.model_.padding), X)
        second, _ = as_samples(other, self.kind_, self.image_shape if np.ndim(other) == 2 else None)
        if len(second) != len(x) or second.shape[2:] != x.shape[2:]:
            raise DataError(f"other has shape {np.shape(other)}, X has {tuple(x.shape)}; samples and frame must agree")
        moved = undone(torch.from_numpy(np.array(second, np.float32)), map, self.model_.padding).numpy()
        return as_given(moved, other)

    def transform_points(self, X: Any, points: Any) -> Array:
        """Where `points` seen in each sample lie in the aligned one.

        Args:
            X: Samples (N, ...).
            points: Pixel coordinates (x, y), the first pixel's centre at (0, 0): (K, 2) for all or (N, K, 2). Of series:
                sample numbers, (K, 1) or (N, K, 1).
        """
        x = self.prepare(X)
        size = np.array(x.shape[2:][::-1], float)
        series = x.ndim == 3
        where = np.asarray(points, float)
        if where.shape[-1:] != (len(size),) or where.ndim not in (2, 3) or (where.ndim == 3 and len(where) != len(x)):
            raise DataError(f"points has shape {where.shape}; give (K, {len(size)}) or ({len(x)}, K, {len(size)})")
        normal = where / (size - 1) if series else (2 * where + 1) / size - 1
        moved = self._maps(x).undoable().pull(torch.as_tensor(normal, dtype=torch.float32)).numpy()
        return np.asarray(moved * (size - 1) if series else ((moved + 1) * size - 1) / 2)

    def to_matrix(self, X: Any, convention: Convention = "pixel") -> Array:
        """The affine part of each deformation as matrices (N, 3, 3): normalized, pixel, opencv or skimage."""
        x = self.prepare(X)
        if x.ndim != 4:
            raise DataError("to_matrix needs images; series have no matrix")
        return to_matrix(self._maps(x), (x.shape[2], x.shape[3]), convention).numpy()

    def template(self, X: Any) -> Array:
        """What each sample looks like undeformed, in the shape and range of `X`."""
        return self._give_back(torch.from_numpy(self._embed(X).templates), X)

    def reconstruct(self, X: Any) -> Array:
        """The templates, deformed as the samples are, in the shape and range of `X`."""
        return self._give_back(torch.from_numpy(self._embed(X).x_hat), X)

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
                made = self.model_.render(Latent(content, self._map_of(params, len(content))))
        return np.asarray(self.scaler_.undo(made.numpy()))

    def sample(self, n: int = 1, *, source: Source = "auto", random_state: int = 0) -> Array:
        """New samples (n, C, ...) in the data's range.

        Args:
            n: How many.
            source: `prior`, `mixture` (a Gaussian mixture fitted to the training samples' content and deformation), or `auto`:
                the prior of a family that has one, else the mixture.
            random_state: Seed.
        """
        check_is_fitted(self)
        if n < 1 or source not in get_args(Source):
            raise ConfigError(f"n={n} must be at least 1, and source={source!r} one of {', '.join(get_args(Source))}")
        if source == "prior" and not self.recipe_.generative:
            raise ConfigError(f"{self.recipe_.family!r} has no prior over content; use source='mixture'")
        with torch.no_grad():
            if source == "mixture" or not self.recipe_.generative:
                made = self._drawn(torch.from_numpy(self.mixture_.sample(n, random_state)).float())
            else:
                made = self.model_.eval().sample(n, torch.Generator().manual_seed(random_state))
        return np.asarray(self.scaler_.undo(made.numpy()))

    def _drawn(self, latents: Tensor) -> Tensor:
        """Content and theta, side by side (N, D + P), rendered."""
        content, theta = torch.split(latents, [self.model_.n_content, len(self.model_.warp.factors)], -1)
        return self.model_.render(Latent(content, self.model_.chart.map(theta)))

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of the samples given their reconstruction, in nats; greater is better."""
        x = self.prepare(X)
        x_hat = torch.from_numpy(embed(self.model_, x, device=self.device).x_hat)
        likelihood = self.model_.likelihood
        with torch.no_grad():
            return -float(likelihood(x_hat, x if likelihood.kind == "gaussian" else x.clamp(0, 1)).mean())

    def predict(self, X: Any) -> Array:
        """The cluster of each sample (N,): the nearest of `cluster_centers_` in content."""
        return np.asarray(pairwise_distances_argmin(self._encode(X)[0].numpy(), self.cluster_centers_))

    def save(self, folder: str | Path) -> None:
        """Write a folder that `load` reads: JSON and safetensors, whole or not at all."""
        check_is_fitted(self)
        settings = {k: v for k, v in self.get_params(deep=False).items() if k not in ("warp", "recipe")}
        schema = {"kind": self.kind_, "offset": self.scaler_.offset, "factor": self.scaler_.factor}
        mixture = {f"mixture_{name}": value for name, value in vars(self.mixture_).items()}
        kept = {"cluster_centers": self.cluster_centers_, **mixture}
        arrays = {name: torch.from_numpy(value) for name, value in kept.items()}
        extra = {"settings": settings, "data": schema, "n_features_in": self.n_features_in_, "arrays": arrays}
        checkpoints.save(self.model_, self.recipe_, folder, extra)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The estimator that `save` wrote.

        Raises:
            CheckpointError: No such model, a damaged one, or one of a newer format.
        """
        model, recipe, config = checkpoints.load(folder)
        if "settings" not in config:
            raise CheckpointError(f"{folder} holds a bare model; read it with unwarp.checkpoints.load")
        try:
            return cls._restored(model, recipe, config)
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                f"{folder}/config.json lacks what an Unwarper needs ({error}); save it again"
            ) from error

    @classmethod
    def _restored(cls, model: Model, recipe: Recipe, config: dict[str, Any]) -> Self:
        settings = config["settings"]
        shape = settings["image_shape"]
        found = cls(recipe.warp, recipe, **{**settings, "image_shape": tuple(shape) if shape else None})
        found.model_, found.recipe_, found.history_ = model, recipe, History()
        found.kind_, found.n_features_in_ = config["data"]["kind"], config["n_features_in"]
        found.scaler_ = Scaler(config["data"]["offset"], config["data"]["factor"])
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

    def _learnable(self, X: Any) -> Dataset:
        """`X` as a checked, scaled data set; what scales it is kept."""
        given = read(X) if isinstance(X, str | Path) else None
        kind = given.kind if given and self.kind == "auto" else self.kind
        samples, self.kind_ = as_samples(given.x if given else _load(X), kind, self.image_shape)
        self.scaler_ = fit_scaler(samples, self.kind_, self.scale)
        scaled = torch.from_numpy(self.scaler_.apply(samples))
        data = replace(X, x=scaled) if isinstance(X, Dataset) else Dataset(scaled)
        if len(data) < 2:
            raise DataError("X holds 1 sample (n_samples=1); learning needs at least 2, better hundreds")
        if self.batch_size < 2:
            raise ConfigError(f"batch_size={self.batch_size} must be at least 2")
        if self.n_clusters < 1:
            raise ConfigError(f"n_clusters={self.n_clusters} must be at least 1")
        self.n_features_in_ = int(np.prod(data.shape))
        return data

    def _cluster(self, data: Dataset, seed: int) -> None:
        content, theta = encode(self.model_, data.x, device=self.device)
        codes = content.numpy()
        self.mixture_ = Mixture.fit(torch.cat([content, theta], 1).numpy(), self.n_clusters, seed)
        k = min(self.n_clusters, len(np.unique(codes, axis=0)))
        self.cluster_centers_ = KMeans(k, n_init=10, random_state=seed % (1 << 32)).fit(codes).cluster_centers_

    def prepare(self, X: Any) -> Tensor:
        """`X` as the model sees it: scaled, (N, *shape), checked against what it was trained on."""
        check_is_fitted(self)
        samples, _ = as_samples(_load(X), self.kind_, self.image_shape)
        if samples.shape[1:] != self.model_.shape:
            n = int(np.prod(samples.shape[1:]))
            raise DataError(
                f"X has {n} features, but Unwarper is expecting {self.n_features_in_} features as input: samples of shape "
                f"{samples.shape[1:]} came, it was trained on {self.model_.shape}"
            )
        return torch.from_numpy(self.scaler_.apply(samples))

    def _embed(self, X: Any) -> Embedding:
        x = self.prepare(X)
        return embed(self.model_, x, device=self.device)

    def _encode(self, X: Any) -> tuple[Tensor, Tensor]:
        x = self.prepare(X)
        return encode(self.model_, x, device=self.device)

    def _maps(self, x: Tensor) -> Map:
        return self.model_.chart.map(encode(self.model_, x, device=self.device)[1])

    def _map_of(self, params: Any, n: int) -> Map:
        chart = self.model_.chart
        names = [f.name for f in chart.factors]
        if isinstance(params, pd.DataFrame) and set(params) != set(names):
            theta = chart.from_columns({str(name): torch.tensor(np.array(params[name], np.float32)) for name in params})
        else:
            table = params[names].to_numpy() if isinstance(params, pd.DataFrame) else np.asarray(params)
            theta = torch.tensor(np.array(table, np.float32))
        if theta.shape != (n, len(names)):
            raise DataError(f"params has shape {tuple(theta.shape)}; give ({n}, {len(names)}): {', '.join(names)}")
        return chart.map(theta)

    def _give_back(self, x: Tensor, X: Any) -> Array:
        """In the range, the dtype and the shape in which samples came."""
        return as_given(self.scaler_.undo(x.numpy()), _load(X))


def _load(X: Any) -> Any:
    if isinstance(X, Dataset):
        return X.x.numpy()
    return read(X).x if isinstance(X, str | Path) else X


def _floating(X: Any) -> Any:
    kind = getattr(X, "dtype", None)
    return kind if kind in (np.float32, np.float64) else np.float32
