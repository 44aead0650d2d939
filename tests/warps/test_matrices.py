"""Matrices in the conventions of other libraries, held against those libraries."""

from __future__ import annotations

import cv2
import kornia
import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from tests.pictures import smooth
from tests.warps.affine_maps import FRAME, WARP, random_maps, turn
from unwarp.errors import ConfigError
from unwarp.warps import IdentityMap, to_matrix


@pytest.mark.parametrize("degrees", [-170.0, -20.0, 35.0, 120.0])
def test_rotation_has_the_sign_of_opencv_and_kornia(degrees: float) -> None:
    height, width = FRAME
    centre = ((width - 1) / 2, (height - 1) / 2)
    found = to_matrix(turn(degrees, WARP), FRAME, "opencv")[0, :2].numpy()
    np.testing.assert_allclose(found, cv2.getRotationMatrix2D(centre, degrees, 1.0), atol=1e-9)
    spun = kornia.geometry.get_rotation_matrix2d(
        *(torch.tensor(v).double() for v in ([centre], [degrees], [[1, 1]]))
    )
    np.testing.assert_allclose(found, spun[0], atol=1e-6)


def test_the_opencv_matrix_makes_the_picture_with_opencv() -> None:
    x, maps = smooth(4, FRAME), random_maps()
    matrices = to_matrix(maps, FRAME, "opencv").numpy()
    theirs = [
        cv2.warpAffine(p[0].numpy(), m[:2], FRAME[::-1]) for p, m in zip(x, matrices, strict=True)
    ]
    inside = maps(torch.ones_like(x).double()) > 1 - 1e-9
    difference = torch.as_tensor(np.stack(theirs))[:, None] - maps(x.double())
    assert inside.float().mean() > 0.3
    assert difference[inside].abs().max() < 0.02


def test_the_skimage_matrix_reads_the_template_with_scipy() -> None:
    x, maps = smooth(4, FRAME).double(), random_maps()
    for picture, seen, matrix in zip(
        x, maps(x), to_matrix(maps, FRAME, "skimage").numpy(), strict=True
    ):
        linear, offset = matrix[:2, :2][::-1, ::-1], matrix[:2, 2][::-1]
        expected = affine_transform(
            picture[0].numpy(), linear, offset, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(seen[0], expected, atol=1e-9)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_the_pixel_matrix_makes_the_picture_with_kornia(padding: str) -> None:
    # kornia normalises pixel matrices by (n - 1) / 2 whatever align_corners says, so True is its exact reading.
    x, maps = smooth(4, FRAME).double(), random_maps()
    matrices = to_matrix(maps, FRAME, "pixel")[:, :2]
    theirs = kornia.geometry.transform.warp_affine(
        x, matrices, FRAME, padding_mode=padding, align_corners=True
    )
    inside = maps(torch.ones_like(x)) > 1 - 1e-9
    assert (theirs - maps(x, padding=padding))[inside].abs().max() < 1e-9  # type: ignore[arg-type]


def test_normalized_agrees_with_the_affine_grid_of_torch() -> None:
    x, maps = smooth(4, FRAME).double(), random_maps()
    inverse = to_matrix(maps, FRAME, "normalized").inverse()[:, :2]
    grid = torch.nn.functional.affine_grid(inverse, list(x.shape), align_corners=False)
    torch.testing.assert_close(
        maps(x), torch.nn.functional.grid_sample(x, grid, align_corners=False)
    )


def test_pixel_matrices_send_pixels_where_the_map_does_and_back() -> None:
    maps, half = random_maps(), torch.tensor([16.0, 12.0], dtype=torch.float64)
    points = torch.rand(9, 2, dtype=torch.float64)
    pixel = to_matrix(maps, FRAME, "pixel")
    moved = (points * half + half - 0.5) @ pixel[:, :2, :2].mT + pixel[:, None, :2, 2]
    torch.testing.assert_close((moved + 0.5 - half) / half, maps.push(points))
    torch.testing.assert_close(
        pixel @ to_matrix(maps, FRAME, "skimage"), torch.eye(3).double().expand(4, 3, 3)
    )


def test_conventions_are_named_and_others_refused() -> None:
    with pytest.raises(ConfigError, match="normalized, pixel, opencv or skimage"):
        to_matrix(random_maps(), FRAME, "matlab")  # type: ignore[arg-type]
    torch.testing.assert_close(
        to_matrix(IdentityMap(2), FRAME, "pixel"), torch.eye(3).expand(2, 3, 3)
    )
