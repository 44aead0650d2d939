"""Clusters of samples as methods of the estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from unwarp.analysis.embedding import encode_content
from unwarp.core import Array
from unwarp.data.prepared import SAMPLES_PER_CHUNK
from unwarp.data.samples import Samples
from unwarp.data.streams import check_order
from unwarp.estimators.alignment import Alignment
from unwarp.estimators.clusters import Clusters
from unwarp.models.model import Model


class Clustering(Alignment):
    """Mixin that gives `Unwarper` the methods that return clusters.

    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2)
    >>> bool((unwarper.fit_predict(X) == unwarper.predict(X)).all())
    True
    """

    clusters_: Clusters
    cluster_centers_: Array
    labels_: Array | None

    def predict(self, X: Any, *, times: Any = None) -> Array:
        """The cluster of each sample.

        With k-means it is the one with the nearest centre; with spectral clusters it is decided by
        the training series at the least elastic distances, or by the training pictures with the
        nearest content codes (see the argument `clusters`).

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Rows of `cluster_centers_` (N,), counted from 0.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples = self.prepare_samples(X, times)
        return self.clusters_.assign(self.model_, samples, self.device)

    def fit_predict(self, X: Any, y: Any = None, *, times: Any = None, **fit_params: Any) -> Array:
        """The cluster of each training sample, after `fit`.

        Args:
            X: N samples, as for `fit`.
            y: As for `fit`: ignored unless `labels="choose"`.
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
        return encode_content(self.model_, samples, device=self.device).numpy()


def label_samples(model: Model, data: Samples, clusters: Clusters, device: str = "cpu") -> Array:
    """The cluster of each training sample, computed in chunks.

    Args:
        model: The trained model.
        data: N training samples, which may stay on disk. Of a data set with `draw`, one random
            observation of each original counts.
        clusters: The clusters.
        device: Device that computes.

    Returns:
        Numbers of clusters (N,).
    """
    labels, generator = np.empty(len(data), np.intp), torch.Generator().manual_seed(0)
    for start in range(0, len(data), SAMPLES_PER_CHUNK):
        rows = torch.arange(start, min(start + SAMPLES_PER_CHUNK, len(data)))
        x = data.batch(rows, generator).x
        labels[start : start + len(rows)] = clusters.assign(model, x, device)
    return labels
