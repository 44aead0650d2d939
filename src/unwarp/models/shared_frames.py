"""Frames of mean pictures that show one thing in several poses.

Pictures of a thing in many sizes form kinds: the small ones and the large ones. Their means are
registered onto each other, so that all have poses of one template.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.registration import registration
from unwarp.warps import AffineMap

N_STEPS = 20
"""Number of steps between two references."""

MAX_MOVE = 1.0
"""Greatest movement between references of a point half way to the corners, in half-widths."""

MIN_SIMILARITY = 0.97
"""Least correlation of registered references of one thing."""


@torch.no_grad()
def shared_frames(
    references: Tensor, weights: Tensor, basis: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor]:
    """Frames of references, shared by those of one thing.

    Args:
        references: Mean pictures (K, C, H, W).
        weights: Weights of their pixels (K, 1, H, W).
        basis: Directions (P, 2, 3) of the family of maps.
        counts: Numbers of pictures (K,); things have the frame of their most frequent kind.

    Returns:
        Matrices (K, 2, 3) from the shared frame to that of each reference, and the number (K,) of
        the thing that each shows.

    >>> square = torch.zeros(2, 1, 12, 12)
    >>> square[:, :, 4:7, 3:8] = 1.0
    >>> shift = torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])
    >>> shared_frames(square, torch.ones(2, 1, 12, 12), shift, torch.tensor([3, 2]))[1].tolist()
    [0, 0]
    """
    frames = torch.eye(2, 3).to(references).repeat(len(references), 1, 1)
    numbers = torch.zeros(len(frames), dtype=torch.long, device=counts.device)
    things: list[int] = []
    for kind in counts.argsort(descending=True).tolist():
        if things:
            pairs = (references[things], references[kind], weights[things], weights[kind])
            maps, scores = _between(*pairs, basis)
            best = int(scores.argmax())
            if scores[best] >= MIN_SIMILARITY:
                frames[kind], numbers[kind] = maps.matrix[best], best
                continue
        numbers[kind] = len(things)
        things.append(kind)
    return frames, numbers


def _between(
    pictures: Tensor, single: Tensor, weights: Tensor, single_weight: Tensor, basis: Tensor
) -> tuple[AffineMap, Tensor]:
    """Maps from pictures (N, C, H, W) to another (C, H, W), and the correlations under them.

    Both are tried as the target, since steps from the one to the other may lose the way.
    """
    single, single_weight = single.expand_as(pictures), single_weight.expand_as(weights)
    there, scores = registration(single, pictures, weights, basis, N_STEPS, MAX_MOVE)
    back, back_scores = registration(pictures, single, single_weight, basis, N_STEPS, MAX_MOVE)
    is_back = (back_scores > scores)[:, None, None]
    matrix = torch.where(is_back, back.invert().matrix, there.matrix)
    return AffineMap(matrix), torch.maximum(scores, back_scores)
