"""Similarities: affine maps of one scale, and the projection of all others."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tests.warps.affine_maps import FRAME, WARP, random_maps
from unwarp.warps import Similarity2d


def test_similarity_is_affine_without_shear() -> None:
    """A similarity equals the affine map with two equal scales and no shear."""
    similarity = Similarity2d().bind(FRAME)
    theta = torch.tensor([[0.3, 0.2, 0.1, -0.4]], dtype=torch.float64)
    affine_theta = torch.tensor([[0.3, 0.2, 0.2, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(
        similarity.map(theta).push(torch.eye(2).double()),
        WARP.map(affine_theta).push(torch.eye(2).double()),
    )


def test_similarity_theta_is_projection() -> None:
    """No theta nearby gives a matrix nearer to that of an affine map."""
    similarity = Similarity2d(size=(32, 32))
    theta = similarity.theta(random_maps(1))
    target = random_maps(1).matrix.flatten()

    def distance(change: Tensor) -> float:
        return float((similarity.map(theta + change).matrix.flatten() - target).square().sum())

    assert all(distance(torch.zeros(4)) <= distance(1e-2 * torch.randn(4)) for _ in range(20))


def test_similarity_theta_of_affine_maps() -> None:
    """Of a map with two scales, it has the mean of both as scale, and no angle of its own."""
    similarity = Similarity2d().bind(FRAME)
    theta = torch.tensor([[0.0, math.log(2.0), math.log(1.0), 0.0, 0.1, 0.2]]).double()
    expected = torch.tensor([[0.0, math.log(1.5), 0.1, 0.2]]).double()
    torch.testing.assert_close(similarity.theta(WARP.map(theta)), expected)
