"""Scores of clusters against classes: matched accuracy and mutual information."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score

from unwarp.core import Array, Labels
from unwarp.metrics.registry import score_function

MAX_TEMPLATE_COMPONENTS = 50
"""Number of principal components of the templates on which k-means runs."""


def accuracy(clusters: Labels, labels: Labels) -> float:
    """Accuracy of clusters under their best one-to-one matching to classes.

    Each cluster is matched to at most one class, so that as many samples as possible are in the
    cluster of their class (the Hungarian method of Kuhn 1955). If there are more clusters than
    classes, the samples of unmatched clusters count as errors.

    Args:
        clusters: Cluster of each sample (N,); any values.
        labels: Class of each sample (N,); any values.

    Returns:
        Share of samples in the cluster of their class, 0 to 1. A single cluster scores the share of
        the largest class.

    >>> accuracy(np.array([1, 1, 0, 2]), np.array([5, 5, 7, 7]))
    0.75
    """
    class_names, classes = np.unique(labels, return_inverse=True)
    cluster_names, members = np.unique(clusters, return_inverse=True)
    table = np.zeros((len(cluster_names), len(class_names)))
    np.add.at(table, (members, classes), 1)
    return float(table[linear_sum_assignment(-table)].sum() / len(labels))


def nmi(clusters: Labels, labels: Labels) -> float:
    """Normalised mutual information (NMI) of clusters and classes.

    `2 I(clusters; classes) / (H(clusters) + H(classes))`. It is not corrected for chance: many
    clusters of few samples score above 0 even on noise.

    Args:
        clusters: Cluster of each sample (N,); any values.
        labels: Class of each sample (N,); any values.

    Returns:
        0 (independent) to 1 (the same partition).
    """
    return float(normalized_mutual_info_score(labels, clusters))


def _fit_and_match(
    train: Array, test: Array, labels: Labels, n_init: int, seed: int
) -> dict[str, float]:
    """`accuracy` and `nmi` of the clusters of `test` rows, with k-means fitted to `train` rows."""
    means = KMeans(len(np.unique(labels)), n_init=n_init, random_state=seed).fit(train)
    clusters = means.predict(test)
    return {"acc": accuracy(clusters, labels), "nmi": nmi(clusters, labels)}


# `chance` is declared for two equally frequent classes: the best matching of random clusters is
# right for half of the samples
@score_function(best=1.0, chance={"acc": 0.5, "nmi": 0.0})
def kmeans(
    train_codes: Array, codes: Array, labels: Labels, n_init: int = 20, seed: int = 0
) -> dict[str, float]:
    """Accuracy and mutual information of k-means clusters of codes.

    There are as many clusters as classes. They are fitted to the training codes, without labels.
    Each held-out code then belongs to the cluster with the nearest centre.

    Args:
        train_codes: Codes to which k-means is fitted (M, D).
        codes: Held-out codes (N, D).
        labels: Classes of the held-out samples (N,).
        n_init: Number of random initialisations of k-means; the best result is used.
        seed: Seed of the initialisations.

    Returns:
        `acc` (see `accuracy`) and `nmi` (see `nmi`), each 0 to 1.
    """
    return _fit_and_match(train_codes, codes, labels, n_init, seed)


@score_function(best=1.0, chance={"template_acc": 0.5, "template_nmi": 0.0})
def template_kmeans(
    train_templates: Array, templates: Array, labels: Labels, n_init: int = 20, seed: int = 0
) -> dict[str, float]:
    """Accuracy and mutual information of k-means clusters of decoded templates.

    This is `kmeans` on the first 50 principal components of the flattened templates; the components
    are those of the training templates.

    Args:
        train_templates: Templates to which k-means is fitted (M, ...).
        templates: Held-out templates (N, ...).
        labels: Classes of the held-out samples (N,).
        n_init: Number of random initialisations of k-means; the best result is used.
        seed: Seed of the components and of the initialisations.

    Returns:
        `template_acc` and `template_nmi`, each 0 to 1.
    """
    train = train_templates.reshape(len(train_templates), -1)
    # k-means on all pixels is slow, and the other components are mostly noise
    n_components = min(MAX_TEMPLATE_COMPONENTS, *train.shape)
    components = PCA(n_components, svd_solver="randomized", random_state=seed).fit(train)
    test = components.transform(templates.reshape(len(templates), -1))
    scores = _fit_and_match(components.transform(train), test, labels, n_init, seed)
    return {f"template_{name}": value for name, value in scores.items()}
