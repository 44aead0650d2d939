"""Clusters of content codes, for samples that have several candidate codes each.

On the full circle a decoder may learn two templates of one class, half a turn apart. A sample is
then coded by the template that happens to fit it a little better, and k-means on the codes forms
one cluster per template instead of one per class.

Here every sample has several candidates: the content codes at those rotation angles that explain
the sample about as well as the best one. k-means chooses one candidate per sample together with the
cluster centres. Samples of a class can then all choose the same template, which gives a smaller sum
of squares than two clusters for one class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.seeding import kmeans_plusplus

MAX_MISFIT_RATIO = 1.5
"""Greatest squared error of a candidate, divided by the sample's least squared error."""
MAX_FIRST_PASS_MISFIT_RATIO = 2.0
"""The same ratio for `PoseSearch.first_pass`; larger, since its errors are rough estimates."""
MAX_SQUARES_RATIO = 2.0
"""Greatest sum of squares of `fewest_centres`, divided by that of the greatest number of clusters.
"""
ROUNDING = 1e-9
"""Sum of squared distances between equal codes, divided by their sum of squares: rounding errors.
"""
MAX_KMEANS_STEPS = 100
"""Greatest number of steps of Lloyd's algorithm in one run of k-means."""
MIN_KMEANS_GAIN = 1e-4
"""Relative decrease of the sum of squares in one step below which k-means stops."""


def nearest_candidates(
    codes: Tensor, misfit: Tensor, centres: Tensor, max_misfit_ratio: float = MAX_MISFIT_RATIO
) -> tuple[Tensor, Tensor]:
    """The candidate of each sample that is nearest to a cluster centre.

    Each sample was encoded at K rotation angles. An angle is a candidate if its squared error is at
    most `max_misfit_ratio` times the least squared error of this sample.

    Args:
        codes: Content codes at each angle (K, N, D).
        misfit: Squared errors of the reconstructions at each angle (K, N).
        centres: Cluster centres (M, D), in the space of the content codes.
        max_misfit_ratio: Greatest squared error of a candidate, divided by the sample's least.

    Returns:
        Index (N,) from 0 to K - 1 of the candidate of each sample, and the squared distance (N,) of
        its code from the nearest centre.

    >>> codes = torch.tensor([[[5.0]], [[1.0]]])  # one sample at two angles
    >>> nearest_candidates(codes, torch.tensor([[1.0], [1.2]]), torch.tensor([[0.0]]))
    (tensor([1]), tensor([1.]))
    """
    squares = distances_of_codes(codes, centres.expand(len(codes), -1, -1)).square().amin(-1)
    is_bad_fit = misfit > max_misfit_ratio * misfit.amin(0)
    nearest = squares.masked_fill(is_bad_fit, torch.inf).min(0)
    return nearest.indices, nearest.values


def memberships(codes: Tensor, centres: Tensor) -> Tensor:
    """Soft memberships of content codes in clusters.

    The membership of code z in the cluster with centre c is the softmax over all clusters of
    -|z - c|^2 / (2 w^2), with w a quarter of the least distance between two centres. It changes
    smoothly with z. Before the clusters are formed their centres are NaN, and all memberships are
    1 / M.

    Args:
        codes: Content codes (N, D).
        centres: Cluster centres (M, D), in the space of the content codes.

    Returns:
        Memberships (N, M) in [0, 1]; each row sums to 1.
    """
    distances = distances_of_codes(centres, centres)
    width = torch.where(distances > 0, distances, torch.inf).min() / 4
    logits = (distances_of_codes(codes, centres) / width).square().neg() / 2
    return logits.softmax(1).nan_to_num(1 / len(centres))


def distances_of_codes(codes: Tensor, centres: Tensor) -> Tensor:
    """Euclidean distances of codes from centres.

    Args:
        codes: Content codes (..., N, D).
        centres: Cluster centres (..., M, D).

    Returns:
        Distances (..., N, M), exactly 0 for a code that is a centre.
    """
    if torch.compiler.is_compiling():  # `cdist` would bind a traced graph to a number of rows
        return (codes[..., None, :] - centres[..., None, :, :]).square().sum(-1).sqrt()
    # by differences: equal centres have a distance of 0
    return torch.cdist(codes, centres, compute_mode="donot_use_mm_for_euclid_dist")


