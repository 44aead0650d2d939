"""One pose for all things of a kind, where several poses explain a thing about as well.

On the full circle a decoder may learn two templates of one kind, half a turn apart, and each thing is explained by the one
that fits it a little better: clusters then hold poses rather than kinds. After training, the starts that explain a thing well are
its candidates, and k-means runs over things whose code may be that of any candidate (clusters of orbits instead of points):
a kind that was split costs a cluster that is needed elsewhere, so its parts come together in one pose. Where a recipe asks for it,
kinds are gathered while the model learns, too: it is then shown one pose of a kind, and the decoder forgets the other.
The mean deformation of each kind may in the end go into its templates, so that a size or a place means the same for all kinds.
"""

from __future__ import annotations

import torch
from sklearn.cluster import kmeans_plusplus
from torch import Tensor

TOLERANCE, ROUGH = 1.5, 2.0
"""How many times the least misfit a candidate may have; at a rough first look, while the model learns."""


def agreed(codes: Tensor, misfit: Tensor, centres: Tensor, tolerance: float = TOLERANCE) -> tuple[Tensor, Tensor]:
    """The candidate of each thing whose code lies nearest to one of the centres, and how near.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        centres: Codes of the kinds (M, D).
        tolerance: How many times the least misfit a candidate may have.

    Returns:
        Places among the starts (N,), and squared distances (N,).
    """
    apart = torch.cdist(codes, centres.expand(len(codes), -1, -1)).square().amin(-1)
    near = apart.masked_fill(misfit > tolerance * misfit.amin(0), torch.inf).min(0)
    return near.indices, near.values


def shares(codes: Tensor, centres: Tensor) -> Tensor:
    """How far codes (N, D) belong to each of M kinds with `centres` (M, D): shares (N, M) that sum to 1 and change smoothly.

    Gaussians of a quarter of the least distance between two kinds; equal shares while the centres are unknown (NaN).
    """
    between = torch.cdist(centres, centres)
    width = torch.where(between > 0, between, torch.inf).min() / 4
    belonging = (torch.cdist(codes, centres) / width).square().neg() / 2
    return belonging.softmax(1).nan_to_num(1 / len(centres))


def centres_of_kinds(codes: Tensor, misfit: Tensor, n: int, seed: int = 0, restarts: int = 10) -> Tensor:
    """Centres (n, D) of k-means over things whose code may be that of any start that explains them well.

    Args:
        codes: Content at each of K starts (K, N, D).
        misfit: Squared errors at each start (K, N).
        n: Number of kinds; no more than there are things.
        seed: Seed of the first centres.
        restarts: How often to begin; the centres nearest to all things are kept.
    """
    best = codes.gather(0, misfit.argmin(0).expand(1, -1)[..., None].expand(1, *codes.shape[1:]))[0]
    found = [_settled(codes, misfit, _first(best, n, seed + i)) for i in range(restarts)]
    return min(found, key=lambda pair: pair[1])[0]


def _first(codes: Tensor, n: int, seed: int) -> Tensor:
    """Codes (n, D) that lie apart (Arthur and Vassilvitskii 2007, k-means++)."""
    chosen, _ = kmeans_plusplus(codes.double().cpu().numpy(), n, random_state=seed)
    return torch.as_tensor(chosen).to(codes)


def _settled(codes: Tensor, misfit: Tensor, centres: Tensor, most: int = 100) -> tuple[Tensor, float]:
    """Centres after which things choose their candidates as before, and the sum of squared distances from them."""
    last, things = float("inf"), torch.arange(codes.shape[1], device=codes.device)
    for _ in range(most):
        places, apart = agreed(codes, misfit, centres)
        total = float(apart.sum())
        if not total < last - 1e-4 * abs(total):
            break
        last, chosen = total, codes[places, things]
        near = torch.cdist(chosen, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, near, chosen)
        counts = torch.bincount(near, minlength=len(centres))[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), chosen[apart.argmax()])
    return centres, last
