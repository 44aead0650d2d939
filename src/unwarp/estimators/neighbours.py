"""Clusters of content codes by a graph of nearest neighbours.

k-means takes clusters as balls of one size. Here a cluster is a part of the graph with few edges to
the rest, of any shape.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.core import Array
from unwarp.data.prepared import Prepared
from unwarp.estimators.clusters import Clusters
from unwarp.models.model import Model

MAX_REFERENCES = 10_000
"""Greatest number of samples in the graph."""

N_NEIGHBOURS, N_VOTES = 10, 7
"""Neighbours of a sample in the graph, and neighbours that decide on a new sample."""

MIN_SAMPLES_PER_CLUSTER = 5
"""Least number of samples in the graph for each cluster."""


@dataclass(frozen=True)
class NeighbourClusters(Clusters):
    """Spectral clusters of a graph of nearest content codes.

    The graph joins each reference sample and its ten nearest neighbours by content code. The
    leading eigenvectors of its normalised matrix give each sample coordinates, in which k-means
    forms the clusters (von Luxburg 2007, A tutorial on spectral clustering). A new sample belongs
    to the cluster of most of its seven nearest reference samples.

    Attributes:
        centers: Mean content codes of the clusters (K, D).
        codes: Content codes of the reference samples (M, D).
        labels: Clusters of the reference samples (M,).

    >>> rng = np.random.default_rng(0)
    >>> ring = rng.normal(size=(200, 2))
    >>> ring /= np.linalg.norm(ring, axis=1, keepdims=True)
    >>> clusters = NeighbourClusters.fit(np.concatenate([ring, 3 * ring]), 2)
    >>> inner = clusters.place(np.array([[0.0, 1.0], [0.0, -1.0]]))  # k-means cuts the rings
    >>> len(set(inner))
    1
    """

    codes: Array
    labels: Array

    @classmethod
    def fit(cls, codes: Array, n: int, seed: int = 0) -> NeighbourClusters:
        """Clusters of content codes.

        Args:
            codes: Content codes (N, D); of more than 10,000 some are drawn at random.
            n: Number of clusters; see `is_enough`.
            seed: Seed of the draw, of the eigenvectors and of k-means.
        """
        rows = np.random.default_rng(seed).permutation(len(codes))[:MAX_REFERENCES]
        codes = codes[rows]
        n_neighbours = min(N_NEIGHBOURS, len(codes) - 1)
        graph = kneighbors_graph(codes, n_neighbours, include_self=True)
        # scikit-learn takes seeds below 2**32
        method = SpectralClustering(n, affinity="precomputed", random_state=seed % (1 << 32))
        with warnings.catch_warnings():
            # a graph in parts is no mistake, its parts are clusters
            warnings.filterwarnings("ignore", "Graph is not fully connected")
            labels = np.unique(method.fit_predict((graph + graph.T) / 2), return_inverse=True)[1]
        centers = np.stack([codes[labels == k].mean(0) for k in range(labels.max() + 1)])
        return cls(centers, codes, labels)

    @staticmethod
    def is_enough(codes: Array, n: int) -> bool:
        """Whether samples are enough for a graph with n clusters.

        Args:
            codes: Content codes (N, D).
            n: Number of clusters.
        """
        return len(np.unique(codes, axis=0)) >= max(MIN_SAMPLES_PER_CLUSTER * n, N_NEIGHBOURS)

    def place(self, codes: Array) -> Array:
        """The cluster of each content code (N, D)."""
        votes = KNeighborsClassifier(min(N_VOTES, len(self.codes))).fit(self.codes, self.labels)
        return np.asarray(votes.predict(codes))

    def assign(self, model: Model, x: Tensor | Prepared, device: str = "cpu") -> Array:
        """The cluster of each sample, by the nearest reference samples.

        Args:
            model: The trained model.
            x: Samples (N, *shape), scaled as the model takes them; or prepared samples.
            device: Device that computes.
        """
        return self.place(encode(model, x, device=device)[0].numpy())

    def arrays(self) -> dict[str, Array]:
        """The arrays of the rule, from which `of` makes the clusters again."""
        return {"codes": self.codes, "labels": self.labels}

    @classmethod
    def of(cls, centers: Array, arrays: dict[str, Array]) -> NeighbourClusters:
        """Clusters from their arrays.

        Args:
            centers: Mean content codes of the clusters (K, D).
            arrays: The result of `arrays`.

        Raises:
            ValueError: The shapes contradict each other, or a number is not finite.
        """
        codes, labels = arrays["codes"], arrays["labels"]
        if codes.shape != (len(labels), centers.shape[1]) or labels.ndim != 1:
            raise ValueError(f"codes of the clusters have shape {codes.shape}")
        is_cluster = (labels >= 0) & (labels < len(centers)) & (labels == labels.astype(int))
        if not (is_cluster.all() and np.isfinite(codes).all() and len(labels)):
            raise ValueError("labels or codes of the clusters are not finite or out of range")
        return cls(centers, codes, labels)
