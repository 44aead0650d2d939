"""Clusters of series by self-tuning spectral clustering of elastic distances.

    SelfTuning          affinities of series: near 1 for neighbours, near 0 for others
    SpectralClusters    leading eigenvectors of the affinities, and k-means on them

Self-tuning: each series has a scale of its own, its distance to the 7th neighbour (Zelnik-Manor and
Perona 2004, Self-tuning spectral clustering). Affinities of values and of slopes are tuned apart
and added, so that series are alike if they are in either.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from unwarp.core import Array
from unwarp.data.levelling import levelled, levelling_and_contrast
from unwarp.data.prepared import Prepared
from unwarp.devices import resolve_device
from unwarp.distances import MSM
from unwarp.distances.values_and_slopes import (
    divide,
    shorten,
    slopes,
    standard_deviations,
)
from unwarp.estimators.clusters import Clusters
from unwarp.models.model import Model

BAND, BAND_OF_LEVELLED = 0.2, 0.4
"""Greatest shift in time of matched steps, as a share of a series, as it is and levelled."""

N_NEIGHBOURS = 7
"""Rank of the neighbour whose distance is the scale of a series."""

MIN_SUGGESTED, MAX_SUGGESTED = 2, 10
"""Bounds of a number of clusters that is read off the eigenvalues."""

MIN_EIGENVALUE, MIN_SCALE = 1e-6, 1e-12
"""Least eigenvalue of a coordinate, and least scale, so that ratios are finite."""

SERIES_PER_CHUNK, SERIES_PER_BLOCK = 1000, 64
"""Series that are encoded at once, and whose distances to all following ones are computed."""


@dataclass(frozen=True)
class SelfTuning:
    """Affinities of series to the reference series, in the scales of both.

    With the distances d of values and of slopes by move-split-merge (`unwarp.distances.MSM`), an
    affinity is the sum of exp(-d_ij / sqrt(s_i s_j)) over both, with the distance s_i of series i
    to its 7th neighbour. No distance to a reference series counts as less than the distance from
    that one to the nearest other: a series of the references is then placed as a new one is. Series
    are levelled before (`unwarp.data.levelling`) if that raises the contrast.

    Attributes:
        series: Reference series (M, C, T), of at most 128 time steps; NaN in gaps.
        is_levelled: Whether series are levelled (1,).
        sees_aligned: Whether aligned series are compared rather than observed ones (1,).
        sds: Standard deviations of the values and of the slopes of each channel (2, C).
        floors: Distance of each reference series to the nearest other one (2, M).
        scales: Distance of each reference series to its 7th neighbour (2, M).

    >>> x = torch.randn(9, 1, 30, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    >>> tuning, distances = SelfTuning.fit(x)
    >>> tuning.affinities(distances).shape
    (9, 9)
    """

    series: Array
    is_levelled: Array
    sds: Array
    floors: Array
    scales: Array
    sees_aligned: Array

    @classmethod
    def fit(
        cls, x: Tensor, device: str = "cpu", aligned: Tensor | None = None
    ) -> tuple[SelfTuning, Array]:
        """Scales of reference series.

        Args:
            x: Reference series (M, C, T), at least 2, in random order.
            device: Device that computes.
            aligned: The same series aligned (M, C, T'), which are compared instead if their
                contrast is higher (`unwarp.data.levelling`); None if there is no alignment.

        Returns:
            The affinities, and the distances of all pairs of references (2, M, M) with the floors
            as their diagonals.
        """
        forms = [x] if aligned is None else [x, aligned]
        verdicts = [levelling_and_contrast(form) for form in forms]
        best = int(np.argmax([contrast for _, contrast in verdicts]))
        x, is_levelled = forms[best], verdicts[best][0]
        series = shorten(levelled(x) if is_levelled else x)
        sds, target = _standard_deviations(series), resolve_device(device)
        parts, msm = _values_and_slopes(series.to(target), sds), _distance(is_levelled)
        distances = np.stack([_all_pairs(part, msm) for part in parts])
        n = len(series)
        distances[:, np.arange(n), np.arange(n)] = np.inf
        floors = distances.min(2)
        distances[:, np.arange(n), np.arange(n)] = floors
        rule = {"is_levelled": is_levelled, "sees_aligned": best == 1}
        flags = {name: np.array([value]) for name, value in rule.items()}
        scales = _scales(distances)
        return cls(series.numpy(), sds=sds, floors=floors, scales=scales, **flags), distances

    def distances(self, x: Tensor, device: str = "cpu") -> Array:
        """Distances (2, N, M) of values and slopes to the references.

        Args:
            x: Series (N, C, T).
            device: Device that computes.
        """
        target, msm = resolve_device(device), _distance(bool(self.is_levelled[0]))
        short = shorten(levelled(x) if self.is_levelled[0] else x)
        first = _values_and_slopes(short.to(target), self.sds)
        second = _values_and_slopes(torch.from_numpy(self.series).to(target), self.sds)
        distances = [msm(a, b).cpu().numpy() for a, b in zip(first, second, strict=True)]
        return np.asarray(np.maximum(np.stack(distances).astype(float), self.floors[:, None]))

    def affinities(self, distances: Array) -> Array:
        """Affinities (N, M) to the references, from distances (2, N, M)."""
        scales = np.sqrt(_scales(distances)[:, :, None] * self.scales[:, None])
        return np.asarray(np.exp(-distances / scales).sum(0))


@dataclass(frozen=True)
class SpectralClusters(Clusters):
    """Clusters of series by the leading eigenvectors of their affinities.

    The matrix of affinities is normalised by the degrees (Ng, Jordan and Weiss 2001, On spectral
    clustering). Its k + 1 leading eigenvectors give each series coordinates, scaled to length 1,
    and k-means forms the clusters. One more eigenvector than clusters makes the result better: a
    small group of odd series then takes no coordinate from the clusters. New series get coordinates
    by the affinities to the reference series (Nystrom extension; Fowlkes et al. 2004, Spectral
    grouping using the Nystrom method).

    Attributes:
        centers: Mean content codes of the clusters (K, D).
        tuning: Affinities to the reference series.
        axes: Eigenvectors over eigenvalues and square roots of degrees (M, E).
        means: Centres of k-means in the coordinates (K, E).
    """

    tuning: SelfTuning
    axes: Array
    means: Array

    @classmethod
    def fit(
        cls, tuning: SelfTuning, distances: Array, codes: Array, n: int | None, seed: int = 0
    ) -> tuple[SpectralClusters, Array]:
        """Clusters of reference series.

        Args:
            tuning: The affinities.
            distances: Distances of all pairs of references (2, M, M).
            codes: Content codes of the references (M, D).
            n: Number of clusters; None for the one with the largest gap between eigenvalues. There
                are fewer if there are fewer distinct series.
            seed: Seed of the initial centres.

        Returns:
            The clusters, and the cluster of each reference (M,).
        """
        affinities = tuning.affinities(distances)
        degrees = affinities.sum(1)
        values, vectors = np.linalg.eigh(affinities / np.sqrt(np.outer(degrees, degrees)))
        values, vectors = values[::-1], vectors[:, ::-1]
        n = n or suggest_number(values)
        size = min(n + 1, max(1, int((values > MIN_EIGENVALUE).sum())))
        axes = vectors[:, :size] / values[:size] / np.sqrt(degrees)[:, None]
        coordinates = _on_sphere(affinities @ axes)
        k = min(n, len(np.unique(coordinates.round(6), axis=0)))
        # scikit-learn takes seeds below 2**32
        means = KMeans(k, n_init=20, random_state=seed % (1 << 32)).fit(coordinates)
        labels = np.asarray(means.predict(coordinates))
        centers = mean_codes(codes, labels, k)
        return cls(centers, tuning, axes, means.cluster_centers_), labels

    def assign(self, model: Model, x: Tensor | Prepared, device: str = "cpu") -> Array:
        """The cluster of each series, by its affinities to the references.

        Args:
            model: The trained model.
            x: Series (N, C, T), scaled as the model takes them; or prepared series.
            device: Device that computes.
        """
        parts = (x[i : i + SERIES_PER_CHUNK] for i in range(0, len(x), SERIES_PER_CHUNK))
        if self.tuning.sees_aligned[0]:
            parts = (comparable_series(model, part, device) for part in parts)
        return np.concatenate([self.place(self.tuning.distances(s, device)) for s in parts])

    def place(self, distances: Array) -> Array:
        """The clusters (N,) of series with these distances (2, N, M)."""
        coordinates = _on_sphere(self.tuning.affinities(distances) @ self.axes)
        distances = np.square(coordinates[:, None] - self.means).sum(2)
        return np.asarray(distances.argmin(1))

    def arrays(self) -> dict[str, Array]:
        """The arrays of the rule, from which `of` makes the clusters again."""
        return {**vars(self.tuning), "axes": self.axes, "means": self.means}

    @classmethod
    def of(cls, centers: Array, arrays: dict[str, Array]) -> SpectralClusters:
        """Clusters from their arrays.

        Args:
            centers: Mean content codes of the clusters (K, D).
            arrays: The result of `arrays`.

        Raises:
            ValueError: The shapes contradict each other, or a number is not finite.
        """
        # earlier versions compare aligned series wherever the content does
        arrays = {"sees_aligned": np.array([True]), **arrays}
        tuning = SelfTuning(*(arrays[field.name] for field in fields(SelfTuning)))
        clusters = cls(centers, tuning, arrays["axes"], arrays["means"])
        _check_shapes(clusters)
        return clusters


@torch.no_grad()
def comparable_series(model: Model, x: Tensor, device: str = "cpu") -> Tensor:
    """Series as the content of a model sees them, observed or aligned.

    Args:
        model: A trained model of series.
        x: Series (N, C, T), NaN in gaps.
        device: Device that aligns.

    Returns:
        Series (N, C, T') on the CPU, NaN in gaps.
    """
    content = getattr(model.encoder, "content", None)  # the one-stage encoder has none
    if not bool(getattr(content, "sees_aligned", True)) or not model.warp.factors:
        return x
    target, n_channels = resolve_device(device), model.shape[0]
    aligned = model.to(target).eval().encode(x.to(target)).canonical
    model.to("cpu")
    if aligned is None:
        return x
    values, masks = aligned[:, :n_channels].cpu(), aligned[:, n_channels:].cpu()
    return torch.where(masks < 0.5, torch.nan, values) if masks.shape[1] else values


def suggest_number(values: Array) -> int:
    """The number of clusters with the largest gap between eigenvalues.

    Args:
        values: Eigenvalues (M,) of normalised affinities, the largest first.

    Returns:
        A number from 2 to 10, and at most M - 1; 1 if there are two eigenvalues or fewer.

    >>> suggest_number(np.array([1.0, 0.9, 0.9, 0.3, 0.2]))
    3
    """
    gaps = -np.diff(values[: MAX_SUGGESTED + 1])[MIN_SUGGESTED - 1 :]
    return MIN_SUGGESTED + int(gaps.argmax()) if len(gaps) else 1


def mean_codes(codes: Array, labels: Array, n: int) -> Array:
    """Mean content codes of clusters (K, D), none of which is empty.

    Args:
        codes: Content codes (N, D).
        labels: Cluster of each code (N,).
        n: Number of clusters K.
    """
    return np.stack([codes[labels == k].mean(0) for k in range(n)])


def _standard_deviations(x: Tensor) -> Array:
    """Standard deviations of values, and of slopes of standardised values, by channel (2, C)."""
    value_sds = standard_deviations(x)
    return np.array([value_sds, standard_deviations(slopes(divide(x, value_sds)))])


def _values_and_slopes(x: Tensor, sds: Array) -> tuple[Tensor, Tensor]:
    """Standardised values and slopes of series (N, C, T)."""
    values = divide(x, sds[0].tolist())
    return values, divide(slopes(values), sds[1].tolist())


def _distance(is_levelled: bool) -> MSM:
    """Move-split-merge in the band for series as they are, or levelled."""
    return MSM(band=BAND_OF_LEVELLED if is_levelled else BAND)


def _all_pairs(x: Tensor, msm: MSM) -> Array:
    """Distances (M, M) of all pairs of series (M, C, T); each pair is computed once."""
    distances, n = np.zeros((len(x), len(x))), len(x)
    for start in range(0, n, SERIES_PER_BLOCK):
        rows = slice(start, start + SERIES_PER_BLOCK)
        block = msm(x[rows], x[start:]).cpu().numpy()
        distances[rows, start:] = block
        distances[start:, rows] = block.T
    return distances


def _scales(distances: Array) -> Array:
    """Distances (2, N) to the 7th neighbour, of distances (2, N, M)."""
    rank = min(N_NEIGHBOURS, distances.shape[2]) - 1
    return np.asarray(np.maximum(np.partition(distances, rank, axis=2)[:, :, rank], MIN_SCALE))


def _on_sphere(coordinates: Array) -> Array:
    """Rows scaled to length 1."""
    lengths = np.linalg.norm(coordinates, axis=1, keepdims=True)
    return np.asarray(coordinates / np.maximum(lengths, MIN_SCALE))


def _check_shapes(clusters: SpectralClusters) -> None:
    """Refuse arrays that contradict each other or are not finite."""
    tuning, n, size = clusters.tuning, len(clusters.axes), clusters.axes.shape[-1]
    if tuning.series.ndim != 3 or len(tuning.series) != n:
        raise ValueError(f"series of the clusters have shape {tuning.series.shape}")
    shapes = {
        "is_levelled": (tuning.is_levelled, (1,)),
        "sees_aligned": (tuning.sees_aligned, (1,)),
        "sds": (tuning.sds, (2, tuning.series.shape[1])),
        "floors": (tuning.floors, (2, n)),
        "scales": (tuning.scales, (2, n)),
        "axes": (clusters.axes, (n, size)),
        "means": (clusters.means, (len(clusters.centers), size)),
    }
    for name, (value, shape) in shapes.items():
        if value.shape != shape or 0 in shape or not np.isfinite(value).all():
            raise ValueError(f"{name} of the clusters has shape {value.shape} or is not finite")
