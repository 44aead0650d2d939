"""Times of events in series.

Events are moments that somebody has marked, such as peaks or onsets. `Events` reads them in any of
three forms, and gives transformed times back in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unwarp.core import Array
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Events:
    """Times of K events of each of N series.

    `Unwarper.transform_events` converts them to fractions of the observed series, applies the warp,
    and converts the fractions to times of the aligned series.

    Attributes:
        times: Times (N, K), in the unit of the series' time stamps; NaN if a series has fewer
            events.
        counts: Number of events of each series if the user gave a list of lists; None for an array.

    >>> events = Events.of([[1.0], [2.0, 3.0]], 2)
    >>> events.times.tolist()
    [[1.0, nan], [2.0, 3.0]]
    >>> spans = np.array([[0.0, 4.0], [0.0, 4.0]])
    >>> [row.tolist() for row in events.from_shares(events.as_shares(spans), 10 * spans)]
    [[10.0], [20.0, 30.0]]
    """

    times: Array
    counts: tuple[int, ...] | None = None

    @classmethod
    def of(cls, events: Any, n: int) -> Self:
        """Events of `n` series in one table.

        Args:
            events: Times (K,) that all series share, a table (n, K), or a list of n lists (K_i,).
                NaN means no event and stays NaN.
            n: Number of series.

        Raises:
            DataError: Another shape, another number of series, infinite times, or text.
        """
        arrays = _as_arrays(events, n)
        if {part.ndim for part in arrays} <= {0}:
            return cls(np.tile(np.array(arrays, float), (n, 1)))
        counts = tuple(len(part) for part in arrays)
        table = np.full((n, max(counts)), np.nan)
        for row, part in zip(table, arrays, strict=True):
            row[: len(part)] = part
        is_list = isinstance(events, list | tuple)
        is_list = is_list or getattr(events, "dtype", None) is np.dtype(object)
        return cls(table, counts if is_list else None)

    def as_shares(self, spans: Array) -> Array:
        """The times as fractions of spans of time.

        Args:
            spans: First and last time of each series (N, 2). A span without duration counts as 1.

        Returns:
            Fractions (N, K): 0 at the first time, 1 at the last; below 0 or above 1 outside of
            them.
        """
        first, duration = _start_and_duration(spans)
        return np.asarray((self.times - first) / duration)

    def from_shares(self, shares: Array, spans: Array) -> Array | list[Array]:
        """Times from fractions of spans, in the form of these events.

        Args:
            shares: Fractions (N, K), as `shares` returns them.
            spans: First and last time of each series (N, 2), in the unit of the result.

        Returns:
            Times (N, K), or a list of N arrays (K_i,) if the events were given as lists.
        """
        first, duration = _start_and_duration(spans)
        times: Array = first + shares * duration
        if self.counts is None:
            return times
        return [row[:count] for row, count in zip(times, self.counts, strict=True)]


def _as_arrays(events: Any, n: int) -> list[Array]:
    """The entries of `events`: K numbers, or n arrays (K_i,)."""
    try:
        arrays = [np.asarray(part, float) for part in events]
    except (ValueError, TypeError) as error:
        raise DataError(
            f"events must be times: (K,), ({n}, K), or a list of {n} of (K_i,); {error}"
        ) from error
    ranks = {part.ndim for part in arrays}
    is_infinite = any(np.isinf(part).any() for part in arrays)
    if is_infinite or not (ranks <= {0} or (ranks == {1} and len(arrays) == n)):
        axes = ", ".join(f"{rank}-D" for rank in sorted(ranks))
        raise DataError(
            f"events must be finite times: (K,) of all series, ({n}, K), or a list of {n} of "
            f"(K_i,); it holds {len(arrays)} entries, {axes}"
        )
    return arrays


def _start_and_duration(spans: Array) -> tuple[Array, Array]:
    """First time and duration (N, 1) of spans (N, 2); a duration of 0 counts as 1."""
    duration = np.diff(spans)
    return spans[:, :1], np.where(duration > 0, duration, 1.0)
