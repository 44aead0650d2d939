"""Saved estimators: model, settings, schema and clusters in a folder."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from unwarp.analysis.mixture import Mixture
from unwarp.core import Array
from unwarp.data.schema import Schema
from unwarp.errors import CheckpointError
from unwarp.estimators.choices import Selection
from unwarp.estimators.clusters import Clusters, KMeansClusters, SearchClusters
from unwarp.estimators.feature_columns import Columns
from unwarp.estimators.fitting import Results
from unwarp.estimators.labels_choice import LabelsChoice
from unwarp.estimators.neighbours import NeighbourClusters
from unwarp.estimators.spectral import SpectralClusters
from unwarp.models import store
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.models.refinement import Refinement
from unwarp.planning.plan import Plan
from unwarp.ranges import check_arguments
from unwarp.training.state import History
from unwarp.values import brief

RULE = "spectral_"
"""Start of the names of the arrays of spectral clusters."""

COLUMNS = "columns_"
"""Start of the names of the arrays of the columns that labels chose."""


REFINEMENT = "refinement_"
"""Start of the names of the tensors of a refinement."""


class Persistence:
    """Mixin that gives `Unwarper` the methods `save` and `load`.

    A saved estimator is a folder of JSON and safetensors files, without pickled code. On the same
    machine a loaded estimator computes exactly the same numbers as the saved one. Four things are
    not saved, because they belong to the training: `plan_`, `labels_` and `outlier_` are None after
    `load`, and `history_` is empty.

    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     unwarper.save(folder)
    ...     loaded = Unwarper.load(folder)
    >>> bool((loaded.transform(X) == unwarper.transform(X)).all())
    True
    """

    model_: Model
    recipe_: Recipe
    plan_: Plan | None
    schema_: Schema
    selection_: Selection | None
    history_: History
    mixture_: Mixture
    clusters_: Clusters
    cluster_centers_: Array
    n_features_in_: int
    labels_: Array | None
    outlier_: Array | None
    n_iter_: int | None
    refinement_: Refinement | None
    mode_temperature_: float | None
    columns_: Columns
    labels_choice_: LabelsChoice | None

    def save(self, folder: str | Path) -> None:
        """Write the trained estimator to a folder.

        The folder is written completely or not at all.

        Args:
            folder: A new or empty folder, or the folder of a model, which is replaced; `~` is the
                home folder.

        Raises:
            CheckpointError: The folder holds other files, another process writes it, or it cannot
                be written.
        """
        check_is_fitted(self)
        parameters: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        mixture = {f"mixture_{name}": value for name, value in vars(self.mixture_).items()}
        rule = {f"{RULE}{name}": value for name, value in self.clusters_.arrays().items()}
        columns = {f"{COLUMNS}{name}": value for name, value in self.columns_.arrays().items()}
        arrays = {"cluster_centers": self.cluster_centers_, **mixture, **rule, **columns}
        tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
        refinement = self.refinement_
        if refinement is not None:
            tensors |= {f"{REFINEMENT}{k}": v for k, v in refinement.tensors().items()}
        # the recipe, which is saved with the model, contains these three
        settings = {
            name: value
            for name, value in parameters.items()
            if name not in ("warp", "recipe", "overrides")
        }
        settings["random_state"] = describe_seed(settings["random_state"])
        names = getattr(self, "feature_names_in_", None)
        extra = {
            "settings": settings,
            "data": self.schema_.record(),
            "n_features_in": self.n_features_in_,
            "n_iter": self.n_iter_,
            "feature_names_in": None if names is None else names.tolist(),
            "arrays": tensors,
            "refinement": None if refinement is None else refinement.record(),
            "selection": None if self.selection_ is None else asdict(self.selection_),
            "mode_temperature": self.mode_temperature_,
            "columns": self.columns_.record(),
            "labels_choice": None if self.labels_choice_ is None else asdict(self.labels_choice_),
        }
        store.save(self.model_, self.recipe_, folder, extra)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The trained estimator of a folder that `save` wrote.

        An argument of `Unwarper` that did not exist when the folder was written gets its default.

        Args:
            folder: A folder that `save` wrote; `~` is the home folder.

        Raises:
            CheckpointError: The folder contains no estimator, is damaged, or has the format of
                another version.
        """
        model, recipe, config = store.load(folder)
        if "settings" not in config:
            raise CheckpointError(
                f"{folder} contains a model without the settings of an Unwarper; "
                "read it with unwarp.models.store.load"
            )
        try:
            return cls._restore(model, recipe, config)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(
                f"{folder}/config.json lacks a setting of Unwarper, or it is damaged ({error}); "
                "save it again"
            ) from error

    @classmethod
    def _restore(cls, model: Model, recipe: Recipe, config: dict[str, Any]) -> Self:
        """The estimator of a model, its recipe, and the other values that `save` wrote."""
        arguments = _arguments(config["settings"])
        estimator = cls(recipe.warp, recipe, **arguments)  # type: ignore[call-arg]
        arrays = {name: value.numpy() for name, value in config["arrays"].items()}
        mixture = Mixture(*(arrays[f"mixture_{field.name}"] for field in fields(Mixture)))
        selection, choice = config["selection"], config.get("labels_choice")
        columns = {
            name.removeprefix(COLUMNS): value
            for name, value in arrays.items()
            if name.startswith(COLUMNS)
        }
        results = Results(
            model=model,
            recipe=recipe,
            schema=Schema.of(config["data"], model.shape, arguments["image_shape"]),
            plan=None,
            selection=None if selection is None else Selection.of(selection),
            history=History(),
            clusters=_clusters(arrays),
            cluster_centers=arrays["cluster_centers"],
            mixture=mixture,
            n_features_in=config["n_features_in"],
            n_iter=config.get("n_iter"),
            refinement=_refinement(config),
            mode_temperature=_temperature(config.get("mode_temperature")),
            columns=Columns.of(config.get("columns"), columns),
            labels_choice=None if choice is None else LabelsChoice.of(choice),
            feature_names_in=_names(config.get("feature_names_in")),
        )
        estimator.__dict__.update(results.attributes())
        _check_values(estimator)
        return estimator


