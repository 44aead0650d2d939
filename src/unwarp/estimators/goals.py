"""Alignment of samples onto one of them: the argument `to`.

Both deformations are estimated, and their product leads from the one sample to the other. Between
pictures it is improved by registration of the pictures themselves, of turned ones too where they
turn by any angle.
"""

from __future__ import annotations

import math
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
from unwarp.warps import AffineMap, Map, Rigid2d, Warp, translation

STEPS = 5
"""Number of Gauss-Newton steps between two pictures."""

MIN_SIMILARITY = 0.8
"""Least correlation of registered pictures; pictures of different things keep their product."""

MAX_SIDE = 256
"""Longest side in pixels at which pictures are registered."""

N_TURNS, STEPS_OF_TURN, MAX_SIDE_OF_TURN = 24, 2, 64
"""Number of turns that are tried, and Gauss-Newton steps and longest side in pixels of each."""

PICTURES_PER_BATCH = 512
"""Number of turned pictures that are compared at once."""

MIN_GAIN_OF_TURN = 0.02
"""Least rise of the correlation by a turn."""


@dataclass(frozen=True)
class Goal:
    """A sample to which others are aligned.

    Attributes:
        picture: The sample (1, C, H, W), as `framed` returns it; a series likewise.
        map: Its deformation, one row.
        basis: Directions (P, 2, 3) of the family of affine maps; (0, 2, 3) for no registration.
        turns: Turns of the template that are tried, the identity first.

    >>> from unwarp.warps import translation
    >>> still = translation(torch.zeros(1, 2))
    >>> late = translation(torch.tensor([[0.5, 0.0]]))
    >>> goal = Goal(torch.zeros(1, 1, 4, 4), late, torch.zeros(0, 2, 3), still)
    >>> goal.product(still).push(torch.zeros(1, 2)).tolist()
    [[[-0.5, 0.0]]]
    """

    picture: Tensor
    map: Map
    basis: Tensor
    turns: AffineMap

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
        if not len(self.basis):
            return self.product(map)
        x = framed(samples.full(rows), samples).to(map.reference.device)
        picture = self.picture.to(x)
        product = self.product(map.invertible_part().compose(self._best_turn(x, picture, map)))
        moves, scores = onto(x, picture, affine_pose(product), self.basis, STEPS)
        is_similar = (scores >= MIN_SIMILARITY)[:, None, None]
        move = AffineMap(torch.where(is_similar, moves.matrix, torch.eye(2, 3).to(x)))
        return move.compose(product)

    def _best_turn(self, x: Tensor, picture: Tensor, map: Map) -> AffineMap:
        """Turns of the template by which pictures resemble another most.

        Args:
            x: Pictures (N, C, H, W).
            picture: The one picture (1, C, H, W).
            map: Deformations of the N pictures.
        """
        turns = self.turns.matrix.to(x)
        if len(turns) == 1:
            return AffineMap(turns)
        x, picture = (at_most(part, MAX_SIDE_OF_TURN) for part in (x, picture))
        map = map.invertible_part()
        scores = torch.cat(
            [self._scores(x, picture, map, part) for part in torch.split(turns, _n_at_once(len(x)))]
        )
        best = scores.max(0)
        is_better = best.values >= torch.maximum(
            scores[0] + MIN_GAIN_OF_TURN, scores.new_tensor(MIN_SIMILARITY)
        )
        return AffineMap(turns[torch.where(is_better, best.indices, 0)])

    def _scores(self, x: Tensor, picture: Tensor, map: Map, turns: Tensor) -> Tensor:
        """Correlations (K, N) of another picture with pictures after a few steps from each turn.

        Args:
            x: Pictures (N, C, H, W).
            picture: The other picture (1, C, H, W).
            map: Deformations of the N pictures.
            turns: Matrices of K turns of the template (K, 2, 3).
        """
        n, k = len(x), len(turns)
        turned = map[torch.arange(n).repeat(k)].compose(AffineMap(turns.repeat_interleave(n, 0)))
        product = affine_pose(self.product(turned))
        many = x.repeat(k, 1, 1, 1)
        return onto(many, picture, product, self.basis, STEPS_OF_TURN)[1].view(k, n)


def framed(x: Tensor, samples: Prepared) -> Tensor:
    """Pictures at a size for registration, in the range of the model.

    Args:
        x: Scaled pictures (N, C, H, W) at the user's size.
        samples: The samples that they belong to.
    """
    x = x.clamp(0.0, 1.0) if samples.is_bounded else x
    return at_most(x, MAX_SIDE)


def at_most(x: Tensor, side: int) -> Tensor:
    """Pictures with sides of at most a number of pixels.

    Args:
        x: Pictures (N, C, H, W).
        side: Greatest length of a side in pixels.
    """
    share = side / max(x.shape[2:])
    if share >= 1:
        return x
    return resize_smoothly(x, tuple(max(1, round(share * n)) for n in x.shape[2:]))


def _n_at_once(n_pictures: int) -> int:
    """Number of turns that are tried at once, so that the memory is bounded."""
    return max(1, PICTURES_PER_BATCH // n_pictures)


def turns_of(warp: Warp) -> AffineMap:
    """Turns about the middle of templates, the identity first.

    Args:
        warp: A family of deformations.

    Returns:
        `N_TURNS` turns if the family turns pictures by any angle, else the identity.
    """
    if len(warp.size) != 2 or not any(f.periodic and f.unit == "rad" for f in warp.factors):
        return translation(torch.zeros(1, 2))
    angles = torch.arange(N_TURNS) * (2 * math.pi / N_TURNS)
    return Rigid2d(180, size=warp.size).map(torch.stack([angles, 0 * angles, 0 * angles], -1))


@torch.no_grad()
def onto(
    x: Tensor, picture: Tensor, product: AffineMap, basis: Tensor, n_steps: int
) -> tuple[AffineMap, Tensor]:
    """Movements that improve maps from one picture to others.

    Args:
        x: Pictures (N, C, H, W).
        picture: The one picture (1, C, H, W).
        product: N estimated maps from it to them.
        basis: Directions (P, 2, 3) of the family of maps.
        n_steps: Number of steps.

    Returns:
        N maps, which act after the estimated ones, and the correlations (N,) under them.
    """
    undone = product.invert()
    target, weight = sample(picture, undone), is_in_frame(x, undone)
    return registration(x, target, weight, basis.to(x), n_steps)
