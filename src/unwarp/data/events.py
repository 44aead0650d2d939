"""Times of events in series.

Events are moments that a user marked in the series, such as peaks or onsets. `Events` reads their
times in one of three forms and returns transformed times in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unwarp.core import Array
from unwarp.data.array_likes import as_numpy, is_sequence
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Events:
    """Times of K events in each of N series.

    The time of an event is converted to a share, a fraction of the duration of its series: 0 at the
    first step, 1 at the last. `Unwarper.transform_events` computes the shares of observed times,
    applies the deformations to them, and converts the results to times in the aligned series.

    Attributes:
        times: Times (N, K), in the unit of the time stamps of the series. A row ends with NaN if
            its series has fewer than K events.
        counts: Number of events of each series if the user gave a list of N lists; None if the user
            gave an array.

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
        """Events of `n` series, from one of three forms.

        Args:
            events: Times (K,) that all series share, an array (n, K), or a list of n lists (K_i,).
                NaN means no event and stays NaN.
            n: Number of series.

        Raises:
            DataError: `events` has another shape or number of series, or an entry is infinite or
                not a number.
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
        """The times as fractions of the duration of their series.

        Args:
            spans: First and last time of each series (N, 2). A duration of 0 is replaced by 1.

        Returns:
            Fractions (N, K): 0 at the first time, 1 at the last, below 0 before the first, above 1
            after the last.
        """
        first, duration = _start_and_duration(spans)
        return np.asarray((self.times - first) / duration)

    def from_shares(self, shares: Array, spans: Array) -> Array | list[Array]:
        """Times from fractions of durations, in the form that the user gave.

        Args:
            shares: Fractions (N, K), as `as_shares` returns them.
            spans: First and last time of each series (N, 2), in the unit of the result.

        Returns:
            Times (N, K), or a list of N arrays (K_i,) if the user gave a list of N lists.
        """
        first, duration = _start_and_duration(spans)
        times: Array = first + shares * duration
        if self.counts is None:
            return times
        return [row[:count] for row, count in zip(times, self.counts, strict=True)]


def _as_arrays(events: Any, n: int) -> list[Array]:
    """The entries of `events` as float arrays: K arrays without axes, or n arrays (K_i,)."""
    try:
        events = as_numpy(events)
        if not is_sequence(events):
            raise TypeError(f"they are of type {type(events).__name__}")
        arrays = [_as_float(part) for part in events]
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        reason = str(error).replace("X", "it")
        raise DataError(
            f"events must be numbers ({reason}); give an array (K,) or ({n}, K), or a list of {n} "
            "lists (K_i,)"
        ) from error
    ranks = {part.ndim for part in arrays}
    is_infinite = any(np.isinf(part).any() for part in arrays)
    if is_infinite or not (ranks <= {0} or (ranks == {1} and len(arrays) == n)):
        axes = ", ".join(f"{rank}-D" for rank in sorted(ranks))
        raise DataError(
            f"events holds {len(arrays)} entries, {axes}; events must be finite times: an array "
            f"(K,) for all series, an array ({n}, K), or a list of {n} lists (K_i,)"
        )
    return arrays


def _as_float(part: Any) -> Array:
    """Times of events as float64; dates and durations are refused, because events are seconds."""
    array = np.asarray(as_numpy(part))
    if array.dtype.kind not in "biufO":
        raise TypeError(f"they are {array.dtype}")
    return array.astype(float)


def _start_and_duration(spans: Array) -> tuple[Array, Array]:
    """First time (N, 1) and duration (N, 1) of spans (N, 2); a duration of 0 is replaced by 1."""
    duration = np.diff(spans)
    return spans[:, :1], np.where(duration > 0, duration, 1.0)
