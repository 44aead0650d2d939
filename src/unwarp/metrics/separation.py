"""Class separation of series, raw and aligned, and the remaining variance.

Distances are Euclidean and nothing is trained but means: nearest neighbours, nearest class means
and k-means read the classes.
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


def nearest_accuracy(
    train: Array, train_labels: Labels, test: Array, labels: Labels
) -> dict[str, float]:
    """Accuracy of the nearest neighbour and of the nearest class mean.

    Args:
        train: Reference samples (M, ...).
        train_labels: Their classes (M,).
        test: Samples (N, ...) that are classified.
        labels: Their classes (N,).

    Returns:
        `1nn` and `centroid`, each 0 to 1.
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    return {
        "1nn": float(KNeighborsClassifier(1).fit(gallery, train_labels).score(queries, labels)),
        "centroid": float(NearestCentroid().fit(gallery, train_labels).score(queries, labels)),
    }


def nearest_centroids(
    train: Array, train_labels: Labels, test: Array, labels: Labels, n_means: int = 1, seed: int = 0
) -> float:
    """Accuracy of the nearest of several means of each class.

    Means are those of k-means within the class. One mean is the nearest class mean; more of them
    leave room for a class that comes in several kinds.

    Args:
        train: Reference samples (M, ...).
        train_labels: Their classes (M,).
        test: Samples (N, ...) that are classified.
        labels: Their classes (N,).
        n_means: Means of each class; fewer for a class of fewer samples.
        seed: Seed of k-means.

    Returns:
        Share of samples that are classified correctly, 0 to 1.
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    means, names = [], []
    for name in np.unique(train_labels):
        rows = gallery[train_labels == name]
        clusters = KMeans(min(n_means, len(rows)), n_init=10, random_state=seed).fit(rows)
        means.append(clusters.cluster_centers_)
        names += [name] * len(means[-1])
    predicted = np.asarray(names)[pairwise_distances_argmin(queries, np.concatenate(means))]
    return float(np.mean(predicted == labels))


def class_separation(
    train: Array, train_labels: Labels, test: Array, labels: Labels
) -> dict[str, float]:
    """Accuracies of neighbours, class means and k-means clusters.

    Args:
        train: Reference samples (M, ...).
        train_labels: Their classes (M,); k-means does not use them.
        test: Samples (N, ...) that are classified.
        labels: Their classes (N,).

    Returns:
        `1nn` and `centroid` (see `nearest_accuracy`), `acc` and `nmi` (see `kmeans`), each 0 to 1.
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    return nearest_accuracy(gallery, train_labels, queries, labels) | kmeans(
        gallery, queries, labels
    )


@score_function(
    best=1.0,
    chance={"aligned_1nn": 0.5, "aligned_centroid": 0.5, "aligned_acc": 0.5, "aligned_nmi": 0.0},
)
def aligned_separation(
    train_aligned: Array, train_labels: Labels, aligned: Array, labels: Labels
) -> dict[str, float]:
    """Class separation of aligned series.

    Compare it with `series_baselines`, the same of raw series. Images have no `aligned`, so that
    these are scores of series alone.

    Args:
        train_aligned: Reference series with their warps undone (M, C, T).
        train_labels: Their classes (M,).
        aligned: Held-out series with their warps undone (N, C, T).
        labels: Their classes (N,).

    Returns:
        `aligned_1nn`, `aligned_centroid`, `aligned_acc`, `aligned_nmi`, each 0 to 1 (see
        `class_separation`).
    """
    scores = class_separation(train_aligned, train_labels, aligned, labels)
    return {f"aligned_{name}": value for name, value in scores.items()}


@score_function(best=1.0, chance=0.5)
def codes_separation(
    train_codes: Array, train_labels: Labels, codes: Array, labels: Labels, series: Array
) -> dict[str, float]:
    """Class separation of the codes of series.

    Compare it with the same numbers of aligned and of raw series. Images have no `series`, so
    that these are scores of series alone.

    Args:
        train_codes: Reference codes (M, D).
        train_labels: Their classes (M,).
        codes: Held-out codes (N, D).
        labels: Their classes (N,).
        series: The encoded series (N, C, T); only their number is used.

    Returns:
        `codes_1nn` and `codes_centroid`, each 0 to 1 (see `nearest_accuracy`).

    Raises:
        DataError: Codes and series differ in number.
    """
    if len(codes) != len(series):
        raise DataError(
            f"codes has {len(codes)} rows, series {len(series)}; give one code for each series"
        )
    scores = nearest_accuracy(train_codes, train_labels, codes, labels)
    return {f"codes_{name}": value for name, value in scores.items()}


@score_function(baseline=True)
def series_baselines(
    train_series: Array, train_labels: Labels, series: Array, labels: Labels
) -> dict[str, float]:
    """Class separation of raw series, without a model.

    Images have no `series`; `moment_baselines` are theirs.

    Args:
        train_series: Reference series (M, C, T), without gaps.
        train_labels: Their classes (M,).
        series: Held-out series (N, C, T), without gaps.
        labels: Their classes (N,).

    Returns:
        `raw_1nn`, `raw_centroid`, `raw_acc`, `raw_nmi`, each 0 to 1 (see `class_separation`).
    """
    scores = class_separation(train_series, train_labels, series, labels)
    return {f"raw_{name}": value for name, value in scores.items()}


@score_function
def variance_left(
    x: Array, aligned: Array, codes: Array, cluster_centers: Array
) -> dict[str, float]:
    """Share of the variance within clusters that alignment leaves.

    Each series belongs to the cluster with the centre nearest to its code. Images have no
    `aligned`, so that this is a score of series alone.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same with their warps undone (N, C, T).
        codes: Their codes (N, D).
        cluster_centers: Centres of the clusters (K, D), as `Unwarper.cluster_centers_`.

    Returns:
        `variance_left`, the `variance_ratio` of the clusters; nothing if series do not vary within
        them.
    """
    ratio = variance_ratio(x, aligned, pairwise_distances_argmin(codes, cluster_centers))
    return {"variance_left": ratio} if np.isfinite(ratio) else {}


def variance_ratio(x: Array, aligned: Array, clusters: Labels) -> float:
    """Variance within clusters after alignment over that before.

    It needs no classes. A warp that erases the signal also lowers it: read it beside the
    separation of classes or the reconstruction error.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same, aligned (N, C, T).
        clusters: Cluster of each series (N,).

    Returns:
        0 or more; below 1 if alignment brings the series of a cluster together. NaN if nothing
        varies within clusters before.
    """
    before, after = (_variance_within(part, clusters) for part in (x, aligned))
    return after / before if before else float("nan")


def _variance_within(x: Array, clusters: Labels) -> float:
    """Squared distances from the means of the clusters, summed."""
    members = map(clusters.__eq__, np.unique(clusters))
    return float(sum(np.square(x[rows] - x[rows].mean(0)).sum() for rows in members))
