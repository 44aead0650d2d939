"""Evidence that the lengths of series mean nothing.

Series that share a clock start together, and the shorter ones stop early. Recordings of the same
event at another pace end together, too: then each is stretched to one length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unwarp.core import Array

MAX_SERIES, STEPS = 80, 64
"""Largest number of series that are compared, and number of steps of each comparison."""

MIN_RATIO_OF_LENGTHS = 1.25
"""A series is compared with those that are longer by at least this factor."""

MIN_SERIES, MIN_LONGER_SERIES = 5, 3
"""Least number of series with at least so many longer ones; with fewer, the clock is kept."""

DEVIATIONS = 1.645
"""The share of series for stretching must exceed one half by this many standard errors (5 %)."""


def stretching_evidence(rows: Sequence[Array]) -> str:
    """Evidence that series of unequal lengths should be stretched.

    The second half of each series is compared with longer series: with their values at the same
    time since the start, and with their values at the same share of their length. If significantly
    more than half of the series have a nearer neighbour in the second way, and the distance itself
    is smaller, the lengths mean nothing.

    Args:
        rows: Series (C, T_i) at one rate; NaN for missing values.

    Returns:
        The evidence in words; empty if there is none.
    """
    sample = _standardise(_choose(rows))
    pairs = [pair for i in range(len(sample)) if (pair := _distances(sample, i)) is not None]
    if len(pairs) < MIN_SERIES:
        return ""
    clock, stretch = np.maximum(np.array(pairs), np.finfo(float).tiny).T
    wins = stretch < clock
    is_significant = wins.mean() > 0.5 + DEVIATIONS * math.sqrt(0.25 / len(pairs))
    if not is_significant or np.median(np.log(clock / stretch)) <= 0:
        return ""
    return (
        f"{wins.sum()} of {len(pairs)} series end like longer ones rather than stop on the way "
        f"(distance to the nearest {np.median(stretch):.2g} at the same share of the length, "
        f"{np.median(clock):.2g} at the same time)"
    )


def _choose(rows: Sequence[Array]) -> list[Array]:
    """At most `MAX_SERIES` of the series, evenly chosen, without missing values."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), MAX_SERIES)).round().astype(int)
    return [_fill(np.asarray(rows[place], float)) for place in places]


def _fill(row: Array) -> Array:
    """A series (C, T) with missing values interpolated; channels without any value become 0."""
    steps = np.arange(row.shape[1])
    result = np.zeros(row.shape)
    for channel, values in enumerate(row):
        is_observed = np.isfinite(values)
        if is_observed.any():
            result[channel] = np.interp(steps, steps[is_observed], values[is_observed])
    return result


def _standardise(rows: list[Array]) -> list[Array]:
    """Series with channels of mean 0 and standard deviation 1 over all of them."""
    values = np.concatenate(rows, 1)
    mean, deviation = values.mean(1, keepdims=True), values.std(1, keepdims=True)
    return [(row - mean) / np.where(deviation > 0, deviation, 1.0) for row in rows]


def _distances(rows: list[Array], i: int) -> tuple[float, float] | None:
    """Least squared distances of series `i` to longer ones: by the clock, and stretched."""
    last = rows[i].shape[1] - 1
    longer = [row for row in rows if row.shape[1] - 1 >= MIN_RATIO_OF_LENGTHS * last]
    if len(longer) < MIN_LONGER_SERIES or last < 1:
        return None
    shares = np.linspace(0.5, 1, STEPS)
    x = _values_at(rows[i], shares * last)
    clock = min(_error(row, shares * last, x) for row in longer)
    stretch = min(_error(row, shares * (row.shape[1] - 1), x) for row in longer)
    return clock, stretch


def _error(row: Array, steps: Array, x: Array) -> float:
    """Mean squared difference of a series at fractional steps (K,) from values (C, K)."""
    return float(((_values_at(row, steps) - x) ** 2).mean())


def _values_at(row: Array, steps: Array) -> Array:
    """Values of a series (C, T) at fractional steps (K,), by linear interpolation."""
    return np.stack([np.interp(steps, np.arange(row.shape[1]), values) for values in row])
