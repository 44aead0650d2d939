"""Baselines without a model: classification and clusters of pixels.

Pixels are taken as they are, or after images are normalised by their moments. An unsupervised model
is useful only if its scores are better.
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

MAX_MIXTURE_COMPONENTS = 30
"""Number of principal components of deskewed pixels to which the Gaussian mixture is fitted."""


def deskew(x: Array, spread: float = 0.18) -> Array:
    """Images with shift, shear and scale removed by their moments.

    Afterwards the intensity has its mean at the centre of the frame and a covariance of about
    `spread^2 I`. Moments do not determine a rotation, so that rotated copies of an image stay
    different.

    Args:
        x: Images (N, C, H, W) on a dark background.
        spread: Standard deviation of the intensity along each axis afterwards, in half-widths.

    Returns:
        Images (N, C, H, W), float32; empty images stay empty.
    """
    images = torch.as_tensor(np.ascontiguousarray(x), dtype=torch.float32)
    mass = images.sum(1).clamp_min(0)
    mass = mass / mass.sum((1, 2), keepdim=True).clamp_min(1e-6)
    # pixel centres (x, y) in half-widths
    height, width = mass.shape[1:]
    columns, rows = ((2 * torch.arange(n) + 1) / n - 1 for n in (width, height))
    points = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1).reshape(-1, 2)
    weight = mass.flatten(1)
    mean = weight @ points
    offset = points - mean[:, None]
    # the added diagonal keeps the covariance of empty images and of lines invertible
    cov = torch.einsum("np,npi,npj->nij", weight, offset, offset) + 1e-4 * torch.eye(2)
    # the upper triangular root R of cov = R R' scales y, and scales and shears x along y; the
    # Cholesky root is lower triangular, so that the axes are swapped before and after
    flip = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    root = flip @ torch.linalg.cholesky(flip @ cov @ flip) @ flip
    moment_map = AffineMap(torch.cat([root / spread, mean[..., None]], -1))
    return np.asarray(moment_map.invert()(images))


@score_function(baseline=True)
def moment_baselines(
    train_x: Array, train_labels: Labels, x: Array, labels: Labels, seed: int = 0
) -> dict[str, float]:
    """Scores of nearest neighbours and clusters of raw and deskewed pixels.

    Args:
        train_x: Images to which nearest neighbours and clusters are fitted (M, C, H, W).
        train_labels: Classes of these images (M,); only nearest neighbours use them.
        x: Held-out images (N, C, H, W).
        labels: Classes of the held-out images (N,).
        seed: Seed of the clusters and of the principal components.

    Returns:
        Accuracies (see `accuracy`) and mutual informations (see `nmi`), 0 to 1. Of raw pixels:
        `raw_neighbours` (5 nearest neighbours), `raw_acc` and `raw_nmi` (k-means). Of deskewed
        pixels: `deskewed_neighbours`, `deskewed_kmeans_acc`, `deskewed_kmeans_nmi`,
        `deskewed_mixture_acc` and `deskewed_mixture_nmi` (a Gaussian mixture on 30 principal
        components). Nothing for series.
    """
    if x.ndim != 4:
        return {}
    k = len(np.unique(labels))
    raw = {"raw_neighbours": _neighbours(_flat(train_x), train_labels, _flat(x), labels)}
    clusters = KMeans(k, n_init=5, random_state=seed).fit(_flat(train_x)).predict(_flat(x))
    raw |= {"raw_acc": accuracy(clusters, labels), "raw_nmi": nmi(clusters, labels)}
    train, test = _flat(deskew(train_x)), _flat(deskew(x))
    means = KMeans(k, n_init=20, random_state=seed).fit(train).predict(test)
    components = _mixture_clusters(train, test, k, seed)
    return raw | {
        "deskewed_neighbours": _neighbours(train, train_labels, test, labels),
        "deskewed_kmeans_acc": accuracy(means, labels),
        "deskewed_kmeans_nmi": nmi(means, labels),
        "deskewed_mixture_acc": accuracy(components, labels),
        "deskewed_mixture_nmi": nmi(components, labels),
    }


def _mixture_clusters(train: Array, test: Array, k: int, seed: int) -> Labels:
    """Most probable mixture component of each test row (N,).

    The Gaussian mixture is fitted to principal components of the training rows.
    """
    n_components = min(MAX_MIXTURE_COMPONENTS, *train.shape)
    pca = PCA(n_components, random_state=seed).fit(train)
    mixture = GaussianMixture(k, n_init=2, reg_covar=1e-3, random_state=seed)
    return np.asarray(mixture.fit(pca.transform(train)).predict(pca.transform(test)))


def _neighbours(train: Array, train_labels: Labels, test: Array, labels: Labels) -> float:
    """Accuracy of a classifier by the 5 nearest neighbours."""
    return float(KNeighborsClassifier(5).fit(train, train_labels).score(test, labels))


def _flat(x: Array) -> Array:
    """Samples (N, ...) as rows (N, F)."""
    return x.reshape(len(x), -1)
