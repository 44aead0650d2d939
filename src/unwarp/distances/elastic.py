"""Elastic distances: costs of matching time steps that pause and hurry.

Two series of the same kind that differ in timing are near each other under an elastic distance. It
needs no training and no labels. Both distances here are those of the literature, inside a corridor
around the diagonal, and equal to published implementations.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.distances.sweep import Corridor, Diagonal, Sweep
from unwarp.errors import ConfigError, DataError
from unwarp.missing import interpolate_missing
from unwarp.values import brief, field_mistake

NUMBERS_PER_DIAGONAL_ON_CPU, NUMBERS_PER_DIAGONAL = 32_000, 4_000_000
"""Numbers in one anti-diagonal of all pairs of a block, on the processor and on other devices.

More hide the time of a call; on the processor fewer stay in its cache.
"""
MAX_SERIES_PER_BLOCK = 128
"""Greatest number of second series in a block of pairs."""


@dataclass(frozen=True)
class ElasticDistance(ABC):
    """A distance of series that tolerates differences in timing.

    It is a record without weights.

    Attributes:
        band: Greatest shift in time of matched steps, as a share of the shorter series; 1 for any.

    >>> x = torch.tensor([[[0.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 0.0]]])
    >>> ADTW(band=1.0, penalty=0.1)(x, x)[0, 1]  # one step matched twice, and later another
    tensor(0.2000)
    """

    band: float = 0.1

    def __post_init__(self) -> None:
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        if not 0 <= self.band <= 1:
            raise ConfigError(f"band={self.band} is no share of a series; give a number in [0, 1]")

    @torch.no_grad()
    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """The distances of all pairs of two groups of series.

        Args:
            x: First series (N, C, T). NaN before the first and after the last observed time step
                makes a series shorter; other gaps are filled linearly.
            y: Second series (M, C, S).

        Returns:
            Distances (N, M), in the dtype and on the device of `x`.

        Raises:
            DataError: The series are no tensors with three axes, have another number of channels,
                or a series has no values.
        """
        _check_pair(x, y)
        (x, x_lengths), (y, y_lengths) = cut_ends(x), cut_ends(y)
        radius = math.ceil(self.band * max(x.shape[2], y.shape[2])) + 1
        budget = NUMBERS_PER_DIAGONAL_ON_CPU if x.device.type == "cpu" else NUMBERS_PER_DIAGONAL
        n_columns = max(1, min(MAX_SERIES_PER_BLOCK, len(y)))
        n_rows = max(1, budget // (n_columns * radius))
        rows = _parts(x, x_lengths, n_rows)
        blocks = [
            torch.cat([self._block(a, b, n, m) for b, m in _parts(y, y_lengths, n_columns)], 1)
            for a, n in rows
        ]
        return torch.cat(blocks) if blocks else x.new_empty(0, len(y))

    def _block(self, x: Tensor, y: Tensor, n: Tensor, m: Tensor) -> Tensor:
        """The distances (N, M) of a block of series of the lengths n (N,) and m (M,)."""
        n, m = n[:, None], m[None]
        x, y = x[..., : int(n.max())], y[..., : int(m.max())]
        radius = (self.band * torch.minimum(n, m).double() + 1e-9).floor().to(n)
        below, above = (radius + excess.clamp_min(0) for excess in (n - m, m - n))
        widths = x.shape[2], y.shape[2], int(below.max()), int(above.max())
        if bool((n == n[0]).all() and (m == n[0]).all()):
            return self.costs(x, y, Corridor(*widths))
        corridor = Corridor(*widths, (n, m), None if self.band == 1 else radius)
        return self.costs(x, y, corridor)

    @abstractmethod
    def costs(self, x: Tensor, y: Tensor, corridor: Corridor) -> Tensor:
        """The distances (N, M) of all pairs of series without gaps.

        Args:
            x: First series (N, C, T), without NaN.
            y: Second series (M, C, S).
            corridor: The cells that paths may use, and the lengths of the series.
        """


@dataclass(frozen=True)
class ADTW(ElasticDistance):
    """Amerced dynamic time warping: a fixed penalty for each step that pauses.

    The cost of a match is the squared Euclidean distance of two time steps, summed over channels.
    Herrmann and Webb (2023, Amercing: an intuitive and effective constraint for dynamic time
    warping). With `penalty=0` it is dynamic time warping.

    Attributes:
        band: Greatest shift in time of matched steps, as a share of the shorter series; 1 for any.
        penalty: Cost of each step of a path that leaves the diagonal.
    """

    penalty: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.penalty < 0:
            raise ConfigError(f"penalty={self.penalty} is negative; give a cost of 0 or more")

    def costs(self, x: Tensor, y: Tensor, corridor: Corridor) -> Tensor:
        """Squared distances and penalties of the cheapest paths.

        Args:
            x: First series (N, C, T), without NaN.
            y: Second series (M, C, S).
            corridor: The cells that paths may use, and the lengths of the series.
        """
        return _AmercedSweep(x, y, self.penalty).distances(corridor)


@dataclass(frozen=True)
class MSM(ElasticDistance):
    """Move-split-merge: the cost of editing one series into another, a metric.

    A move changes a value by its difference; a split repeats a value and a merge unites two, each
    at the price `cost`, plus the difference if the value lies outside its neighbours. Each channel
    is edited by itself, and the costs are summed. Stefan, Athitsos and Das (2013, The
    move-split-merge metric for time series).

    Attributes:
        band: Greatest shift in time of matched steps, as a share of the shorter series; 1 for any.
        cost: Price of a split or a merge.
    """

    cost: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cost < 0:
            raise ConfigError(f"cost={self.cost} is negative; give a price of 0 or more")

    def costs(self, x: Tensor, y: Tensor, corridor: Corridor) -> Tensor:
        """Moves, splits and merges of the cheapest edits.

        Args:
            x: First series (N, C, T), without NaN.
            y: Second series (M, C, S).
            corridor: The cells that paths may use, and the lengths of the series.
        """
        channels = zip(torch.split(x, 1, 1), torch.split(y, 1, 1), strict=True)
        sums = [_EditSweep(*pair, self.cost).distances(corridor) for pair in channels]
        return torch.stack(sums).sum(0)


class _AmercedSweep(Sweep):
    """`D[i, j] = (x_i - y_j)^2 + min(D[i-1, j-1], D[i-1, j] + p, D[i, j-1] + p)`.

    Args:
        x: First series (N, C, T).
        y: Second series (M, C, S).
        penalty: The number p.
    """

    def __init__(self, x: Tensor, y: Tensor, penalty: float) -> None:
        super().__init__(x, y)
        self.penalty = penalty

    def start(self, out: Tensor) -> None:
        difference = self.forward[:1, :, :, None] - self.backward[-1:, :, None]
        torch.sum(difference.square(), 1, out=out)

    def advance(
        self, diagonal: Diagonal, above: Tensor, left: Tensor, corner: Tensor, out: Tensor
    ) -> None:
        torch.minimum(above, left, out=out).add_(self.penalty)
        torch.minimum(out, corner, out=out)
        difference = self.step[: len(out)]
        for x, y in self.channels(diagonal):
            torch.sub(x, y, out=difference)
            out.addcmul_(difference, difference)

    def finish(self, total: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
        return total


class _EditSweep(Sweep):
    """Moves, splits and merges, with the costs of splits taken out of the sums.

    A value a between its neighbours b and c is free to split; outside it costs its distance from
    the interval, which is (|a - b| + |a - c| - |b - c|) / 2. With M[i, j] = |x_i - y_j| and
    X_i = sum of c + |x_k - x_(k-1)| / 2 up to i, and Y_j likewise, the numbers
    H[i, j] = D[i, j] - M[i, j] / 2 - X_i - Y_j then obey

        H[i, j] = min(H[i-1, j], H[i, j-1], H[i-1, j-1] + K[i, j]),
        K[i, j] = (M[i-1, j-1] + M[i, j]) / 2 - (X_i - X_(i-1)) - (Y_j - Y_(j-1)).

    Args:
        x: First series (N, 1, T).
        y: Second series (M, 1, S).
        cost: Price c of a split or a merge.
    """

    def __init__(self, x: Tensor, y: Tensor, cost: float) -> None:
        super().__init__(x, y)
        self._rises = [_rises(series, cost) for series in (self.forward, self.backward.flip(0))]
        self._falls = self._rises[1].flip(0)
        self._moves = [torch.zeros_like(self.step) for _ in range(3)]

    def start(self, out: Tensor) -> None:
        torch.sub(self.forward[:1, 0, :, None], self.backward[-1:, 0, None], out=self._moves[0][:1])
        self._moves[0][:1].abs_()
        torch.mul(self._moves[0][:1], 0.5, out=out)

    def advance(
        self, diagonal: Diagonal, above: Tensor, left: Tensor, corner: Tensor, out: Tensor
    ) -> None:
        moves = self._moves[diagonal.number % 3][diagonal.rows]
        ((x, y),) = self.channels(diagonal)
        torch.sub(x, y, out=moves).abs_()
        skipped = self._corner_moves(diagonal)
        torch.add(moves, skipped, out=out).mul_(0.5)
        out.sub_(self._rises[0][diagonal.rows, :, None])
        out.sub_(self._falls[diagonal.columns, None])
        out.add_(corner)
        torch.minimum(out, above, out=out)
        torch.minimum(out, left, out=out)

    def _corner_moves(self, diagonal: Diagonal) -> Tensor:
        """M of the cells (i - 1, j - 1), (k, N, M); row -1 has none, and its cost is infinite."""
        moves = self._moves[(diagonal.number - 2) % 3]
        if diagonal.first:
            return moves[diagonal.first - 1 : diagonal.last]
        spare = self.step[: diagonal.last + 1]
        spare[0] = 0
        spare[1:] = moves[: diagonal.last]
        return spare

    def finish(self, total: Tensor, ends: tuple[Tensor, Tensor]) -> Tensor:
        n, m = ends
        x, y = self.forward, self.backward.flip(0)
        last_x, last_y = (s[end, :, torch.arange(len(end))] for s, end in ((x, n), (y, m)))
        moves = (last_x[:, None] - last_y).abs().sum(-1)
        sums = [rises.cumsum(0) - rises[:1] for rises in self._rises]
        at_ends = [s.gather(0, end[None])[0] for s, end in zip(sums, ends, strict=True)]
        # rounding may leave equal series at less than 0
        return (total + moves / 2 + at_ends[0][:, None] + at_ends[1]).clamp_min(0)


def _rises(series: Tensor, cost: float) -> Tensor:
    """The cost of a split plus half of each change (T, N), of series (T, C, N)."""
    changes = torch.zeros_like(series)
    changes[1:] = series.diff(dim=0).abs()
    return (changes / 2 + cost).sum(1)


def cut_ends(x: Tensor) -> tuple[Tensor, Tensor]:
    """Series from their first observed time step on, without missing values.

    Args:
        x: Series (N, C, T), NaN at missing values.

    Returns:
        Series (N, C, T) without NaN, which begin with the first time step that has a value in any
        channel; and the number of time steps (N,) up to the last one with a value. What follows is
        of no meaning.

    Raises:
        DataError: A series has no values.

    >>> cut_ends(torch.tensor([[[torch.nan, 1.0, torch.nan, 3.0, torch.nan]]]))[1]
    tensor([3])
    """
    n_steps = x.shape[2]
    is_observed = ~x.isnan().all(1)
    if not x.isnan().any():
        return x, torch.full((len(x),), n_steps, device=x.device)
    if not is_observed.any(1).all():
        row = int((~is_observed.any(1)).nonzero()[0])
        raise DataError(f"series {row} has no values; leave it out")
    step = torch.arange(n_steps, device=x.device)
    first = torch.where(is_observed, step, n_steps).amin(1)
    last = torch.where(is_observed, step, -1).amax(1)
    rows = (step + first[:, None]).clamp_max(n_steps - 1)[:, None].expand(x.shape)
    return interpolate_missing(x).gather(2, rows), last - first + 1


def _parts(y: Tensor, lengths: Tensor, n: int) -> list[tuple[Tensor, Tensor]]:
    """Series (M, C, S) and their lengths (M,) in parts of n."""
    return list(zip(torch.split(y, n), torch.split(lengths, n), strict=True))


def _check_pair(x: Tensor, y: Tensor) -> None:
    """Refuse what are no series of equally many channels."""
    for name, series in (("x", x), ("y", y)):
        is_series = isinstance(series, Tensor) and series.is_floating_point() and series.ndim == 3
        if not is_series or 0 in series.shape[1:]:
            form = tuple(series.shape) if isinstance(series, Tensor) else brief(series)
            raise DataError(f"{name}={form} are no series; give a tensor (N, C, T) of real numbers")
    if x.shape[1] != y.shape[1]:
        raise DataError(
            f"x has {x.shape[1]} channels and y has {y.shape[1]}; give series of equally many"
        )
