"""Neighbours: the least distances, by codes and by values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.app.explorer import neighbours
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.neighbours import Neighbours, ValueNeighbours, size_in_memory, values_of

POINTS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


def test_neighbours_are_nearest() -> None:
    """They are those of all distances, nearest first, without the sample itself."""
    distances = np.linalg.norm(POINTS - POINTS[7], axis=1)
    expected = [i for i in np.argsort(distances).tolist() if i != 7][:10]
    assert Neighbours(POINTS).of_row(7) == expected


def test_equal_samples_are_neighbours() -> None:
    """A sample is not its own neighbour, and its copies are."""
    assert sorted(Neighbours(np.zeros((4, 2), np.float32)).of_row(2)) == [0, 1, 3]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_samples_have_few_neighbours(n: int) -> None:
    """There are at most as many as samples."""
    assert len(Neighbours(POINTS[:n]).of_point(POINTS[9])) == n


def test_pixels_are_compared_at_full_size(images: Exploration) -> None:
    """Small collections are compared pixel by pixel."""
    samples = images.collection.samples
    assert samples is not None
    distances = (samples.x - samples.x[4]).flatten(1).norm(dim=1)
    expected = [i for i in distances.argsort().tolist() if i != 4][:3]
    assert images.value_neighbours.neighbours.of_row(4)[:3] == expected


def test_large_collections_are_reduced(
    images: Exploration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values of all samples fit in the memory for them."""
    monkeypatch.setattr(neighbours, "MAX_BYTES_OF_VALUES", 4 * 30 * 100)
    values = ValueNeighbours.of(images.collection)
    assert values.size == (10, 10) and values.neighbours.points.nbytes <= 4 * 30 * 100
    assert size_in_memory((1000, 1, 5000))[0] >= neighbours.MIN_SIDE


def test_gaps_are_filled() -> None:
    """A series with a gap is near the same series without it."""
    x = torch.linspace(0, 1, 12).expand(2, 1, 12).clone()
    x[1, 0, 4:7] = torch.nan
    points = values_of(x, (12,))
    np.testing.assert_allclose(points[0], points[1], atol=1e-6)
