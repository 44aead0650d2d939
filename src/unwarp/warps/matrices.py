"""Affine parts of maps as matrices, in the conventions of other libraries."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.warps.affine_map import affine_part
from unwarp.warps.maps import Map

Convention = Literal["normalized", "pixel", "opencv", "skimage"]
"""Units and direction of a matrix; `to_matrix` explains each."""


def to_matrix(map: Map, size: tuple[int, int], convention: Convention) -> Tensor:
    """The affine part of a map as homogeneous matrices.

    Convention:
        * `normalized`: template to observation, in half-widths (-1 and 1 are pixel edges).
        * `pixel`: template to observation, in pixels; (0, 0) is the centre of the first pixel.
        * `opencv`: the `pixel` matrix M; `cv2.warpAffine(template, M[:2], (W, H))` gives the
          observation.
        * `skimage`: observation to template, in pixels; `skimage.transform.warp(template, M)`
          gives the observation.

    Args:
        map: N deformations of images. Of a composition only the last part is converted; the result
            is the identity if that part is not affine.
        size: Height and width of the images in pixels.
        convention: Name of the convention.

    Returns:
        Matrices (N, 3, 3) for column vectors (x, y, 1).

    Raises:
        ConfigError: The convention is unknown.

    >>> from unwarp.warps import translation
    >>> to_matrix(translation(torch.tensor([[0.5, 0.0]])), (8, 8), "pixel")[0, :2].tolist()
    [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]
    """
    affine = affine_part(map).matrix
    bottom = torch.tensor([0.0, 0.0, 1.0], dtype=affine.dtype, device=affine.device)
    normalized = torch.cat([affine, bottom.expand(len(affine), 1, 3)], 1)
    if not (isinstance(convention, str) and convention in get_args(Convention)):
        raise ConfigError(
            f"convention={convention!r} is unknown; choose normalized, pixel, opencv or skimage"
        )
    if convention == "normalized":
        return normalized
    height, width = size
    # -1 in half-widths, the outer edge of the first pixel, is -0.5 in pixels
    to_pixels = torch.tensor(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]],
        dtype=affine.dtype,
        device=affine.device,
    )
    pixel = to_pixels @ normalized @ to_pixels.inverse()
    return pixel.inverse() if convention == "skimage" else pixel
