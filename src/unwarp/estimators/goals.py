"""Alignment of samples onto one of them: the argument `to`.

Both deformations are estimated, and their product leads from the one sample to the other. Between
pictures it is improved by registration of the pictures themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.data.prepared import Prepared
from unwarp.data.working_size import resize_smoothly
from unwarp.models.registration import (
    affine_pose,
    is_in_frame,
    registration,
    sample,
)
from unwarp.warps import AffineMap, Map

STEPS = 5
"""Number of Gauss-Newton steps between two pictures."""

MIN_SIMILARITY = 0.8
"""Least correlation of registered pictures; pictures of different things keep their product."""

MAX_SIDE = 256
"""Longest side in pixels at which pictures are registered."""


@dataclass(frozen=True)
class Goal:
    """A sample to which others are aligned.

    Attributes:
        picture: The sample (1, C, H, W), as `framed` returns it; a series likewise.
        map: Its deformation, one row.
        basis: Directions (P, 2, 3) of the family of affine maps; (0, 2, 3) for no registration.

    >>> from unwarp.warps import translation
    >>> still = translation(torch.zeros(1, 2))
    >>> late = translation(torch.tensor([[0.5, 0.0]]))
    >>> goal = Goal(torch.zeros(1, 1, 4, 4), late, torch.zeros(0, 2, 3))
    >>> goal.product(still).push(torch.zeros(1, 2)).tolist()
    [[[-0.5, 0.0]]]
    """

    picture: Tensor
    map: Map
    basis: Tensor

    def product(self, map: Map) -> Map:
        """Deformations from this sample to others, by the deformations of all.

        Args:
            map: Deformations of N samples.
        """
        return map.invertible_part().compose(self.map.invertible_part().invert())

    def between(self, map: Map, samples: Prepared, rows: slice) -> Map:
        """Deformations from this sample to others.

        Args:
            map: Estimated deformations of the others.
            samples: The others, and more.
            rows: The rows of the others.

        Returns:
            N deformations. Those of pictures are improved if the pictures then resemble each other.
        """
        product = self.product(map)
        if not len(self.basis):
            return product
        device = map.reference.device
        x = framed(samples.full(rows), samples).to(device)
        return onto(x, self.picture.to(device), affine_pose(product), self.basis).compose(product)


def framed(x: Tensor, samples: Prepared) -> Tensor:
    """Pictures at a size for registration, in the range of the model.

    Args:
        x: Scaled pictures (N, C, H, W) at the user's size.
        samples: The samples that they belong to.
    """
    x = x.clamp(0.0, 1.0) if samples.is_bounded else x
    share = MAX_SIDE / max(x.shape[2:])
    if share >= 1:
        return x
    return resize_smoothly(x, tuple(max(1, round(share * n)) for n in x.shape[2:]))


@torch.no_grad()
def onto(x: Tensor, picture: Tensor, product: AffineMap, basis: Tensor) -> AffineMap:
    """Movements that improve maps from one picture to others.

    Args:
        x: Pictures (N, C, H, W).
        picture: The one picture (1, C, H, W).
        product: N estimated maps from it to them.
        basis: Directions (P, 2, 3) of the family of maps.

    Returns:
        N maps, which act after the estimated ones; the identity for pictures that do not resemble
        each other.
    """
    undone = product.invert()
    target, weight = sample(picture, undone), is_in_frame(x, undone)
    moves, scores = registration(x, target, weight, basis.to(x), STEPS)
    identity = torch.eye(2, 3).to(x)
    is_similar = (scores >= MIN_SIMILARITY)[:, None, None]
    return AffineMap(torch.where(is_similar, moves.matrix, identity))
