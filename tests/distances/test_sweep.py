"""Anti-diagonals visit every cell of a corridor once, and in order."""

from __future__ import annotations

import pytest
import torch

from unwarp.distances.sweep import Corridor


@pytest.mark.parametrize(
    ("size", "below", "above"), [((5, 5), 1, 1), ((4, 7), 0, 3), ((7, 4), 4, 2), ((1, 3), 0, 2)]
)
def test_corridor_visits_each_cell_once(size: tuple[int, int], below: int, above: int) -> None:
    """The cells are those with -below <= j - i <= above, each on the diagonal of its sum."""
    n, m = size
    visits = torch.zeros(n, m)
    for diagonal in Corridor(n, m, below, above).diagonals():
        for i in range(diagonal.first, diagonal.last + 1):
            visits[i, diagonal.number - i] += 1
    offset = torch.arange(m) - torch.arange(n)[:, None]
    assert torch.equal(visits, ((offset >= -below) & (offset <= above)).float())


def test_columns_count_from_the_last() -> None:
    """Rows and reversed columns of a diagonal pair the cells with the same sum."""
    for diagonal in Corridor(4, 6, 6, 6).diagonals():
        rows = torch.arange(4)[diagonal.rows]
        columns = torch.arange(6).flip(0)[diagonal.columns]
        assert ((rows + columns) == diagonal.number).all()
