"""Clusters of samples: centres, and a rule for new samples.

    Clusters          what all kinds of clusters have in common
    KMeansClusters    the nearest centre of a content code
    SearchClusters    the kinds of pictures that a search found

`unwarp.estimators.spectral` has clusters of series by elastic distances, and
`unwarp.estimators.neighbours` clusters of pictures by a graph of nearest codes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.core import Array
from unwarp.data.prepared import Prepared
from unwarp.devices import place, resolve_device
from unwarp.models.model import Model
from unwarp.models.scan.search import PictureSearch

PICTURES_PER_CHUNK = 512
"""Number of pictures that a search looks at together."""


@dataclass(frozen=True)
class Clusters(ABC):
    """Clusters of training samples, with a rule for new ones.

    Attributes:
        centers: Mean content codes of the clusters (K, D).
    """

    centers: Array

    @abstractmethod
    def assign(self, model: Model, x: Tensor | Prepared, device: str = "cpu") -> Array:
        """The cluster of each sample.

        Args:
            model: The trained model.
            x: Samples (N, *shape), scaled as the model takes them; or prepared samples.
            device: Device that computes.

        Returns:
            Rows of `centers` (N,).
        """

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """The arrays of the rule by name, without `centers`."""


@dataclass(frozen=True)
class KMeansClusters(Clusters):
    """Clusters by k-means: the nearest centre of a content code.

    Attributes:
        centers: Mean content codes of the clusters (K, D).

    >>> from unwarp.models import AE
    >>> import torch
    >>> model = AE(n_content=2).build((1, 8, 8))
    >>> KMeansClusters.fit(np.eye(2), 2).assign(model, torch.zeros(3, 1, 8, 8)).shape
    (3,)
    """

    @classmethod
    def fit(cls, codes: Array, n: int, seed: int = 0) -> KMeansClusters:
        """Clusters of content codes.

        Args:
            codes: Content codes (N, D).
            n: Number of clusters; there are fewer if there are fewer distinct codes.
            seed: Seed of the initial centres.
        """
        # k-means warns if there are more clusters than distinct codes
        k = min(n, len(np.unique(codes, axis=0)))
        # scikit-learn takes seeds below 2**32
        means = KMeans(k, n_init=10, random_state=seed % (1 << 32)).fit(codes)
        return cls(means.cluster_centers_)

    def assign(self, model: Model, x: Tensor | Prepared, device: str = "cpu") -> Array:
        """The cluster with the nearest centre, of each sample.

        Args:
            model: The trained model.
            x: Samples (N, *shape), scaled as the model takes them; or prepared samples.
            device: Device that computes.
        """
        return nearest_centre(encode(model, x, device=device)[0].numpy(), self.centers)

    def arrays(self) -> dict[str, Array]:
        """Nothing: the centres are the whole rule."""
        return {}


@dataclass(frozen=True)
class SearchClusters(Clusters):
    """Clusters that a search found: the most likely kind of a picture.

    Attributes:
        centers: Mean content codes of the kinds (K, D).

    >>> from unwarp.models import AE, Net
    >>> recipe = AE(n_content=2, start="search", net=Net("mlp", (8,), (8,)))
    >>> model, x = recipe.build((1, 16, 16)), torch.rand(8, 1, 16, 16)
    >>> model.encoder.start.fit(x)
    ('poses were found by search, with 1 kind of pictures',)
    >>> SearchClusters.fit(model, x, np.zeros((8, 2))).assign(model, x).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0]
    """

    @classmethod
    def fit(
        cls, model: Model, x: Tensor | Prepared, codes: Array, device: str = "cpu"
    ) -> SearchClusters:
        """Clusters of training pictures.

        Args:
            model: The trained model, whose search has kinds.
            x: Training pictures (N, C, H, W).
            codes: Their content codes (N, D).
            device: Device that computes.
        """
        kinds = _kinds(model, x, device)
        search = search_of(model)
        centers = [
            codes[kinds == kind].mean(0) if (kinds == kind).any() else codes.mean(0)
            for kind in range(search.n_kinds if search else 1)
        ]
        return cls(np.stack(centers))

    def assign(self, model: Model, x: Tensor | Prepared, device: str = "cpu") -> Array:
        """The most likely kind of each picture.

        Args:
            model: The trained model.
            x: Pictures (N, C, H, W), scaled as the model takes them; or prepared samples.
            device: Device that computes.
        """
        return _kinds(model, x, device)

    def arrays(self) -> dict[str, Array]:
        """The numbers of the kinds, which tell these clusters from others."""
        return {"kinds": np.arange(len(self.centers))}


def search_of(model: Model) -> PictureSearch | None:
    """The picture search of a model; None for none.

    Args:
        model: The trained model.
    """
    start = getattr(model.encoder, "start", None)
    return start if isinstance(start, PictureSearch) and start.n_kinds else None


@torch.no_grad()
def _kinds(model: Model, x: Tensor | Prepared, device: str) -> Array:
    """The most likely kind of each picture (N,)."""
    search, target = search_of(model), resolve_device(device)
    if search is None:
        return np.zeros(len(x), np.intp)
    place(search, target)
    parts = [
        search.poses(x[start : start + PICTURES_PER_CHUNK].to(target))[0].cpu()
        for start in range(0, len(x), PICTURES_PER_CHUNK)
    ]
    place(search, "cpu")
    return np.asarray(torch.cat(parts).numpy())


def nearest_centre(codes: Array, centers: Array) -> Array:
    """The cluster of each content code.

    Args:
        codes: Content codes (N, D).
        centers: Content codes of the clusters (K, D).

    Returns:
        Rows of `centers` (N,).

    >>> nearest_centre(np.array([[0.0], [9.0]]), np.array([[8.0], [1.0]])).tolist()
    [1, 0]
    """
    return np.asarray(pairwise_distances_argmin(codes, centers))
