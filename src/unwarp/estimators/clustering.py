"""Clusters of content codes: the nearest centre of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin

from unwarp.analysis.embedding import encode
from unwarp.core import Array
from unwarp.data.samples import Samples
from unwarp.data.streams import check_order
from unwarp.estimators.alignment import Alignment
from unwarp.models.model import Model

SAMPLES_PER_CHUNK = 1000
"""Samples that are encoded at once, as many as `encode` takes."""


class Clustering(Alignment):
    """Mixin that gives `Unwarper` the methods that return clusters.

    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2)
    >>> bool((unwarper.fit_predict(X) == unwarper.predict(X)).all())
    True
    """

    cluster_centers_: Array
    labels_: Array | None

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
        return nearest_centre(self._content(X, times), self.cluster_centers_)

    def fit_predict(self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any) -> Array:
        """The cluster of each training sample, after `fit`.

        Args:
            X: N samples, as for `fit`.
            y: Ignored; part of scikit-learn's interface.
            times: Time stamps, as for `fit`.
            **fit_params: Further arguments of `fit`, such as `callbacks`.

        Returns:
            `labels_`, rows of `cluster_centers_` (N,).

        Raises:
            DataError: The samples cannot be used.
            ConfigError: An argument is unknown, or does not fit the samples.
        """
        check_order(X)
        trained = self.fit(X, y, times=times, **fit_params)  # type: ignore[attr-defined]
        return np.asarray(trained.labels_)

    def _content(self, X: Any, times: Any) -> Array:
        """Content codes (N, D) of samples, float32."""
        samples = self.prepare_samples(X, times)
        return encode(self.model_, samples, device=self.device)[0].numpy()


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


def label_samples(model: Model, data: Samples, centers: Array, device: str = "cpu") -> Array:
    """The cluster of each training sample, computed in chunks.

    Args:
        model: The trained model.
        data: N training samples, which may stay on disk. Of a data set with `draw`, one random
            observation of each original counts.
        centers: Content codes of the clusters (K, D).
        device: Device that encodes.

    Returns:
        Rows of `centers` (N,).
    """
    labels, generator = np.empty(len(data), np.intp), torch.Generator().manual_seed(0)
    for start in range(0, len(data), SAMPLES_PER_CHUNK):
        rows = torch.arange(start, min(start + SAMPLES_PER_CHUNK, len(data)))
        content, _ = encode(model, data.batch(rows, generator).x, device=device)
        labels[start : start + len(rows)] = nearest_centre(content.numpy(), centers)
    return labels
