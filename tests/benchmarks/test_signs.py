"""Signs of lags: gains and ranks of nearest neighbours on known distances."""

from __future__ import annotations

import math

import pytest
import torch
from benchmarks.signs import gain, rank


def test_gain_is_log_of_squared_distances() -> None:
    """Half the distance is a gain of log 4."""
    training = torch.zeros(1, 1, 4)
    far, near = ((training, torch.full((2, 1, 4), size)) for size in (2.0, 1.0))
    assert gain(far, list(near)) == pytest.approx(math.log(4))


def test_rank_counts_elastic_neighbours() -> None:
    """A nearest neighbour that is the first of three elastic ones has rank 0, the last has 1."""
    training, held_out = torch.arange(3.0)[:, None, None], torch.zeros(1, 1, 1)
    assert rank(torch.tensor([[0.1, 0.2, 0.3]]), (training, held_out)) == 0
    assert rank(torch.tensor([[0.3, 0.2, 0.1]]), (training, held_out)) == 1