def _arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `Unwarper` from the settings that `save` wrote, checked."""
    shape = tuple(settings["image_shape"]) if settings["image_shape"] else None
    seed = restore_seed(settings["random_state"])
    arguments = {**settings, "image_shape": shape, "random_state": seed}
    if isinstance(settings.get("working_size"), list):
        arguments["working_size"] = tuple(settings["working_size"])
    check_arguments(arguments)
    return arguments


def _clusters(arrays: dict[str, Array]) -> Clusters:
    """The clusters of a saved estimator; those of earlier versions are by k-means."""
    centers = arrays["cluster_centers"]
    rule = {name.removeprefix(RULE): value for name, value in arrays.items() if RULE in name}
    if "kinds" in rule:
        return SearchClusters(centers)
    if "codes" in rule:
        return NeighbourClusters.of(centers, rule)
    return SpectralClusters.of(centers, rule) if rule else KMeansClusters(centers)


def _refinement(config: dict[str, Any]) -> Refinement | None:
    """The refinement of a saved estimator; earlier versions have none."""
    record = config.get("refinement")
    if record is None:
        return None
    tensors = {
        name.removeprefix(REFINEMENT): value
        for name, value in config["arrays"].items()
        if name.startswith(REFINEMENT)
    }
    # the first refinements were bands, and had no name
    family = Refinement.registry[record.get("kind", "band")]
    return family.of(record, tensors, config["shape"])


def _temperature(record: Any) -> float | None:
    """The temperature of pose modes of a saved estimator; earlier versions have none."""
    if record is None:
        return None
    if isinstance(record, bool) or not isinstance(record, int | float) or not 0 < record < np.inf:
        raise ValueError(f"mode_temperature={brief(record)} is no number above 0")
    return float(record)


def _names(record: Any) -> Array | None:
    """Names of features of a saved estimator; None for none."""
    if record is None:
        return None
    if not isinstance(record, list) or not all(isinstance(name, str) for name in record):
        raise ValueError(f"feature_names_in={brief(record)} are no names")
    return np.array(record, dtype=object)


def _check_values(estimator: Persistence) -> None:
    """Refuse a mixture and clusters that do not fit the model or are not finite.

    Raises:
        ValueError: The message names the value.
    """
    model, mixture, centers = estimator.model_, estimator.mixture_, estimator.cluster_centers_
    n_latents, k = model.n_content + len(model.warp.factors), len(mixture.weights)
    shapes = {
        "mixture_weights": (mixture.weights, (k,)),
        "mixture_means": (mixture.means, (k, n_latents)),
        "mixture_covariances": (mixture.covariances, (k, n_latents, n_latents)),
        "cluster_centers": (centers, (len(centers), model.n_content)),
    }
    for name, (value, shape) in shapes.items():
        if value.shape != shape or 0 in shape:
            raise ValueError(f"{name} has shape {value.shape}, but must have {shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"{name} has values that are not finite")
    if (mixture.weights < 0).any() or not np.isclose(mixture.weights.sum(), 1.0):
        raise ValueError("mixture_weights are not the weights of a mixture")
    np.linalg.cholesky(mixture.covariances)  # a `LinAlgError` is a `ValueError`
    shape = estimator.schema_.user_shape
    if estimator.n_features_in_ != int(np.prod(shape)):
        raise ValueError(f"n_features_in={estimator.n_features_in_!r} contradicts {shape}")


def describe_seed(seed: Any) -> Any:
    """A seed as JSON values.

    Args:
        seed: A whole number, a `RandomState` or None.

    Returns:
        The number or None; for a `RandomState`, a mapping with the name of its generator as
        `bit_generator` and its present state.

    >>> describe_seed(np.int64(3)), describe_seed(None)
    (3, None)
    """
    if not isinstance(seed, np.random.RandomState):
        return None if seed is None else int(seed)
    record = seed.get_state(legacy=False)
    return {"bit_generator": record["bit_generator"], "values": _as_json(record)}


def _as_json(value: Any) -> Any:
    """A state of a generator with lists for arrays."""
    if isinstance(value, dict):
        return {name: _as_json(part) for name, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def restore_seed(record: Any) -> Any:
    """The seed that `describe_seed` described.

    Args:
        record: A result of `describe_seed`. Earlier versions wrote the text of a `RandomState`
            without its state; such a text gives None.

    Returns:
        A whole number, a `RandomState` that continues the saved one, or None.

    Raises:
        TypeError: The generator is unknown, or the record is not one.

    >>> seed = np.random.RandomState(0)
    >>> restore_seed(describe_seed(seed)).randint(1000) == seed.randint(1000)
    True
    """
    if isinstance(record, str):
        return None
    if not isinstance(record, dict):
        return record
    generator = getattr(np.random, str(record["bit_generator"]), None)
    if not (isinstance(generator, type) and issubclass(generator, np.random.BitGenerator)):
        raise TypeError(f"{record['bit_generator']!r} is not a generator of random numbers")
    seed = np.random.RandomState(generator())
    seed.set_state(record["values"])
    return seed
