"""Comparison with templates: probabilities, sums and correlations."""

from __future__ import annotations

import math

import torch

from tests.models.scan.pictures import thing
from unwarp.models.scan.grid import Grid
from unwarp.models.scan.matching import Bank, expect, likelihoods, likeness, match
from unwarp.warps import Rigid2d, deform

GRID = Grid.of(Rigid2d(rotation=180, size=(24, 24)), (24, 24), 12)
VALUES = torch.stack([thing(0), thing(1)])
BANK = Bank(VALUES, torch.tensor([0.6, 0.4]), torch.tensor(0.2), torch.tensor([2.0, 1.0, 1.0]))


def test_errors_are_squared_differences() -> None:
    """The errors are those of the template in the same pose, taken pixel by pixel."""
    x = torch.randn(3, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    errors = next(likelihoods(x, BANK, GRID)).errors
    still = int((GRID.shifts == 0).all(1).nonzero()[0, 0])
    squares = x.square().sum((1, 2, 3))[:, None]
    direct = (x[:, None] - VALUES[:, :]).square().sum((2, 3, 4)) - squares
    assert torch.allclose(errors[:, :, 0, still], direct, atol=1e-2)


def test_prior_sums_to_one() -> None:
    """The probabilities of all kinds, turns and shifts sum to 1."""
    total = BANK.log_prior(GRID).expand(2, len(GRID.table), -1).exp().sum()
    assert math.isclose(float(total), 1.0, rel_tol=1e-4)


def test_poses_are_those_of_the_pictures() -> None:
    """Templates in poses of the grid get these poses and their kinds."""
    turn, kinds = torch.tensor([0, 3, 7]), torch.tensor([0, 1, 0])
    shift = torch.tensor([[0.0, 1.0], [-2.0, 0.0], [1.0, 1.0]])
    x = deform(VALUES[kinds], GRID.maps(GRID.table[turn], shift))
    poses = match(x, Bank(VALUES, BANK.shares, torch.tensor(0.01), BANK.spread), GRID)
    assert torch.equal(poses.kind, kinds) and torch.equal(poses.turn, turn)
    assert (poses.shift - shift).abs().max() < 0.5


def test_sums_do_not_depend_on_parts() -> None:
    """Evidence and sums of all pictures are those of their halves."""
    x = torch.randn(6, 1, 24, 24, generator=torch.Generator().manual_seed(1))
    whole, parts = expect(x, BANK, GRID), [expect(x[i : i + 3], BANK, GRID) for i in (0, 3)]
    assert torch.allclose(whole.evidence, torch.cat([part.evidence for part in parts]), atol=1e-2)
    for name in ("templates", "counts", "squares", "spread"):
        total = sum(getattr(part, name) for part in parts)
        assert torch.allclose(getattr(whole, name), total, rtol=1e-3, atol=1e-3)
    assert math.isclose(float(whole.counts.sum()), 6.0, rel_tol=1e-4)


def test_likeness_does_not_see_the_pose() -> None:
    """A turned template is like itself, and unlike another thing."""
    turned = deform(VALUES, GRID.maps(GRID.table[[4, 4]], torch.ones(2, 2)))
    correlations = likeness(turned, VALUES, GRID)
    assert correlations.diagonal().min() > 0.95
    assert correlations.fliplr().diagonal().max() < 0.9
