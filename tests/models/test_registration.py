"""Registration finds the map between two pictures, within a family and in any light."""

from __future__ import annotations

import pytest
import torch

from unwarp.models.registration import generators, is_in_frame, registration, similarity
from unwarp.warps import (
    Affine2d,
    AffineMap,
    Chain,
    CosineTime,
    Displacement2d,
    Rigid2d,
    Similarity2d,
    Translation2d,
    Warp,
    translation,
)

SIZE = 24
FAMILIES = [Affine2d(), Similarity2d(), Rigid2d(), Rigid2d(rotation=0), Translation2d()]


def blobs(n: int) -> torch.Tensor:
    """Copies (n, 1, SIZE, SIZE) of one asymmetric smooth picture."""
    axis = torch.linspace(-1, 1, SIZE)
    spots = ((0.0, 0.0, 0.5, 0.6), (-0.3, -0.1, 0.18, 0.8), (0.3, 0.2, 0.22, 0.5))
    parts = [
        h * torch.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / s**2) for x, y, s, h in spots
    ]
    return torch.stack(parts).sum(0).expand(n, 1, -1, -1)


def moves(warp: Warp, n: int = 6) -> AffineMap:
    """Small random maps of a family."""
    map = warp.sample(n, torch.Generator().manual_seed(0), 0.1)
    assert isinstance(map, AffineMap)
    return map


def distance(map: AffineMap, goal: AffineMap) -> float:
    """Greatest distance of mapped points in pixels."""
    points = torch.tensor([[-0.4, -0.4], [0.4, -0.4], [0.0, 0.4]])
    return float((map.push(points) - goal.push(points)).norm(dim=-1).max() * SIZE / 2)


@pytest.mark.parametrize("warp", FAMILIES, ids=lambda warp: f"{warp.name}-{len(warp.factors)}")
def test_registration_finds_the_map(warp: Warp) -> None:
    """Maps are found within a quarter of a pixel, in another gain and offset."""
    target, goal = blobs(6), moves(warp)
    moving = 0.3 * goal(target) + 0.5
    weight = torch.ones(6, 1, SIZE, SIZE)
    map, scores = registration(moving, target, weight, generators(warp), 12)
    assert distance(map, goal) < 0.25 < 0.8 < distance(translation(torch.zeros(6, 2)), goal)
    assert (scores > 0.995).all()


def test_registration_stays_in_the_family() -> None:
    """Rigid maps have no scale, whatever the pictures differ by."""
    moving = moves(Affine2d())(blobs(6))
    weight = torch.ones(6, 1, SIZE, SIZE)
    map, _ = registration(moving, blobs(6), weight, generators(Rigid2d()), 8)
    linear = map.matrix[..., :2]
    assert torch.allclose(linear @ linear.mT, torch.eye(2).expand(6, 2, 2), atol=1e-5)


def test_registration_never_falls() -> None:
    """The correlation of any two pictures is at least what it was; noise stays finite."""
    generator = torch.Generator().manual_seed(0)
    moving, target = (torch.randn(8, 2, 12, 12, generator=generator) for _ in range(2))
    weight = torch.ones(8, 1, 12, 12)
    _, scores = registration(moving, target, weight, generators(Affine2d()), 5)
    assert (scores >= similarity(moving, target, weight) - 1e-5).all()


@pytest.mark.parametrize("moving", [torch.zeros(2, 1, 8, 8), -blobs(2)], ids=["flat", "reversed"])
def test_hopeless_pictures_stay(moving: torch.Tensor) -> None:
    """Constant pictures, and those in reversed light, are not moved."""
    target = blobs(2)[..., : moving.shape[2], : moving.shape[3]]
    weight = torch.ones_like(target)
    map, _ = registration(moving, target, weight, generators(Affine2d()), 5)
    assert torch.equal(map.matrix, translation(torch.zeros(2, 2)).matrix)


def test_rows_are_registered_alone() -> None:
    """The map of a picture does not depend on the batch."""
    target, moving = blobs(6), moves(Affine2d())(blobs(6))
    weight, basis = torch.ones(6, 1, SIZE, SIZE), generators(Affine2d())
    map, _ = registration(moving, target, weight, basis, 4)
    alone, _ = registration(moving[:1], target[:1], weight[:1], basis, 4)
    assert torch.allclose(alone.matrix, map.matrix[:1], atol=1e-5)


def test_generators_are_of_the_affine_part() -> None:
    """Chains have those of the part that moves points last; a mirror and other maps have none."""
    affine = generators(Affine2d())
    assert affine.shape == (6, 2, 3)
    chain = Chain(Displacement2d(2), Affine2d()).bind((8, 8))
    assert torch.equal(generators(chain), generators(Affine2d().bind((8, 8))))
    assert torch.equal(generators(Rigid2d(mirror=True)), generators(Rigid2d()))
    for warp in (Displacement2d(2), CosineTime().bind((9,))):
        assert len(generators(warp)) == 0


def test_pixels_beyond_the_frame_have_no_weight() -> None:
    """A shift by half a frame leaves half of the pixels."""
    right = translation(torch.tensor([[1.0, 0.0]]))
    assert is_in_frame(torch.zeros(1, 1, 4, 4), right)[0, 0].tolist() == [[1, 1, 0, 0]] * 4
