"""Whether alignment brings series of a class, or of a cluster, nearer to one another.

Distances are Euclidean, and nothing is learned: the nearest neighbour (1-NN) and the nearest mean
of a class.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from unwarp.core import Array, Labels
from unwarp.errors import DataError
from unwarp.metrics.clustering import kmeans
from unwarp.metrics.registry import score_function


def nearest(train: Array, train_labels: Labels, test: Array, labels: Labels) -> dict[str, float]:
    """Accuracy of the nearest neighbour (`1nn`) and of the nearest class mean (`centroid`), 0 to 1.

    Args:
        train: Reference samples (N, ...).
        train_labels: Their classes (N,).
        test: Samples (M, ...) that are classified.
        labels: Their classes (M,).
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    return {
        "1nn": float(KNeighborsClassifier(1).fit(gallery, train_labels).score(queries, labels)),
        "centroid": float(NearestCentroid().fit(gallery, train_labels).score(queries, labels)),
    }


def nearest_centroids(
    train: Array, train_labels: Labels, test: Array, labels: Labels, n_means: int = 1, seed: int = 0
) -> float:
    """Accuracy of the nearest of `n_means` means a class, 0 to 1.

    Means are those of k-means within the class. One mean is the nearest class mean; more of them
    leave room for a class that comes in several kinds.

    Args:
        train: Reference samples (N, ...).
        train_labels: Their classes (N,).
        test: Samples (M, ...) that are classified.
        labels: Their classes (M,).
        n_means: Means a class; fewer where a class has fewer samples.
        seed: Seed of k-means.
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    means, names = [], []
    for name in np.unique(train_labels):
        rows = gallery[train_labels == name]
        means.append(
            KMeans(min(n_means, len(rows)), n_init=10, random_state=seed).fit(rows).cluster_centers_
        )
        names += [name] * len(means[-1])
    return float(
        np.mean(
            np.asarray(names)[pairwise_distances_argmin(queries, np.concatenate(means))] == labels
        )
    )


def separation(train: Array, train_labels: Labels, test: Array, labels: Labels) -> dict[str, float]:
    """`nearest`, and `acc` and `nmi` of k-means fitted on `train`, by `test`.

    Args:
        train: Reference samples (N, ...).
        train_labels: Their classes (N,).
        test: Samples (M, ...) that are classified.
        labels: Their classes (M,).
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    return nearest(gallery, train_labels, queries, labels) | kmeans(gallery, queries, labels)


@score_function(
    best=1.0,
    chance={"aligned_1nn": 0.5, "aligned_centroid": 0.5, "aligned_acc": 0.5, "aligned_nmi": 0.0},
)
def aligned_separation(
    train_aligned: Array, train_labels: Labels, aligned: Array, labels: Labels
) -> dict[str, float]:
    """How well aligned series tell their classes: `aligned_1nn`, `_centroid`, `_acc`, `_nmi`.

    Pictures have no `aligned`, so that these are scores of series alone.

    Args:
        train_aligned: Reference series with their warps undone (M, C, T).
        train_labels: Their classes (M,).
        aligned: Held-out series with their warps undone (N, C, T).
        labels: Their classes (N,).
    """
    scores = separation(train_aligned, train_labels, aligned, labels)
    return {f"aligned_{name}": value for name, value in scores.items()}


@score_function(best=1.0, chance=0.5)
def codes_separation(
    train_codes: Array, train_labels: Labels, codes: Array, labels: Labels, series: Array
) -> dict[str, float]:
    """How well codes tell the classes of series, as `codes_1nn` and `codes_centroid`.

    They stand beside the same numbers of aligned and of raw series. Pictures have no `series`, so
    that these are scores of series alone.

    Args:
        train_codes: Reference codes (M, D).
        train_labels: Their classes (M,).
        codes: Held-out codes (N, D).
        labels: Their classes (N,).
        series: The series that the codes stand for (N, C, T).

    Raises:
        DataError: Codes and series differ in number.
    """
    if len(codes) != len(series):
        raise DataError(
            f"codes has {len(codes)} rows, series {len(series)}; give one code a series"
        )
    scores = nearest(train_codes, train_labels, codes, labels)
    return {f"codes_{name}": value for name, value in scores.items()}


@score_function(baseline=True)
def series_baselines(
    train_series: Array, train_labels: Labels, series: Array, labels: Labels
) -> dict[str, float]:
    """How well series as they are tell their classes: `raw_1nn`, `_centroid`, `_acc`, `_nmi`.

    Pictures have no `series`; `moment_baselines` are theirs.

    Args:
        train_series: Reference series (M, C, T), without gaps.
        train_labels: Their classes (M,).
        series: Held-out series (N, C, T), without gaps.
        labels: Their classes (N,).
    """
    scores = separation(train_series, train_labels, series, labels)
    return {f"raw_{name}": value for name, value in scores.items()}


@score_function
def variance_left(
    x: Array, aligned: Array, codes: Array, cluster_centers: Array
) -> dict[str, float]:
    """`variance_ratio` of alignment, each series in the cluster nearest to its code.

    Pictures have no `aligned`, so that this is a score of series alone.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same with their warps undone (N, C, T).
        codes: Their codes (N, D).
        cluster_centers: Centres of the clusters (K, D), as `Unwarper.cluster_centers_`.

    Returns:
        `variance_left`; nothing where nothing varies within clusters.
    """
    ratio = variance_ratio(x, aligned, pairwise_distances_argmin(codes, cluster_centers))
    return {"variance_left": ratio} if np.isfinite(ratio) else {}


def variance_ratio(x: Array, aligned: Array, clusters: Labels) -> float:
    """Variance within clusters after alignment over that before; NaN where nothing varies.

    Below 1, alignment brings alike series together. It needs no classes.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same, aligned (N, C, T).
        clusters: Cluster of each (N,).
    """
    before, after = (_within(part, clusters) for part in (x, aligned))
    return after / before if before else float("nan")


def _within(x: Array, clusters: Labels) -> float:
    """Squared distances from the means of the clusters, summed."""
    members = map(clusters.__eq__, np.unique(clusters))
    return float(sum(np.square(x[rows] - x[rows].mean(0)).sum() for rows in members))
