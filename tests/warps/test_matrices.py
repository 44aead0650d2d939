"""Matrices in the conventions of other libraries, compared with those libraries."""

from __future__ import annotations

import cv2
import kornia
import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from tests.pictures import smooth_noise
from tests.warps.affine_maps import FRAME, WARP, random_maps, rotation
from unwarp.errors import ConfigError
from unwarp.warps import IdentityMap, Padding, to_matrix


@pytest.mark.parametrize("degrees", [-170.0, -20.0, 35.0, 120.0])
def test_rotation_has_sign_of_opencv(degrees: float) -> None:
    """A rotation's matrix is that of OpenCV and of kornia, sign included."""
    height, width = FRAME
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = to_matrix(rotation(degrees, WARP), FRAME, "opencv")[0, :2].numpy()
    np.testing.assert_allclose(matrix, cv2.getRotationMatrix2D(centre, degrees, 1.0), atol=1e-9)
    kornia_matrix = kornia.geometry.get_rotation_matrix2d(
        *(torch.tensor(v).double() for v in ([centre], [degrees], [[1, 1]]))
    )
    np.testing.assert_allclose(matrix, kornia_matrix[0], atol=1e-6)


def test_opencv_matrix_warps_in_opencv() -> None:
    """OpenCV gives the same picture with the matrix."""
    x, maps = smooth_noise(4, FRAME), random_maps()
    matrices = to_matrix(maps, FRAME, "opencv").numpy()
    expected = [
        cv2.warpAffine(p[0].numpy(), m[:2], FRAME[::-1]) for p, m in zip(x, matrices, strict=True)
    ]
    inside = maps(torch.ones_like(x).double()) > 1 - 1e-9
    difference = torch.as_tensor(np.stack(expected))[:, None] - maps(x.double())
    assert inside.float().mean() > 0.3
    assert difference[inside].abs().max() < 0.02


def test_skimage_matrix_reads_in_scipy() -> None:
    """SciPy reads the same picture from the template with the matrix."""
    x, maps = smooth_noise(4, FRAME).double(), random_maps()
    for picture, deformed, matrix in zip(
        x, maps(x), to_matrix(maps, FRAME, "skimage").numpy(), strict=True
    ):
        linear, offset = matrix[:2, :2][::-1, ::-1], matrix[:2, 2][::-1]
        expected = affine_transform(
            picture[0].numpy(), linear, offset, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(deformed[0], expected, atol=1e-9)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_pixel_matrix_warps_in_kornia(padding: Padding) -> None:
    """Kornia gives the same picture with the matrix."""
    # kornia normalises pixel matrices by (n - 1) / 2 for any align_corners; True reads exactly
    x, maps = smooth_noise(4, FRAME).double(), random_maps()
    matrices = to_matrix(maps, FRAME, "pixel")[:, :2]
    expected = kornia.geometry.transform.warp_affine(
        x, matrices, FRAME, padding_mode=padding, align_corners=True
    )
    inside = maps(torch.ones_like(x)) > 1 - 1e-9
    assert (expected - maps(x, padding=padding))[inside].abs().max() < 1e-9


def test_normalized_matrix_fits_affine_grid() -> None:
    """PyTorch's affine grid of the inverse gives the same picture."""
    x, maps = smooth_noise(4, FRAME).double(), random_maps()
    inverse = to_matrix(maps, FRAME, "normalized").inverse()[:, :2]
    grid = torch.nn.functional.affine_grid(inverse, list(x.shape), align_corners=False)
    torch.testing.assert_close(
        maps(x), torch.nn.functional.grid_sample(x, grid, align_corners=False)
    )


def test_pixel_matrix_pushes_as_the_map() -> None:
    """Pixel matrices push points as the map does, and those of skimage are their inverses."""
    maps, half_size = random_maps(), torch.tensor([16.0, 12.0], dtype=torch.float64)
    points = torch.rand(9, 2, dtype=torch.float64)
    pixel = to_matrix(maps, FRAME, "pixel")
    pushed = (points * half_size + half_size - 0.5) @ pixel[:, :2, :2].mT + pixel[:, None, :2, 2]
    torch.testing.assert_close((pushed + 0.5 - half_size) / half_size, maps.push(points))
    torch.testing.assert_close(
        pixel @ to_matrix(maps, FRAME, "skimage"), torch.eye(3).double().expand(4, 3, 3)
    )


def test_to_matrix_knows_its_conventions() -> None:
    """An unknown convention is refused with the known ones; the identity gives unit matrices."""
    with pytest.raises(ConfigError, match="normalized, pixel, opencv or skimage"):
        to_matrix(random_maps(), FRAME, "matlab")  # type: ignore[arg-type]
    torch.testing.assert_close(
        to_matrix(IdentityMap(2), FRAME, "pixel"), torch.eye(3).expand(2, 3, 3)
    )
