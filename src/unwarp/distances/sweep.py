"""Sweeps over the tables of all pairs of series, by anti-diagonals.

An elastic distance is the cost of the cheapest path through a table with a row for each time step
of one series and a column for each time step of another. The cost of a cell depends on its
neighbours above, to the left, and above to the left. All cells (i, j) with the same sum i + j, an
anti-diagonal, can therefore be computed at once, and so can the tables of many pairs. Paths stay
inside a corridor around the diagonal of the table (Sakoe and Chiba 1978).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

N_STORED = 3
"""Anti-diagonals that are stored: a cell needs those with 1 and 2 steps less."""


@dataclass(frozen=True)
class Diagonal:
    """The cells of one anti-diagonal that lie inside the corridor.

    Attributes:
        number: The sum i + j of row and column, the same for all cells.
        first: First row.
        last: Last row.
        n_columns: Number of columns of the table.

    >>> Diagonal(3, 1, 2, 5).columns  # columns 2 and 1, counted from the end
    slice(2, 4, None)
    """

    number: int
    first: int
    last: int
    n_columns: int

    @property
    def rows(self) -> slice:
        """The rows of the cells."""
        return slice(self.first, self.last + 1)

    @property
    def columns(self) -> slice:
        """The columns of the cells, counted from the last one."""
        start = self.n_columns - 1 - (self.number - self.first)
        return slice(start, start + self.last - self.first + 1)


@dataclass(frozen=True)
class Corridor:
    """The cells of a table that paths may use.

    Cell (i, j) is inside if j - i is at least `-below` and at most `above`. Pairs of unequal
    lengths have a corridor of their own inside this one, around the line between their ends.

    Attributes:
        n_rows: Time steps of the first series.
        n_columns: Time steps of the second series.
        below: Greatest distance below the diagonal.
        above: Greatest distance above the diagonal.
        lengths: Time steps of each first series (N, 1) and of each second series (1, M); None if
            each series has the length of the table.
        radius: Greatest distance from the line between the ends (N, M), with `lengths`.

    >>> [(d.first, d.last) for d in Corridor(3, 3, 1, 1).diagonals()]
    [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]
    """

    n_rows: int
    n_columns: int
    below: int
    above: int
    lengths: tuple[Tensor, Tensor] | None = None
    radius: Tensor | None = None

    def diagonals(self) -> Iterator[Diagonal]:
        """The anti-diagonals from the first cell to the last."""
        for number in range(self.n_rows + self.n_columns - 1):
            # i <= (number + below) / 2, and i >= (number - above) / 2, rounded up
            first = max(0, number - self.n_columns + 1, -((self.above - number) // 2))
            last = min(number, self.n_rows - 1, (number + self.below) // 2)
            yield Diagonal(number, first, last, self.n_columns)

    def close(self, diagonal: Diagonal, costs: Tensor) -> None:
        """Make cells outside the corridor of a single pair infinitely expensive.

        Args:
            diagonal: The anti-diagonal.
            costs: Accumulated costs of its cells (k, N, M), which change.
        """
        if self.lengths is None or self.radius is None:
            return
        n, m = self.lengths
        row = torch.arange(diagonal.first, diagonal.last + 1, device=costs.device)[:, None, None]
        column = diagonal.number - row
        from_line = torch.where(
            n <= m, row - (column + 1) * n // (m + 1), column - (row + 1) * m // (n + 1)
        )
        costs.masked_fill_(from_line.abs() > self.radius, torch.inf)


class Sweep(ABC):
    """The accumulated costs of all pairs of two groups of series.

    A subclass computes the cells of one anti-diagonal (`advance`), and the distance from the
    accumulated cost of the last cell (`finish`). Series are stored with time as their first axis,
    those of the second group backwards, so that an anti-diagonal is a contiguous part of both.

    Args:
        x: First series (N, C, T), without NaN.
        y: Second series (M, C, S).

    Attributes:
        forward: The first series (T, C, N).
        backward: The second series, backwards in time (S, C, M).
        step: Numbers of one anti-diagonal that `advance` may overwrite (T, N, M).
    """

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.forward = x.permute(2, 1, 0).contiguous()
        self.backward = y.flip(-1).permute(2, 1, 0).contiguous()
        self.step = x.new_empty(x.shape[2], len(x), len(y))

    def channels(self, diagonal: Diagonal) -> Iterator[tuple[Tensor, Tensor]]:
        """Values of both series at the cells, channel by channel.

        Args:
            diagonal: The cells, k of them.

        Yields:
            Values (k, N, 1) of the first and (k, 1, M) of the second series.
        """
        x, y = self.forward[diagonal.rows], self.backward[diagonal.columns]
        for c in range(x.shape[1]):
            yield x[:, c, :, None], y[:, c, None]

    @abstractmethod
    def advance(
        self, diagonal: Diagonal, above: Tensor, left: Tensor, corner: Tensor, out: Tensor
    ) -> None:
        """Compute the accumulated costs of an anti-diagonal.

        Args:
            diagonal: The cells, k of them.
            above: Accumulated costs of the cells (i - 1, j), (k, N, M); infinite outside.
            left: Accumulated costs of the cells (i, j - 1), (k, N, M).
            corner: Accumulated costs of the cells (i - 1, j - 1), (k, N, M).
            out: Where to write the accumulated costs, (k, N, M).
        """

    @abstractmethod
    def start(self, out: Tensor) -> None:
        """Compute the accumulated cost of the first cell.

        Args:
            out: Where to write it, (1, N, M).
        """

    @abstractmethod
    def finish(self, total: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
        """The distances from the accumulated costs of the last cells.

        Args:
            total: Accumulated costs (N, M).
            ends: Last time steps of the first series (N,) and of the second (M,).
        """

    def distances(self, corridor: Corridor) -> Tensor:
        """The distances of all pairs.

        Args:
            corridor: The cells that paths may use, and the lengths of the series.

        Returns:
            Distances (N, M).
        """
        n, m = self.step.shape[1:]
        infinite = self.step.new_full((N_STORED, corridor.n_rows + 2, n, m), torch.inf)
        reading = _Reading(corridor, self.step[0])
        for diagonal in corridor.diagonals():
            i, first, last = diagonal.number, diagonal.first, diagonal.last
            current, before, earlier = (infinite[(i - k) % N_STORED] for k in range(N_STORED))
            # row i of a table is row i + 1 here, so that there is a row before the first
            out = current[first + 1 : last + 2]
            if i == 0:
                self.start(out)
            else:
                above, left = before[first : last + 1], before[first + 1 : last + 2]
                self.advance(diagonal, above, left, earlier[first : last + 1], out)
                corridor.close(diagonal, out)
            current[first] = torch.inf
            current[last + 2 : last + 3] = torch.inf
            reading.take(diagonal, current)
        return self.finish(reading.total, reading.ends)


class _Reading:
    """The accumulated costs at the ends of paths, read as the sweep passes them.

    Args:
        corridor: The cells that paths may use, and the lengths of the series.
        like: A tensor (N, M) with the dtype and the device of the costs.
    """

    def __init__(self, corridor: Corridor, like: Tensor) -> None:
        lengths = corridor.lengths or (
            torch.full((len(like), 1), corridor.n_rows, device=like.device),
            torch.full((1, like.shape[1]), corridor.n_columns, device=like.device),
        )
        n, m = lengths
        self.ends = n[:, 0] - 1, m[0] - 1
        self.total = torch.full_like(like, torch.inf)
        self._numbers = n + m - 2
        self._stops = set(self._numbers.flatten().tolist())

    def take(self, diagonal: Diagonal, costs: Tensor) -> None:
        """Read the costs of pairs whose path ends on an anti-diagonal.

        Args:
            diagonal: The anti-diagonal.
            costs: Its accumulated costs, with a row before the first, (T + 2, N, M).
        """
        if diagonal.number not in self._stops:
            return
        rows = (self.ends[0] + 1)[None, :, None].expand(1, *self.total.shape)
        at_end = costs.gather(0, rows)[0]
        self.total = torch.where(self._numbers == diagonal.number, at_end, self.total)
