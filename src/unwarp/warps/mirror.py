"""Mirrors: affine maps that first exchange left and right of the template.

Convention:
    `p_obs = A F^m p_template + t`, with `F = diag(-1, 1)` about the centre of the frame and m in
    {0, 1}. The determinant of the linear part is negative if and only if m is 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.warps.affine_map import AffineMap, affine_part
from unwarp.warps.maps import Map

MIRROR = Factor("mirror", "", 0.0, 1.0, discrete=True)
"""The column of theta, and of summaries, that is 1 for a mirrored template."""


def mirror_first(map: AffineMap, mirrors: Tensor) -> AffineMap:
    """Affine maps with a mirror that acts on the template before them.

    Args:
        map: N affine maps.
        mirrors: Numbers (N, 1), above 1/2 for a mirror; (N, 0) for no mirror at all.

    Returns:
        N affine maps [A F^m | t]. A second mirror undoes the first.

    >>> from unwarp.warps import translation
    >>> flipped = mirror_first(translation(torch.tensor([[0.5, 0.0]])), torch.ones(1, 1))
    >>> flipped.push(torch.tensor([[0.25, 0.25]])).tolist()
    [[[0.25, 0.25]]]
    """
    if not mirrors.shape[1]:
        return map
    signs = torch.where(mirrors > MIRROR.half_range, -1.0, 1.0).to(map.matrix)
    return AffineMap(map.matrix * F.pad(signs, (0, 2), value=1.0)[:, None])


def reflections(map: Map) -> Tensor:
    """Whether deformations reverse orientation, by the sign of the determinant.

    Args:
        map: N deformations of images; only their last part is used (identity if it is not affine).

    Returns:
        Numbers (N, 1): 1 for a negative determinant, else 0.
    """
    matrix = affine_part(map).matrix.detach()
    (a, b), (c, d) = (row.unbind(-1) for row in matrix[..., :2].unbind(-2))
    return (a * d - b * c < 0).to(matrix)[:, None]
