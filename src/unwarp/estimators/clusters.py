"""Clusters of samples: centres, and a rule for new samples.

    Clusters          what all kinds of clusters have in common
    KMeansClusters    the nearest centre of a content code

`unwarp.estimators.spectral` has clusters of series by elastic distances.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.core import Array
from unwarp.data.prepared import Prepared
from unwarp.models.model import Model


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