def cluster_centres(
    codes: Tensor,
    misfit: Tensor,
    n: int,
    seed: int = 0,
    restarts: int = 10,
) -> Tensor:
    """Cluster centres by k-means that also chooses one candidate per sample.

    Each run starts with k-means++ on the codes with the least squared errors. Lloyd's algorithm
    then repeats two steps: it chooses the candidate of each sample that is nearest to a centre (see
    `nearest_candidates`), and moves each centre to the mean of its cluster.

    Args:
        codes: Content codes at each of K rotation angles (K, N, D).
        misfit: Squared errors of the reconstructions at each angle (K, N).
        n: Number of clusters, at most N.
        seed: Seed of the first run; run i has the seed `seed + i`.
        restarts: Number of runs; the result of the run with the least sum of squares is returned.

    Returns:
        Centres (n, D).
    """
    rows = misfit.argmin(0).expand(1, -1)[..., None].expand(1, *codes.shape[1:])
    best = codes.gather(0, rows)[0]
    points = best.double().cpu().numpy()
    initial = (best[torch.as_tensor(kmeans_plusplus(points, n, seed + i))] for i in range(restarts))
    runs = [_lloyd(codes, misfit, centres) for centres in initial]
    return min(runs, key=lambda run: run[1])[0]


def fewest_centres(codes: Tensor, misfit: Tensor, n: int, seed: int = 0) -> Tensor:
    """Centres of as few clusters as describe the codes well.

    With more clusters than kinds of samples, a kind is split: its samples, or its mirror images,
    then need not share one pose, and each part gets its own centre of pose and size. The sum of
    squares falls steeply up to the number of kinds and slowly from there on. The result has the
    least number of clusters whose sum of squares is at most `MAX_SQUARES_RATIO` times that of n
    clusters, or no more than rounding errors of equal codes; it is found by bisection.

    Args:
        codes: Content codes at each of K rotation angles (K, N, D).
        misfit: Squared errors of the reconstructions at each angle (K, N).
        n: Greatest number of clusters, at most N.
        seed: Seed of k-means, as for `cluster_centres`.

    Returns:
        Centres (m, D), with m from 1 to n.
    """
    centres = cluster_centres(codes, misfit, n, seed)
    rounding = ROUNDING * float(codes.square().mean(0).sum())
    limit = max(MAX_SQUARES_RATIO * _sum_of_squares(codes, misfit, centres), rounding)
    too_few, enough = 0, n
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        candidate = cluster_centres(codes, misfit, middle, seed)
        if _sum_of_squares(codes, misfit, candidate) <= limit:
            enough, centres = middle, candidate
        else:
            too_few = middle
    return centres


def _sum_of_squares(codes: Tensor, misfit: Tensor, centres: Tensor) -> float:
    """Sum of squared distances of all samples from the nearest of the centres (M, D)."""
    return float(nearest_candidates(codes, misfit, centres)[1].sum())


def _lloyd(codes: Tensor, misfit: Tensor, centres: Tensor) -> tuple[Tensor, float]:
    """Cluster centres by Lloyd's algorithm, starting from `centres` (M, D).

    Returns:
        Centres (M, D), and the sum of squared distances of all samples from their nearest centre.
    """
    least_total, samples = float("inf"), torch.arange(codes.shape[1], device=codes.device)
    for _ in range(MAX_KMEANS_STEPS):
        rows, squares = nearest_candidates(codes, misfit, centres)
        total = float(squares.sum())
        if not total < least_total - MIN_KMEANS_GAIN * abs(total):
            break
        least_total, points = total, codes[rows, samples]
        clusters = distances_of_codes(points, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, clusters, points)
        counts = torch.bincount(clusters, minlength=len(centres))[:, None]
        # an empty cluster moves to the sample that is farthest from every centre
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), points[squares.argmax()])
    return centres, least_total
