"""Lengths of series mean nothing only where the series show it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unwarp.core import Array
from unwarp.data.lengths import MAX_SERIES, stretching_evidence

RANDOM = np.random.default_rng(0)
BUMPS = ((0.2, 0.03, 1.0), (0.45, 0.05, -0.7), (0.62, 0.025, 1.3), (0.85, 0.04, 0.6))
"""Place, width and height of the bumps of a shape."""


def shape(shares: Array) -> Array:
    """The values of a shape at shares of its length."""
    return np.sum([h * np.exp(-0.5 * ((shares - a) / w) ** 2) for a, w, h in BUMPS], 0)


def stretched(seed: int) -> list[Array]:
    """The shape at any length, each warped smoothly."""
    rng = np.random.default_rng(seed)
    shares = [np.linspace(0, 1, length) for length in rng.integers(40, 401, 60)]
    bends = rng.normal(0, 0.1, 60)
    rows = [shape(u + bend * np.sin(np.pi * u)) for u, bend in zip(shares, bends, strict=True)]
    return [np.atleast_2d(row + 0.03 * rng.normal(size=len(row))) for row in rows]


def prefixes(seed: int) -> list[Array]:
    """The shape at one rate, stopped at any step."""
    rng = np.random.default_rng(seed)
    whole = shape(np.linspace(0, 1, 400))
    lengths = rng.integers(40, 401, 60)
    return [np.atleast_2d(whole[:n] + 0.03 * rng.normal(size=n)) for n in lengths]


def rows_of(make: Callable[[int], Array]) -> list[Array]:
    """Sixty series (1, T_i) of 40 to 400 steps."""
    return [np.atleast_2d(make(int(length))) for length in RANDOM.integers(40, 401, 60)]


@pytest.mark.parametrize("seed", range(3))
def test_stretched_series_are_found(seed: int) -> None:
    """Series of one shape at any length end alike, also if they are warped or have gaps."""
    rows = stretched(seed)
    assert "end like longer ones" in stretching_evidence(rows)
    rows[0][0, 5:9] = np.nan
    assert "end like longer ones" in stretching_evidence([np.r_[row, -row] for row in rows])


@pytest.mark.parametrize("seed", range(3))
def test_series_that_stop_early_keep_time(seed: int) -> None:
    """Series that were stopped early show no evidence for stretching."""
    assert not stretching_evidence(prefixes(seed))


@pytest.mark.parametrize(
    "make",
    [
        lambda length: RANDOM.normal(size=length),
        lambda length: RANDOM.normal(size=length).cumsum(),
        lambda length: np.sin(np.arange(length) / 7 + RANDOM.uniform(0, 6)),
        lambda length: np.full(length, np.nan),
    ],
)
def test_other_series_keep_time(make: Callable[[int], Array]) -> None:
    """Noise, random walks and oscillations at one rate show no evidence either."""
    assert not stretching_evidence(rows_of(make))


def test_few_series_keep_time() -> None:
    """Too few series of different lengths decide nothing; many cost no more than a sample."""
    rows = stretched(0)
    assert not stretching_evidence(rows[:4]) and not stretching_evidence(rows[:1] * 9)
    words = stretching_evidence(rows * 4)
    assert int(words.split(" of ")[1].split()[0]) <= MAX_SERIES
