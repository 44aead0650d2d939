"""Clusters of k-Shape on the sets of `benchmarks.codes`, by the same protocol.

k-Shape (Paparrizos and Gravano 2015, k-Shape: efficient and accurate clustering of time series) is
fitted to the standardised training series with the true number of classes, from ten random starts,
and every fit is scored once on the test series. It is written out here because `predict` of
tslearn 0.10 does not place new series of a class as it places those that it was fitted to.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import wilcoxon

from benchmarks import cells
from unwarp.core import Array
from unwarp.datasets import ucr
from unwarp.metrics.clustering import accuracy

N_STARTS, MAX_ROUNDS = 10, 100
SMALLEST_NORM = 1e-9


def kshape_cell(where: str, quick: bool = False) -> cells.Result:
    """The accuracy of k-Shape on a UCR set: mean over starts, and of the tightest fit.

    Args:
        where: Name of the set.
        quick: Whether to take one start.
    """
    torch.set_num_threads(1)
    train, test = (ucr.load(part, where) for part in ("train", "test"))
    x, y = (standardised(part.x[:, 0].double().numpy()) for part in (train, test))
    k, truth = len(np.unique(np.asarray(train.labels))), np.asarray(test.labels)
    fits = [fit(x, k, np.random.default_rng(seed)) for seed in range(1 if quick else N_STARTS)]
    accuracies = [float(accuracy(distances(y, shapes).argmin(1), truth)) for shapes, _ in fits]
    tightest = int(np.argmin([inertia for _, inertia in fits]))
    scores = {"clusters_acc": np.mean(accuracies), "tightest_acc": accuracies[tightest]}
    return {"n_test": len(test), "scores": {k: round(float(v), 4) for k, v in scores.items()}}


def fit(x: Array, k: int, rng: np.random.Generator) -> tuple[Array, float]:
    """The shapes (k, T) of clusters of standardised series (N, T), and the sum of distances."""
    labels, shapes = rng.integers(k, size=len(x)), np.zeros((k, x.shape[1]))
    for _ in range(MAX_ROUNDS):
        for i in range(k):
            members = x[labels == i]
            shapes[i] = shape_of(members, shapes[i]) if len(members) else x[rng.integers(len(x))]
        previous, labels = labels, distances(x, shapes).argmin(1)
        if (labels == previous).all():
            break
    return shapes, float(distances(x, shapes).min(1).sum())


def correlations(x: Array, shapes: Array) -> Array:
    """Normalised cross-correlations (N, K, 2 T - 1) of series (N, T) with shapes (K, T)."""
    n = x.shape[1]
    size = 1 << (2 * n - 1).bit_length()
    spectra = np.fft.rfft(x, size)[:, None] * np.conj(np.fft.rfft(shapes, size))
    products = np.fft.irfft(spectra, size)
    products = np.concatenate([products[..., -(n - 1) :], products[..., :n]], -1)
    norms = np.outer(*(np.linalg.norm(part, axis=1) for part in (x, shapes)))
    return np.asarray(products / np.maximum(norms, SMALLEST_NORM)[..., None])


def distances(x: Array, shapes: Array) -> Array:
    """Shape-based distances (N, K)."""
    return np.asarray(1 - correlations(x, shapes).max(2))


def shape_of(x: Array, shape: Array) -> Array:
    """The shape (T,) of a cluster of series (N, T), moved to its former shape."""
    n = x.shape[1]
    if shape.any():
        lags = correlations(x, shape[None])[:, 0].argmax(1) - (n - 1)
        padded = np.pad(x, ((0, 0), (n, n)))
        x = np.stack([row[n + lag : 2 * n + lag] for row, lag in zip(padded, lags, strict=True)])
    x = standardised(x)
    centred = x - x.mean(1, keepdims=True)
    leading = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    sign = 1 if (x[0] * leading).sum() >= 0 else -1
    return standardised(sign * leading[None])[0]


def standardised(x: Array) -> Array:
    """Series (N, T), each with mean 0 and standard deviation 1."""
    centred = x - x.mean(1, keepdims=True)
    return np.asarray(centred / np.maximum(x.std(1, keepdims=True), SMALLEST_NORM))


def comparison(scores: dict[str, tuple[float, float]]) -> str:
    """A sentence on the accuracies of both, with a signed-rank test.

    Args:
        scores: Accuracy of `predict` and of k-Shape, by the name of the set.
    """
    own, other = np.array(list(scores.values())).T
    wins, losses = int((own > other).sum()), int((own < other).sum())
    p = float(wilcoxon(own, other).pvalue)
    return (
        f"On the same {len(scores)} sets and by the same protocol, k-Shape (mean of {N_STARTS} "
        f"starts) has a mean accuracy of {other.mean():.3f}, `predict` {own.mean():.3f}: higher on "
        f"{wins} sets, lower on {losses}; Wilcoxon's signed-rank test gives p = {p:.2g}."
    )
