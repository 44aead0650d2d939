"""Affine parts of maps as matrices in the conventions of other libraries."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.warps.affine import affine_part
from unwarp.warps.maps import Map

Convention = Literal["normalized", "pixel", "opencv", "skimage"]


def to_matrix(map: Map, size: tuple[int, int], convention: Convention) -> Tensor:
    """The affine part of `map` as 3 x 3 matrices (N, 3, 3) in a named convention.

    Convention:
        * `normalized`: template to observation, frame coordinates (-1 to 1, pixel edges), columns (x, y, 1).
        * `pixel`: template to observation, pixel coordinates with the first pixel's centre at (0, 0).
        * `opencv`: the `pixel` matrix: `cv2.warpAffine(template, M[:2], (W, H))` gives the observation.
        * `skimage`: observation to template, pixel coordinates: `skimage.transform.warp(template, M)` gives the
          observation.

    Raises:
        ConfigError: An unknown convention.
    """
    normal = affine_part(map).matrix
    last = torch.tensor([0.0, 0.0, 1.0], dtype=normal.dtype, device=normal.device).expand(
        len(normal), 1, 3
    )
    square = torch.cat([normal, last], 1)
    if convention == "normalized":
        return square
    if convention not in ("pixel", "opencv", "skimage"):
        raise ConfigError(
            f"convention={convention!r} is unknown; choose normalized, pixel, opencv or skimage"
        )
    height, width = size
    frame = torch.tensor(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]],
        dtype=normal.dtype,
        device=normal.device,
    )
    pixel = frame @ square @ frame.inverse()
    return pixel.inverse() if convention == "skimage" else pixel
