"""Affine maps as matrices: shifts of pictures, and points that rows share."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import smooth_noise
from tests.warps.affine_maps import FRAME, random_maps
from tests.warps.chains import CHAIN, thetas
from unwarp.errors import NotInvertibleError
from unwarp.warps import Affine2d, AffineMap, IdentityMap, translation
from unwarp.warps.affine_map import affine_part


def test_translation_shifts_whole_pixels() -> None:
    """A shift by whole pixels moves the pixels and leaves zeros behind."""
    x = smooth_noise(1, FRAME)
    shifted = translation(torch.tensor([[2 * 3 / 32, 2 * 2 / 24]]))(x)
    torch.testing.assert_close(shifted[:, :, 2:, 3:], x[:, :, :-2, :-3], atol=1e-5, rtol=0)
    assert shifted[:, :, :2].abs().max() < 1e-4


def test_push_of_shared_points_agrees() -> None:
    """Points that all rows share are pushed as points of each row are."""
    maps, points = random_maps(3), torch.rand(7, 2, dtype=torch.float64)
    torch.testing.assert_close(maps.push(points), maps.push(points.expand(3, -1, -1)))


def test_affine_part_acts_last() -> None:
    """It is the affine end of a chain, and the identity for other maps."""
    theta = thetas(CHAIN)
    pose = Affine2d().bind(FRAME).map(theta[:, 18:])
    torch.testing.assert_close(affine_part(CHAIN.map(theta)).matrix, pose.matrix)
    identity = torch.eye(2, 3).expand(4, 2, 3)
    assert torch.equal(affine_part(IdentityMap(4)).matrix, identity)
    displacement = CHAIN.parts[0].map(theta[:, :18].float())
    assert torch.equal(affine_part(displacement).matrix, identity)


@pytest.mark.parametrize("operation", ["invert", "pull", "call"])
def test_singular_maps_are_refused(operation: str) -> None:
    """A map without an inverse is refused, instead of infinite or NaN values for it."""
    upright = random_maps(1).matrix.float()
    singular = torch.tensor([[[1.0, 2.0, 0.0], [0.5, 1.0, 0.0]]])
    map = AffineMap(torch.cat([upright, singular]))
    with pytest.raises(NotInvertibleError, match=r"matrix=\[\[1.0, 2.0, 0.0\].*is singular"):
        if operation == "invert":
            map.invert()
        elif operation == "pull":
            map.pull(torch.zeros(1, 2))
        else:
            map(torch.zeros(2, 1, 4, 4))


def test_inverse_has_exact_derivatives() -> None:
    """First and second derivatives of the inverse agree with finite differences."""
    matrix = random_maps(3).matrix.requires_grad_()

    def inverse(entries: torch.Tensor) -> torch.Tensor:
        return AffineMap(entries).invert().matrix

    assert torch.autograd.gradcheck(inverse, (matrix,))
    assert torch.autograd.gradgradcheck(inverse, (matrix,))


def test_inverse_is_that_of_linear_algebra() -> None:
    """The inverse is that of the matrices [A t; 0 1]."""
    matrix = random_maps(5).matrix
    bottom = torch.tensor([0.0, 0.0, 1.0], dtype=matrix.dtype).expand(5, 1, 3)
    expected = torch.linalg.inv(torch.cat([matrix, bottom], 1))[:, :2]
    torch.testing.assert_close(AffineMap(matrix).invert().matrix, expected)


def test_kept_inverse_has_its_gradient() -> None:
    """An inverse that was needed without gradients before has them where they are needed."""
    factor = torch.ones(1, dtype=torch.float64, requires_grad=True)
    map = AffineMap(random_maps(2).matrix * factor)
    with torch.no_grad():
        map.invert()
    assert map.invert().matrix.requires_grad and map.invert() is map.invert()
    leaf = AffineMap(random_maps(2).matrix.requires_grad_())
    for _ in range(2):  # the graph of the first step is gone in the second
        leaf.invert().matrix.sum().backward()
