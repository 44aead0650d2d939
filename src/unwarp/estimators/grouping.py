"""The last step of a fit: clusters and density of latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.analysis.mixture import Mixture
from unwarp.core import Array, ClusterMethod, Domain
from unwarp.data.dataset import Dataset
from unwarp.data.samples import Samples, reference_view
from unwarp.estimators.clustering import label_samples
from unwarp.estimators.clusters import Clusters, KMeansClusters, SearchClusters, search_of
from unwarp.estimators.neighbours import NeighbourClusters
from unwarp.estimators.spectral import (
    SERIES_PER_CHUNK,
    SelfTuning,
    SpectralClusters,
    comparable_series,
)
from unwarp.estimators.strangers import are_strangers, describe_strangers, third_neighbours
from unwarp.models.measured import MeasuredContent
from unwarp.models.model import Model
from unwarp.planning.defaults import default_clusters

MAX_REFERENCES = 400
"""Greatest number of series between which all distances are computed."""

FEW = "clusters: by k-means, since there are too few different {} for a graph with {} clusters"
"""The message where spectral clusters are not possible."""


@dataclass(frozen=True)
class Grouping:
    """Clusters and a density of the latents of training samples.

    Attributes:
        clusters: The clusters.
        mixture: Gaussian mixture over content and theta.
        labels: Cluster of each training sample (N,).
        latents: Content codes and theta of the samples in memory (M, D) and (M, P).
        outliers: Whether each training series shares nothing with the others (N,); None without
            elastic distances.

    >>> from unwarp.core import SERIES
    >>> from unwarp.models import AE
    >>> from unwarp.warps import CosineTime
    >>> data = Dataset(torch.rand(8, 1, 20))
    >>> model = AE(warp=CosineTime(), n_content=2).build((1, 20)).eval()
    >>> Grouping.of(model, data, SERIES, "kmeans", 2).labels.shape
    (8,)
    """

    clusters: Clusters
    mixture: Mixture
    labels: Array
    latents: tuple[Tensor, Tensor]
    outliers: Array | None = None

    @classmethod
    def of(
        cls,
        model: Model,
        data: Samples,
        domain: Domain,
        method: ClusterMethod = "auto",
        n: int | None = None,
        *,
        seed: int = 0,
        device: str = "cpu",
        notify: Callable[[str], None] = lambda message: None,
    ) -> Grouping:
        """The grouping of training samples.

        Args:
            model: The trained model.
            data: N training samples.
            domain: Domain of the samples.
            method: `kmeans` on codes; `spectral`, of elastic distances of series or of nearest
                codes of pictures; or `auto`: spectral for measured codes, and the kinds that a
                search of pictures found, if their number is `n` or open.
            n: Number of clusters; None for a suggested one, or the number of classes.
            seed: Seed of clusters and mixture.
            device: Device that computes.
            notify: Function that shows a message to people.
        """
        view = reference_view(data)
        content, theta = encode(model, view.x, device=device)
        codes, default = content.numpy(), default_clusters(domain, len(view), view.labels)
        mixture = Mixture.fit(torch.cat([content, theta], 1).numpy(), n or default, seed)
        search = search_of(model) if method == "auto" else None
        if search is not None and n in (None, search.n_kinds):
            kinds = SearchClusters.fit(model, view.x, codes, device)
            notify(f"clusters: {search.n_kinds}, the kinds that the search found")
            labels = label_samples(model, data, kinds, device)
            return cls(kinds, mixture, labels, (content, theta))
        is_measured = isinstance(getattr(model.encoder, "content", None), MeasuredContent)
        is_spectral = method == "spectral" or (method == "auto" and is_measured)
        if not (is_spectral and domain.has_times):
            if is_spectral and not NeighbourClusters.is_enough(codes, n or default):
                is_spectral = False
                notify(FEW.format(domain.plural, n or default))
            method_of_codes = NeighbourClusters if is_spectral else KMeansClusters
            of_codes = method_of_codes.fit(codes, n or default, seed)
            labels = label_samples(model, data, of_codes, device)
            return cls(of_codes, mixture, labels, (content, theta))
        n = n or (None if view.labels is None else default)
        clusters, labels, outliers = _spectral(model, data, view, codes, n, seed, device)
        if n is None:
            notify(f"clusters: {len(clusters.centers)}, by the largest gap between eigenvalues")
        if outliers.any():
            notify(describe_strangers(outliers))
        return cls(clusters, mixture, labels, (content, theta), outliers)


def _spectral(
    model: Model, data: Samples, view: Dataset, codes: Array, n: int | None, seed: int, device: str
) -> tuple[SpectralClusters, Array, Array]:
    """Spectral clusters, the cluster of each series (N,), and whether it is a stranger (N,).

    Args:
        model: The trained model.
        data: N training series.
        view: Those of them that are in memory.
        codes: Their content codes.
        n: Number of clusters; None for a suggested one.
        seed: Seed of the choice of references and of k-means.
        device: Device that computes.
    """
    rows = np.random.default_rng(seed).permutation(len(view))[:MAX_REFERENCES]
    observed = view.x[rows]
    aligned = comparable_series(model, observed, device)
    tuning, distances = SelfTuning.fit(observed, device, None if aligned is observed else aligned)
    clusters, labels = SpectralClusters.fit(tuning, distances, codes[rows], n, seed)
    if len(rows) == len(data):
        thirds, order = third_neighbours(distances, has_self=True), np.argsort(rows)
        return clusters, labels[order], are_strangers(thirds)[order]
    generator, parts = torch.Generator().manual_seed(0), []
    for index in torch.split(torch.arange(len(data)), SERIES_PER_CHUNK):
        part = data.batch(index, generator).x
        if tuning.sees_aligned[0]:
            part = comparable_series(model, part, device)
        distances = tuning.distances(part, device)
        parts.append((clusters.place(distances), third_neighbours(distances)))
    labels, thirds = (np.concatenate(column, -1) for column in zip(*parts, strict=True))
    return clusters, labels, are_strangers(thirds)
