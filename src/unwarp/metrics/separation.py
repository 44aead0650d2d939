"""Class separation of series, and their variance before and after alignment.

Classes are separated if simple methods recognise them: nearest neighbours, nearest class means and
k-means, all with Euclidean distances. Aligned series are series with their deformations undone.
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
        train_labels: Classes of the reference samples (M,).
        test: Samples (N, ...) to classify.
        labels: Classes of these samples (N,).

    Returns:
        `1nn` (nearest neighbour) and `centroid` (nearest class mean), each 0 to 1.
    """
    gallery, queries = (x.reshape(len(x), -1) for x in (train, test))
    varies = np.ptp(gallery, axis=0) > 0  # columns that are constant tell classes nothing
    gallery, queries = (x[:, varies] if varies.any() else x for x in (gallery, queries))
    return {
        "1nn": float(KNeighborsClassifier(1).fit(gallery, train_labels).score(queries, labels)),
        "centroid": float(NearestCentroid().fit(gallery, train_labels).score(queries, labels)),
    }


def nearest_centroids(
    train: Array, train_labels: Labels, test: Array, labels: Labels, n_means: int = 1, seed: int = 0
) -> float:
    """Accuracy of a classifier by the nearest of several means per class.

    The means are the centres of k-means in the class. With one mean, this is the nearest class
    mean; several means suit classes with several kinds of samples.

    Args:
        train: Reference samples (M, ...).
        train_labels: Classes of the reference samples (M,).
        test: Samples (N, ...) to classify.
        labels: Classes of these samples (N,).
        n_means: Number of means of each class, at most its number of reference samples.
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
        train_labels: Classes of the reference samples (M,); k-means does not use them.
        test: Samples (N, ...) to classify.
        labels: Classes of these samples (N,).

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

    Compare it with `series_baselines`, the same scores of raw series. It is computed for series
    only, since data sets of images have no input `aligned`.

    Args:
        train_aligned: Reference series, aligned (M, C, T).
        train_labels: Classes of the reference series (M,).
        aligned: Held-out series, aligned (N, C, T).
        labels: Classes of the held-out series (N,).

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

    Compare it with the same scores of aligned and of raw series. It is computed for series only,
    since data sets of images have no input `series`.

    Args:
        train_codes: Reference codes (M, D).
        train_labels: Classes of the reference codes (M,).
        codes: Held-out codes (N, D).
        labels: Classes of the held-out codes (N,).
        series: The encoded series (N, C, T); only their number is used.

    Returns:
        `codes_1nn` and `codes_centroid`, each 0 to 1 (see `nearest_accuracy`).

    Raises:
        DataError: The numbers of codes and series differ.
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

    It is computed for series only; `moment_baselines` are the baselines of images.

    Args:
        train_series: Reference series (M, C, T), without missing values.
        train_labels: Classes of the reference series (M,).
        series: Held-out series (N, C, T), without missing values.
        labels: Classes of the held-out series (N,).

    Returns:
        `raw_1nn`, `raw_centroid`, `raw_acc`, `raw_nmi`, each 0 to 1 (see `class_separation`).
    """
    scores = class_separation(train_series, train_labels, series, labels)
    return {f"raw_{name}": value for name, value in scores.items()}


@score_function
def variance_left(
    x: Array, aligned: Array, codes: Array, cluster_centers: Array
) -> dict[str, float]:
    """Variance within clusters after alignment, as a share of that before.

    Each series belongs to the cluster with the centre nearest to its code. It is computed for
    series only, since data sets of images have no input `aligned`.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same series, aligned (N, C, T).
        codes: Content codes of the series (N, D).
        cluster_centers: Centres of the clusters (K, D), such as `Unwarper.cluster_centers_`.

    Returns:
        `variance_left`, the `variance_ratio` of the clusters; nothing if the series of each cluster
        are equal.
    """
    ratio = variance_ratio(x, aligned, pairwise_distances_argmin(codes, cluster_centers))
    return {"variance_left": ratio} if np.isfinite(ratio) else {}


def variance_ratio(x: Array, aligned: Array, clusters: Labels) -> float:
    """Variance within clusters after alignment, divided by that before.

    It needs no classes. A warp that destroys the signal also makes it small: judge it together with
    the class separation or the reconstruction error.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same series, aligned (N, C, T).
        clusters: Cluster of each series (N,).

    Returns:
        0 or more; below 1 if alignment makes the series of a cluster more alike. NaN if the
        observed series of each cluster are equal.
    """
    before, after = (_variance_within(part, clusters) for part in (x, aligned))
    return after / before if before else float("nan")


def _variance_within(x: Array, clusters: Labels) -> float:
    """Sum of the squared distances of series from the mean of their cluster."""
    members = map(clusters.__eq__, np.unique(clusters))
    return float(sum(np.square(x[rows] - x[rows].mean(0)).sum() for rows in members))
