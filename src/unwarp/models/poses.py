"""Clusters of samples with several candidate codes each: k-means over orbits.

On the full circle a decoder may learn two templates of one class, half a turn apart. The template
that fits a sample a little better then decides its code, and clusters hold poses instead of
classes. To prevent this, the starts that explain a sample about as well as the best one are its
candidates, and k-means chooses a candidate for each sample: it clusters orbits instead of points. A
class that is split over two poses costs a cluster that another class needs, so its parts join in
one pose.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.seeding import kmeans_plusplus

MAX_MISFIT_RATIO = 1.5
"""Greatest squared error of a candidate, as a multiple of the sample's least."""
MAX_FIRST_PASS_MISFIT_RATIO = 2.0
"""The same after a first pass, with its rough estimates of the error."""
MAX_KMEANS_STEPS = 100
MIN_KMEANS_GAIN = 1e-4
"""Least relative decrease of the sum of squares for which k-means goes on."""


def nearest_candidates(
    codes: Tensor, misfit: Tensor, centres: Tensor, max_misfit_ratio: float = MAX_MISFIT_RATIO
) -> tuple[Tensor, Tensor]:
    """The candidate of each sample that is nearest to a cluster centre.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        centres: Codes of the cluster centres (M, D).
        max_misfit_ratio: Greatest misfit of a candidate, as a multiple of the sample's least.

    Returns:
        Indices of starts (N,), and squared distances from the nearest centre (N,).

    >>> codes = torch.tensor([[[5.0]], [[1.0]]])  # two starts of one sample
    >>> nearest_candidates(codes, torch.tensor([[1.0], [1.2]]), torch.tensor([[0.0]]))
    (tensor([1]), tensor([1.]))
    """
    squares = torch.cdist(codes, centres.expand(len(codes), -1, -1)).square().amin(-1)
    is_bad_fit = misfit > max_misfit_ratio * misfit.amin(0)
    nearest = squares.masked_fill(is_bad_fit, torch.inf).min(0)
    return nearest.indices, nearest.values


def memberships(codes: Tensor, centres: Tensor) -> Tensor:
    """Soft shares of clusters in codes, which change smoothly.

    softmax over clusters of -|z - c|^2 / (2 w^2), with w a quarter of the least distance between
    two centres. All shares are equal while the centres are unknown (NaN).

    Args:
        codes: Content (N, D).
        centres: Codes of the cluster centres (M, D).

    Returns:
        Shares (N, M); rows sum to 1.
    """
    distances = torch.cdist(centres, centres)
    width = torch.where(distances > 0, distances, torch.inf).min() / 4
    logits = (torch.cdist(codes, centres) / width).square().neg() / 2
    return logits.softmax(1).nan_to_num(1 / len(centres))


def orbit_centres(
    codes: Tensor,
    misfit: Tensor,
    n: int,
    seed: int = 0,
    restarts: int = 10,
) -> Tensor:
    """Centres of k-means over samples with the code of any candidate.

    Each run begins with k-means++ on the codes of the best fits. Lloyd's algorithm then alternates
    between the nearest candidate of each sample and the means of the clusters.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        n: Number of clusters, at most N.
        seed: Seed of the first run; the others take the next integers.
        restarts: Number of runs; the one with the least sum of squares wins.

    Returns:
        Centres (n, D).
    """
    rows = misfit.argmin(0).expand(1, -1)[..., None].expand(1, *codes.shape[1:])
    best = codes.gather(0, rows)[0]
    points = best.double().cpu().numpy()
    initial = (best[torch.as_tensor(kmeans_plusplus(points, n, seed + i))] for i in range(restarts))
    runs = [_lloyd(codes, misfit, centres) for centres in initial]
    return min(runs, key=lambda run: run[1])[0]


def _lloyd(codes: Tensor, misfit: Tensor, centres: Tensor) -> tuple[Tensor, float]:
    """Centres after Lloyd's algorithm, and the sum of squared distances from them."""
    least_total, samples = float("inf"), torch.arange(codes.shape[1], device=codes.device)
    for _ in range(MAX_KMEANS_STEPS):
        rows, squares = nearest_candidates(codes, misfit, centres)
        total = float(squares.sum())
        if not total < least_total - MIN_KMEANS_GAIN * abs(total):
            break
        least_total, points = total, codes[rows, samples]
        clusters = torch.cdist(points, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, clusters, points)
        counts = torch.bincount(clusters, minlength=len(centres))[:, None]
        # an empty cluster moves to the sample that is farthest from every centre
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), points[squares.argmax()])
    return centres, least_total
