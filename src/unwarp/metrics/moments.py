"""Baselines that learn nothing: pictures centred and deskewed by their second moments, then clustered.

An unsupervised method that does not beat them has shown nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from unwarp.core import Array, Labels
from unwarp.metrics.clustering import accuracy, nmi
from unwarp.metrics.registry import score_function
from unwarp.warps import AffineMap


def deskew(x: Array, spread: float = 0.18) -> Array:
    """Pictures (N, C, H, W) with centre of mass in the middle and second moments made round (triangular root).

    Args:
        x: Pictures on a dark background.
        spread: Standard deviation of the intensity along each axis afterwards, in half-frames.
    """
    pictures = torch.as_tensor(np.ascontiguousarray(x), dtype=torch.float32)
    mass = pictures.sum(1).clamp_min(0)
    mass = mass / mass.sum((1, 2), keepdim=True).clamp_min(1e-6)
    height, width = mass.shape[1:]
    across, down = ((2 * torch.arange(n) + 1) / n - 1 for n in (width, height))
    points = torch.stack(torch.meshgrid(down, across, indexing="ij")[::-1], -1).reshape(-1, 2)
    weight = mass.flatten(1)
    mean = weight @ points
    offset = points - mean[:, None]
    cov = torch.einsum("np,npi,npj->nij", weight, offset, offset) + 1e-4 * torch.eye(2)
    flip = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    root = flip @ torch.linalg.cholesky(flip @ cov @ flip) @ flip
    placed = AffineMap(torch.cat([root / spread, mean[..., None]], -1))
    return np.asarray(placed.invert()(pictures))


@score_function(baseline=True)
def moment_baselines(
    train_x: Array, train_labels: Labels, x: Array, labels: Labels, seed: int = 0
) -> dict[str, float]:
    """5-NN, k-means and Gaussian-mixture scores of raw and of deskewed pixels (N, C, H, W)."""
    if x.ndim != 4:
        return {}
    k = len(np.unique(labels))
    raw = {"raw_neighbours": _neighbours(_flat(train_x), train_labels, _flat(x), labels)}
    clusters = KMeans(k, n_init=5, random_state=seed).fit(_flat(train_x)).predict(_flat(x))
    raw |= {"raw_acc": accuracy(clusters, labels), "raw_nmi": nmi(clusters, labels)}
    upright, test = _flat(deskew(train_x)), _flat(deskew(x))
    means = KMeans(k, n_init=20, random_state=seed).fit(upright).predict(test)
    pca = PCA(min(30, *upright.shape), random_state=seed).fit(upright)
    mixture = GaussianMixture(k, n_init=2, reg_covar=1e-3, random_state=seed).fit(
        pca.transform(upright)
    )
    mixed = mixture.predict(pca.transform(test))
    return raw | {
        "deskewed_neighbours": _neighbours(upright, train_labels, test, labels),
        "deskewed_kmeans_acc": accuracy(means, labels),
        "deskewed_kmeans_nmi": nmi(means, labels),
        "deskewed_mixture_acc": accuracy(mixed, labels),
        "deskewed_mixture_nmi": nmi(mixed, labels),
    }


def _neighbours(train: Array, train_labels: Labels, test: Array, labels: Labels) -> float:
    return float(KNeighborsClassifier(5).fit(train, train_labels).score(test, labels))


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1)
