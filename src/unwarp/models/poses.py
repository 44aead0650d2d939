"""Arithmetic of orbits: clusters of samples that may each have any of several codes.

On the full circle a decoder may learn two templates of one class, half a turn apart, and each
sample is explained by the template that fits it a little better: clusters then hold poses rather
than classes. The starts that explain a sample well are its candidates, and k-means runs over
samples with the code of any candidate (clusters of orbits instead of points): a class that is split
costs a cluster that is needed elsewhere, so its parts come together in one pose.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.seeding import kmeans_plusplus

TOLERANCE, FIRST_PASS_TOLERANCE = 1.5, 2.0
"""Greatest misfit of a candidate, as a multiple of the least; the second for a rough first pass."""


def nearest_candidates(
    codes: Tensor, misfit: Tensor, centres: Tensor, tolerance: float = TOLERANCE
) -> tuple[Tensor, Tensor]:
    """The candidate of each sample that lies nearest to a centre, and its distance.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        centres: Codes of the cluster centres (M, D).
        tolerance: Greatest misfit of a candidate, as a multiple of the least.

    Returns:
        Rows among the starts (N,), and squared distances (N,).
    """
    squares = torch.cdist(codes, centres.expand(len(codes), -1, -1)).square().amin(-1)
    nearest = squares.masked_fill(misfit > tolerance * misfit.amin(0), torch.inf).min(0)
    return nearest.indices, nearest.values


def memberships(codes: Tensor, centres: Tensor) -> Tensor:
    """Shares (N, M) of clusters in codes; rows sum to 1 and change smoothly.

    Gaussians of a quarter of the least distance between two centres; equal shares while the centres
    are unknown (NaN).

    Args:
        codes: Content (N, D).
        centres: Codes of the cluster centres (M, D).
    """
    between = torch.cdist(centres, centres)
    width = torch.where(between > 0, between, torch.inf).min() / 4
    logits = (torch.cdist(codes, centres) / width).square().neg() / 2
    return logits.softmax(1).nan_to_num(1 / len(centres))


def orbit_centres(
    codes: Tensor,
    misfit: Tensor,
    n: int,
    seed: int = 0,
    restarts: int = 10,
) -> Tensor:
    """Centres (n, D) of k-means over samples with the code of any candidate.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        n: Number of clusters, at most N.
        seed: Seed of the first centres.
        restarts: Number of runs; the centres nearest to all samples are the result.
    """
    rows = misfit.argmin(0).expand(1, -1)[..., None].expand(1, *codes.shape[1:])
    best = codes.gather(0, rows)[0]
    points = best.double().cpu().numpy()
    firsts = (best[torch.as_tensor(kmeans_plusplus(points, n, seed + i))] for i in range(restarts))
    runs = [_lloyd(codes, misfit, centres) for centres in firsts]
    return min(runs, key=lambda run: run[1])[0]


def _lloyd(codes: Tensor, misfit: Tensor, centres: Tensor, most: int = 100) -> tuple[Tensor, float]:
    """Centres at rest, after at most so many steps, and the sum of squared distances from them."""
    last, samples = float("inf"), torch.arange(codes.shape[1], device=codes.device)
    for _ in range(most):
        rows, squares = nearest_candidates(codes, misfit, centres)
        total = float(squares.sum())
        if not total < last - 1e-4 * abs(total):
            break
        last, points = total, codes[rows, samples]
        clusters = torch.cdist(points, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, clusters, points)
        counts = torch.bincount(clusters, minlength=len(centres))[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), points[squares.argmax()])
    return centres, last
