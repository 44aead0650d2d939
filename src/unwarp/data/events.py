"""Annotations of series: the times of events, for all series or for each, as one table and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unwarp.core import Array
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Events:
    """Times of K events of N series.

    Attributes:
        times: (N, K), NaN where a series has fewer events.
        counts: How many each series has, where they came as a list; None else.

    >>> Events.of([[1.0], [2.0, 3.0]], 2).times.tolist()
    [[1.0, nan], [2.0, 3.0]]
    """

    times: Array
    counts: tuple[int, ...] | None = None

    @classmethod
    def of(cls, events: Any, n: int) -> Self:
        """Events (K,) of all `n` series, (n, K), or a list of n of (K_i,); NaN is no event, and stays.

        Raises:
            DataError: Another shape, another number of series, infinite times, or text.
        """
        listed = isinstance(events, list | tuple) or getattr(events, "dtype", None) is np.dtype(
            object
        )
        try:
            parts = [np.asarray(part, float) for part in events]
        except (ValueError, TypeError) as error:
            raise DataError(
                f"events must be times: (K,), ({n}, K), or a list of {n} of (K_i,); {error}"
            ) from error
        ranks = {part.ndim for part in parts}
        if any(np.isinf(part).any() for part in parts) or not (
            ranks <= {0} or (ranks == {1} and len(parts) == n)
        ):
            raise DataError(
                f"events must be finite times: (K,) of all series, ({n}, K), or a list of {n} of (K_i,); they came as "
                f"{len(parts)} of {', '.join(str(rank) + '-D' for rank in sorted(ranks))}"
            )
        if ranks <= {0}:
            return cls(np.tile(np.array(parts, float), (n, 1)))
        counts = tuple(len(part) for part in parts)
        table = np.full((n, max(counts)), np.nan)
        for row, part in zip(table, parts, strict=True):
            row[: len(part)] = part
        return cls(table, counts if listed else None)

    def shares(self, spans: Array) -> Array:
        """The times (N, K) as shares of spans of time (N, 2): 0 at the first end, 1 at the second."""
        first, duration = _parts(spans)
        return np.asarray((self.times - first) / duration)

    def at(self, shares: Array, spans: Array) -> Array | list[Array]:
        """The times of shares (N, K) of spans (N, 2), as these events came: (N, K), or a list of N of (K_i,)."""
        first, duration = _parts(spans)
        times = first + shares * duration
        return (
            times
            if self.counts is None
            else [row[:n] for row, n in zip(times, self.counts, strict=True)]
        )


def _parts(spans: Array) -> tuple[Array, Array]:
    duration = np.diff(spans)
    return spans[:, :1], np.where(duration > 0, duration, 1.0)
