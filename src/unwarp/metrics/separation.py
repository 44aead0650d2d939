"""Whether alignment helps: how near series of a class, or of a cluster, come to one another once their warp is undone.

Distances are Euclidean, and nothing is learned: the nearest neighbour (1-NN) and the nearest mean of a class.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from unwarp.core import Array, Labels
from unwarp.metrics.clustering import kmeans


def nearest(train: Array, train_labels: Labels, test: Array, labels: Labels) -> dict[str, float]:
    """Accuracy of the nearest neighbour (`1nn`) and of the nearest class mean (`centroid`), 0 to 1.

    Args:
        train: Samples (N, ...) that are known.
        train_labels: Their classes (N,).
        test: Samples (M, ...) that are classified.
        labels: Their classes (M,).
    """
    known, asked = (x.reshape(len(x), -1) for x in (train, test))
    return {
        "1nn": float(KNeighborsClassifier(1).fit(known, train_labels).score(asked, labels)),
        "centroid": float(NearestCentroid().fit(known, train_labels).score(asked, labels)),
    }


def nearest_centroids(
    train: Array, train_labels: Labels, test: Array, labels: Labels, each: int = 1, seed: int = 0
) -> float:
    """Accuracy of the nearest of `each` means a class, found by k-means within the class, 0 to 1.

    One mean is the nearest class mean; more of them leave room for a class that comes in several kinds.

    Args:
        train: Samples (N, ...) that are known.
        train_labels: Their classes (N,).
        test: Samples (M, ...) that are classified.
        labels: Their classes (M,).
        each: Means a class; fewer where a class has fewer samples.
        seed: Seed of k-means.
    """
    known, asked = (x.reshape(len(x), -1) for x in (train, test))
    means, names = [], []
    for name in np.unique(train_labels):
        own = known[train_labels == name]
        found = KMeans(min(each, len(own)), n_init=10, random_state=seed).fit(own).cluster_centers_
        means.append(found)
        names += [name] * len(found)
    return float(np.mean(np.asarray(names)[pairwise_distances_argmin(asked, np.concatenate(means))] == labels))


def separation(train: Array, train_labels: Labels, test: Array, labels: Labels) -> dict[str, float]:
    """`nearest`, and `acc` and `nmi` of k-means fitted on `train`, by `test`: all on the same samples (N, ...)."""
    known, asked = (x.reshape(len(x), -1) for x in (train, test))
    return nearest(known, train_labels, asked, labels) | kmeans(known, asked, labels)


def variance_left(x: Array, aligned: Array, clusters: Labels) -> float:
    """Variance within clusters after alignment over that before: below 1, alignment brings alike series together.

    It needs no classes. NaN where nothing varies.

    Args:
        x: Series as observed (N, C, T).
        aligned: The same, aligned (N, C, T).
        clusters: Cluster of each (N,).
    """
    before, after = (_within(part, clusters) for part in (x, aligned))
    return after / before if before else float("nan")


def _within(x: Array, clusters: Labels) -> float:
    """Squared distances from the means of the clusters, summed."""
    return float(sum(np.square(x[rows] - x[rows].mean(0)).sum() for rows in map(clusters.__eq__, np.unique(clusters))))
