"""Grids of poses: their turns and shifts are maps of the family."""

from __future__ import annotations

import math

import torch

from unwarp.models.scan.grid import Grid
from unwarp.warps import Affine2d, Rigid2d, Similarity2d


def test_turns_are_of_the_family() -> None:
    """Theta of a turn is its row of the table."""
    for warp in (Rigid2d(rotation=180, mirror=True), Similarity2d(), Affine2d(mirror=True)):
        family = warp.bind((12, 20))
        grid = Grid.of(family, (12, 20), 6)
        theta = family.theta(grid.turns)
        names = [factor.name for factor in family.factors]
        turns = torch.exp(1j * (theta[:, 0] - grid.table[:, 0]))
        assert torch.allclose(turns, torch.ones_like(turns), atol=1e-4)
        for name in ("log_scale", "log_scale_x", "log_scale_y"):
            if name in names:
                assert torch.allclose(theta[:, names.index(name)], grid.table[:, 1], atol=1e-5)
        if "mirror" in names:
            assert torch.equal(theta[:, -1], grid.table[:, 2])


def test_shifts_are_in_pixels() -> None:
    """A shift of (y, x) pixels moves the centre by as much."""
    grid = Grid.of(Rigid2d(size=(10, 20)), (10, 20), 4)
    map = grid.maps(torch.zeros(1, 3), torch.tensor([[2.0, 5.0]]))
    assert torch.allclose(map.push(torch.zeros(1, 2)), torch.tensor([[[0.5, 0.4]]]))


def test_neighbours_go_round_the_circle() -> None:
    """The angle before 0 is a neighbour of 0, and mirrored turns are none."""
    grid = Grid.of(Rigid2d(rotation=180, mirror=True, size=(8, 8)), (8, 8), 24)
    is_near, change = grid.neighbours(torch.tensor([0]))
    near = change[0, is_near[0], 0]
    assert len(near) == 5 and math.isclose(float(near.sum()), 0.0, abs_tol=1e-5)


def test_directions_are_those_that_vary() -> None:
    """Rotations and shifts give three directions, a scale one more, and no shear."""
    counts = {Rigid2d(): 3, Affine2d(): 4, Similarity2d(): 4, Rigid2d(rotation=0): 2}
    for warp, n in counts.items():
        assert len(Grid.of(warp.bind((8, 8)), (8, 8), 4).directions) == n
