"""Clusters of k-Shape on the sets of `benchmarks.codes`, by the same protocol.

k-Shape (Paparrizos and Gravano 2015) is that of tslearn: fitted to the standardised training series
with the true number of classes, the best of ten starts, scored once on the test series.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy.stats import wilcoxon

from benchmarks import cells
from unwarp.core import Array
from unwarp.datasets import ucr
from unwarp.metrics.clustering import accuracy

N_STARTS = 10


def kshape_cell(where: str, quick: bool = False) -> cells.Result:
    """The accuracy of k-Shape on a UCR set.

    Args:
        where: Name of the set.
        quick: Whether to take one start.
    """
    from tslearn.clustering import KShape  # not installed by default

    torch.set_num_threads(1)
    train, test = (ucr.load(part, where) for part in ("train", "test"))
    x, y = (standardised(part.x.numpy()) for part in (train, test))
    n_classes = len(np.unique(np.asarray(train.labels)))
    model = KShape(n_clusters=n_classes, n_init=1 if quick else N_STARTS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clusters = model.fit(x).predict(y)
    score = float(accuracy(clusters, np.asarray(test.labels)))
    return {"n_test": len(test), "scores": {"clusters_acc": round(score, 4)}}


def standardised(x: Array) -> Array:
    """Series (N, T, C), each with mean 0 and standard deviation 1, of series (N, C, T)."""
    centred = x - x.mean(2, keepdims=True)
    return np.asarray(centred / np.maximum(x.std(2, keepdims=True), 1e-8)).transpose(0, 2, 1)


def comparison(scores: dict[str, tuple[float, float]]) -> str:
    """A sentence on the accuracies of both, with a signed-rank test.

    Args:
        scores: Accuracy of `predict` and of k-Shape, by the name of the set.
    """
    own, other = np.array(list(scores.values())).T
    wins, losses = int((own > other).sum()), int((own < other).sum())
    p = float(wilcoxon(own, other).pvalue)
    return (
        f"On the same {len(scores)} sets and by the same protocol, k-Shape of tslearn has a mean "
        f"accuracy of {other.mean():.3f}, `predict` {own.mean():.3f}: higher on {wins} sets, lower "
        f"on {losses}; Wilcoxon's signed-rank test gives p = {p:.2g}."
    )
