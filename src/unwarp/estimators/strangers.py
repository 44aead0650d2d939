"""Strangers: series that share nothing with the others of a collection.

A stranger, such as a blank, a failed recording or a recording of something else, has no near
neighbours. Its distance to the third nearest series is judged, because up to three strangers may be
alike.
"""

from __future__ import annotations

import numpy as np

from unwarp.core import Array

RANK_OF_NEIGHBOUR = 3
"""The neighbour whose distance is judged."""

MIN_DEVIATIONS = 4.0
"""Least logarithm of a stranger's distance above the median, in robust standard deviations."""

MIN_FACTOR = 1.25
"""Least factor by which the distance of a stranger exceeds the median."""

MIN_SERIES = 12
"""Least number of series; among fewer, none counts as a stranger."""

DEVIATION_OF_MAD = 1.4826
"""Standard deviation of normal numbers over their median absolute deviation."""


def third_neighbours(distances: Array, has_self: bool = False) -> Array:
    """Distances (2, N) to the third nearest reference series.

    Args:
        distances: Distances of values and of slopes (2, N, M).
        has_self: Whether the series are the references; then none is its own neighbour.
    """
    rank = min(RANK_OF_NEIGHBOUR + has_self, distances.shape[2]) - 1
    return np.asarray(np.partition(distances, rank, axis=2)[:, :, rank])


def are_strangers(thirds: Array) -> Array:
    """Whether each series is a stranger.

    Distances of values and of slopes are divided by their medians and added. A series is a stranger
    if the logarithm of its sum exceeds the median by four robust standard deviations, and the sum
    itself is larger by a quarter.

    Args:
        thirds: Distances of values and of slopes to the third nearest series (2, N).

    Returns:
        Flags (N,).

    >>> thirds = np.random.default_rng(0).uniform(1, 1.5, (2, 40))
    >>> thirds[:, 7] = 9
    >>> np.flatnonzero(are_strangers(thirds)).tolist()
    [7]
    """
    medians = np.median(thirds, axis=1, keepdims=True)
    n = thirds.shape[1]
    if n < MIN_SERIES or not (medians > 0).all():
        return np.zeros(n, bool)
    logs = np.log(np.maximum((thirds / medians).sum(0), 1e-12))
    excess = logs - np.median(logs)
    deviation = DEVIATION_OF_MAD * np.median(np.abs(excess))
    return np.asarray(excess > max(MIN_DEVIATIONS * deviation, np.log(MIN_FACTOR)))


def describe_strangers(is_stranger: Array) -> str:
    """A message for people about the strangers of a collection.

    Args:
        is_stranger: Flags (N,).

    >>> describe_strangers(np.array([False, True, False]))
    'strangers: 1 of 3 series share nothing with the others (outlier_): row 1'
    """
    rows = np.flatnonzero(is_stranger)
    names = ", ".join(map(str, rows[:10].tolist())) + (", ..." if len(rows) > 10 else "")
    noun = "row" if len(rows) == 1 else "rows"
    return (
        f"strangers: {len(rows)} of {len(is_stranger)} series share nothing with the others "
        f"(outlier_): {noun} {names}"
    )
