"""Whether clusters found without labels are the classes: accuracy after matching, and mutual information."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score

from unwarp.core import Array, Labels
from unwarp.metrics.registry import score_function


def accuracy(clusters: Labels, labels: Labels) -> float:
    """Share of samples whose cluster is matched to their class, under the best one-to-one matching (Kuhn 1955)."""
    names, classes = np.unique(labels, return_inverse=True)
    groups, found = np.unique(clusters, return_inverse=True)
    table = np.zeros((len(groups), len(names)))
    np.add.at(table, (found, classes), 1)
    return float(table[linear_sum_assignment(-table)].sum() / len(labels))


def nmi(clusters: Labels, labels: Labels) -> float:
    """Mutual information of clusters and classes over the mean of their entropies, 0 to 1."""
    return float(normalized_mutual_info_score(labels, clusters))


def _fit_and_match(
    train: Array, test: Array, labels: Labels, starts: int, seed: int
) -> dict[str, float]:
    means = KMeans(len(np.unique(labels)), n_init=starts, random_state=seed).fit(train)
    clusters = means.predict(test)
    return {"acc": accuracy(clusters, labels), "nmi": nmi(clusters, labels)}


@score_function(best=1.0, chance={"acc": 0.5, "nmi": 0.0})
def kmeans(
    train_codes: Array, codes: Array, labels: Labels, starts: int = 20, seed: int = 0
) -> dict[str, float]:
    """`acc` and `nmi` of k-means (as many clusters as classes) fitted on training codes, applied to `codes`."""
    return _fit_and_match(train_codes, codes, labels, starts, seed)


@score_function(best=1.0, chance={"template_acc": 0.5, "template_nmi": 0.0})
def template_kmeans(
    train_templates: Array, templates: Array, labels: Labels, starts: int = 20, seed: int = 0
) -> dict[str, float]:
    """The same on decoded templates (N, ...), as `template_acc` and `template_nmi`; on their first 50 components."""
    train = train_templates.reshape(len(train_templates), -1)
    components = PCA(min(50, *train.shape), svd_solver="randomized", random_state=seed).fit(train)
    test = components.transform(templates.reshape(len(templates), -1))
    found = _fit_and_match(components.transform(train), test, labels, starts, seed)
    return {f"template_{name}": value for name, value in found.items()}
