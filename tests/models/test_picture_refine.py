"""Refined pictures share the pose of the mean picture of their kind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from unwarp.models.picture_refine import GaussNewton
from unwarp.models.refinement import Refinement
from unwarp.models.registration import affine_pose
from unwarp.warps import AffineMap, Rigid2d, translation

SIZE = 20
RIGID = Rigid2d().bind((SIZE, SIZE))


def spots(kind: int = 0) -> torch.Tensor:
    """A smooth picture (1, SIZE, SIZE) of one of two kinds."""
    axis = torch.linspace(-1, 1, SIZE)
    places = [((-0.3, 0.0), (0.3, 0.2)), ((0.0, -0.35), (0.1, 0.3), (-0.4, 0.2))][kind]
    parts = [torch.exp(-((axis - x) ** 2 + (axis[:, None] - y) ** 2) / 0.06) for x, y in places]
    return torch.stack(parts).sum(0)[None]


def moved_spots(n: int = 24, seed: int = 0, kinds: int = 1) -> tuple[torch.Tensor, AffineMap]:
    """Pictures (n, 1, SIZE, SIZE) of moved spots in any light, and their maps."""
    generator = torch.Generator().manual_seed(seed)
    map = affine_pose(RIGID.sample(n, generator, 0.1))
    x = map(torch.stack([spots(i % kinds) for i in range(n)]))
    return x * (0.3 + 0.7 * torch.rand(n, 1, 1, 1, generator=generator)), map


def still(n: int) -> AffineMap:
    """Identities, as a network that sees no movement estimates them."""
    return translation(torch.zeros(n, 2))


def spread(map: AffineMap, goal: AffineMap) -> float:
    """Distance of points in aligned pictures from their mean place, in pixels."""
    points = torch.tensor([[-0.3, 0.0], [0.3, 0.2]])
    places = map.invert().push(goal.push(points))
    return float((places - places.mean(0)).norm(dim=-1).square().mean().sqrt() * SIZE / 2)


def test_new_pictures_are_refined() -> None:
    """Poses of training pictures and of new ones become exact to a tenth of a pixel."""
    x, goal = moved_spots()
    refinement = GaussNewton.fit(x, still(24), RIGID)
    for pictures, truth in ((x, goal), moved_spots(seed=1)):
        refined = affine_pose(refinement.refine(pictures, still(24)))
        assert spread(refined, truth) < 0.1 < 0.6 < spread(still(24), truth)


def test_templates_stay_in_place() -> None:
    """The mean movement of the training pictures is none."""
    x, _ = moved_spots()
    matrix = affine_pose(GaussNewton.fit(x, still(24), RIGID).refine(x, still(24))).matrix
    assert torch.allclose(matrix.mean(0), torch.eye(2, 3), atol=0.01)


def test_kinds_have_their_references() -> None:
    """Pictures of two kinds are told apart, and refined by the mean of their kind."""
    x, goal = moved_spots(kinds=2)
    refinement = GaussNewton.fit(x, still(24), RIGID, n_kinds=2)
    kinds = refinement.kinds(x, still(24))
    assert len(refinement.references) == 2 and (kinds[::2] != kinds[1::2]).all()
    refined = affine_pose(refinement.refine(x, still(24)))
    for rows in (slice(0, 24, 2), slice(1, 24, 2)):
        assert spread(affine_pose(refined[rows]), affine_pose(goal[rows])) < 0.15


def test_noisy_pictures_are_refined() -> None:
    """With noise of four times the variance, blurred references take a third of the error away."""
    x, goal = moved_spots(60)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    noisy = x + 2 * x.std((1, 2, 3), keepdim=True) * noise
    refinement = GaussNewton.fit(noisy, still(60), RIGID, blur=1.0)
    refined = affine_pose(refinement.refine(noisy, still(60)))
    assert spread(refined, goal) < spread(still(60), goal) * 2 / 3


def test_maps_do_not_depend_on_the_batch() -> None:
    """The map of a picture alone is its map among others."""
    x, _ = moved_spots()
    refinement = GaussNewton.fit(x, still(24), RIGID)
    together = affine_pose(refinement.refine(x, still(24))).matrix
    alone = torch.cat([affine_pose(refinement.refine(row[None], still(1))).matrix for row in x])
    assert torch.allclose(alone, together, atol=5e-4)


def test_records_restore_a_refinement() -> None:
    """Numbers and tensors give the same maps; those of other pictures are refused."""
    x, _ = moved_spots()
    refinement = GaussNewton.fit(x, still(24), RIGID, blur=1.0)
    record, tensors = refinement.record(), refinement.tensors()
    restored = Refinement.registry[record["kind"]].of(record, tensors, (1, SIZE, SIZE))
    goal = affine_pose(refinement.refine(x, still(24))).matrix
    assert torch.equal(affine_pose(restored.refine(x, still(24))).matrix, goal)
    damaged = (
        (refinement, (1, SIZE + 1, SIZE)),
        (replace(refinement, blur=-1.0), (1, SIZE, SIZE)),
        (replace(refinement, references=refinement.references * torch.nan), (1, SIZE, SIZE)),
    )
    for other, shape in damaged:
        with pytest.raises(ValueError, match="refinement"):
            GaussNewton.of(other.record(), other.tensors(), shape)
