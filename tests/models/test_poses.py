"""Clusters of orbits: bad fits are no candidates, and two poses of a class become one cluster."""

from __future__ import annotations

import pytest
import torch

from unwarp.models.poses import (
    MAX_MISFIT_RATIO,
    cluster_centres,
    fewest_centres,
    memberships,
    nearest_candidates,
)


def split_classes(n: int = 40) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes (2, n, 2) and misfits (2, n) of two classes with two poses, and the classes (n,).

    The first coordinate is the pose, 0 or 10; the second one is the class. Half of the samples of
    a class are explained a little better in one pose, half in the other.
    """
    generator = torch.Generator().manual_seed(0)
    label, better = torch.arange(n) % 2, torch.arange(n) // 2 % 2
    centres = torch.tensor([[[0.0, 0.0], [10.0, 0.0]], [[0.0, 10.0], [10.0, 10.0]]])  # class, pose
    codes = torch.stack([centres[label, better], centres[label, 1 - better]])
    misfit = torch.stack([torch.full((n,), 1.0), torch.full((n,), 1.1)])
    return codes + 0.3 * torch.randn(codes.shape, generator=generator), misfit, label


def test_candidates_nearest_is_chosen() -> None:
    """The nearest start that explains a sample well enough, and its squared distance."""
    codes = torch.tensor([[[5.0], [0.1]], [[0.0], [9.0]], [[1.0], [0.0]]])
    misfit = torch.tensor([[1.0, 1.0], [1.2, 1.2], [1.0, 2 * MAX_MISFIT_RATIO]])
    rows, squares = nearest_candidates(codes, misfit, torch.tensor([[0.0]]))
    assert rows.tolist() == [1, 0]  # the third explains the second sample too badly
    torch.testing.assert_close(squares, torch.tensor([0.0, 0.01]))


def test_orbits_join_two_poses_of_a_class() -> None:
    """Clusters of orbits are the classes, though each class is spread over two poses."""
    codes, misfit, label = split_classes()
    centres = cluster_centres(codes, misfit, 2)
    rows, squares = nearest_candidates(codes, misfit, centres)
    points = codes[rows, torch.arange(len(label))]
    clusters = torch.cdist(points, centres).argmin(1)
    assert (clusters == label).all() or (clusters == 1 - label).all()
    assert float(squares.max()) < 4
    first = codes[0, label == 0]
    assert float((first - first.mean(0)).norm(dim=1).min()) > 3


def test_orbits_leave_out_bad_fits() -> None:
    """A start that explains its sample badly is never a candidate."""
    codes, misfit, _ = split_classes()
    misfit[1] = 10.0
    rows, _ = nearest_candidates(codes, misfit, cluster_centres(codes, misfit, 2))
    assert (rows == 0).all()


def test_memberships_change_smoothly() -> None:
    """Shares are those of the near clusters; equal ones where clusters are equal or unknown."""
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    shares = memberships(torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 1.0]]), centres)
    torch.testing.assert_close(shares.sum(1), torch.ones(3))
    expected = torch.tensor([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]])
    torch.testing.assert_close(shares, expected, atol=1e-3, rtol=0)
    unknown = memberships(torch.zeros(1, 2), torch.full((3, 2), torch.nan))
    torch.testing.assert_close(unknown, torch.full((1, 3), 1 / 3))


@pytest.mark.parametrize("n", [10, 32])
def test_memberships_ignore_repeated_centres(n: int) -> None:
    """Copies of centres share the membership of the original, however many there are."""
    rng = torch.Generator().manual_seed(0)
    originals, codes = torch.randn(3, 4, generator=rng) + 5, torch.randn(6, 4, generator=rng) + 5
    rows = torch.arange(n) % 3
    shared = memberships(codes, originals[rows])
    totals = torch.stack([shared[:, rows == i].sum(1) for i in range(3)], 1)
    weights = torch.bincount(rows) * memberships(codes, originals)
    torch.testing.assert_close(totals, weights / weights.sum(1, keepdim=True))


def test_fewest_centres_are_the_classes() -> None:
    """Of ten clusters as many are left as there are classes, for codes of twelve numbers."""
    codes, misfit, label = split_classes(400)
    noise = torch.randn(2, 400, 10, generator=torch.Generator().manual_seed(1))
    codes = torch.cat([codes, 0.3 * noise], -1)
    centres = fewest_centres(codes, misfit, 10)
    assert len(centres) == 2
    rows, _ = nearest_candidates(codes, misfit, centres)
    points = codes[rows, torch.arange(len(label))]
    clusters = torch.cdist(points, centres).argmin(1)
    assert (clusters == label).all() or (clusters == 1 - label).all()


def test_fewest_centres_keep_equal_codes() -> None:
    """One cluster is enough for equal codes, and n clusters for n different ones."""
    misfit = torch.ones(1, 6)
    assert len(fewest_centres(torch.zeros(1, 6, 2), misfit, 3)) == 1
    corners = 100 * torch.eye(6)[None]
    assert len(fewest_centres(corners, misfit, 6)) == 6
