"""Series with known clocks, lags or warps (NumPy and SciPy alone)."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from unwarp.core import Array

PERIOD = 60.0
"""Period of `phase`, in time steps."""

BUMPS = ((0.2, 0.03, 1.0), (0.45, 0.05, -0.7), (0.62, 0.025, 1.3), (0.85, 0.04, 0.6))
"""Place, width and height of the bumps of a shape, in shares of its length."""


@dataclass(frozen=True, eq=False)
class SeriesCase:
    """Series with a known event each.

    Attributes:
        x: N series (T_i,).
        events: Observed times of the same events in each series, (N,) for one event or (N, K); NaN
            if it has none.
        times: Time stamps of each series, N arrays (T_i,); None if there are none.
    """

    x: list[Array]
    events: Array
    times: list[Array] | None = None


def shape(shares: Array) -> Array:
    """Values of a shape with four bumps at shares of its length."""
    return np.sum([h * np.exp(-0.5 * ((shares - a) / w) ** 2) for a, w, h in BUMPS], 0)


def lags(seed: int = 0, n: int = 48, length: int = 400, reach: int = 60) -> SeriesCase:
    """Pieces of one recording that began at different whole steps, with noise of 0.1.

    Args:
        seed: Seed of recording, lags and noise.
        n: Number of series.
        length: Number of steps of a series.
        reach: Greatest lag in steps.
    """
    rng = np.random.default_rng(seed)
    smooth = butter(3, 0.06, output="sos")
    recording = sosfiltfilt(smooth, rng.normal(size=length + 2 * reach))
    lag = rng.integers(-reach, reach + 1, n)
    x = np.stack([recording[reach - k : reach - k + length] for k in lag]) / recording.std()
    return SeriesCase([*(x + 0.1 * rng.normal(size=x.shape))], length / 2 + lag)


def phase(seed: int = 0, n: int = 60, length: int = 240, period: float = PERIOD) -> SeriesCase:
    """A periodic signal at any phase, with noise of 0.1.

    Args:
        seed: Seed of phases and noise.
        n: Number of series.
        length: Number of steps of a series.
        period: Number of steps of a period; lags are circular in it.
    """
    rng = np.random.default_rng(seed)
    cycles = rng.uniform(0, 1, (n, 1))
    angle = 2 * np.pi * (np.arange(length) / period - cycles)
    x = np.exp(2 * np.cos(angle)) + 0.5 * np.cos(2 * angle + 1)
    return SeriesCase([*(x + 0.1 * rng.normal(size=x.shape))], length / 2 + period * cycles[:, 0])


def drift(seed: int = 0, n: int = 60, length: int = 300, reach: float = 0.15) -> SeriesCase:
    """A shape with smooth warps and, besides, lags of a share of its length; noise of 0.03.

    Args:
        seed: Seed of warps, lags and noise.
        n: Number of series.
        length: Number of steps of a series.
        reach: Greatest lag, in lengths.
    """
    rng, grid = np.random.default_rng(seed), np.linspace(0, 1, 513)
    waves = np.arange(1, 4)[:, None]
    speed = np.exp((rng.normal(0, 0.3, (n, 3)) / waves[:, 0]) @ np.cos(np.pi * waves * grid))
    steps = np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, 1)
    observed = np.c_[np.zeros(n), steps] / steps[:, -1:]
    lag, times = rng.uniform(-reach, reach, (n, 1)), np.linspace(0, 1, length)
    x = np.stack([shape(np.interp(times - lag[i], observed[i], grid)) for i in range(n)])
    places = [place for place, _, _ in BUMPS]
    events = np.stack([np.interp(places, grid, row) for row in observed]) + lag
    return SeriesCase([*(x + 0.03 * rng.normal(size=x.shape))], events * (length - 1))


def chromatograms(seed: int = 0, n: int = 36, length: int = 2000) -> SeriesCase:
    """Narrow peaks of all heights under a slow drift of times, baselines, and three blanks.

    The times of peaks (n, 120) are NaN in the blanks, which should stay as they are.

    Args:
        seed: Seed of peaks, drifts, baselines and noise.
        n: Number of series.
        length: Number of steps of a series.
    """
    rng, grid = np.random.default_rng(seed), np.linspace(0, 1, 513)
    n_peaks, steps = 120, np.arange(length)
    place = np.sort(rng.uniform(60, length - 60, n_peaks)) / (length - 1)
    width, height = rng.uniform(2, 4, n_peaks), rng.lognormal(0, 1, n_peaks)
    waves = np.arange(1, 4)[:, None]
    speed = np.exp((rng.normal(0, 0.02, (n, 3)) / waves[:, 0]) @ np.cos(np.pi * waves * grid))
    run = np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, 1)
    observed = np.c_[np.zeros(n), run] / run[:, -1:]
    times = np.stack([np.interp(place, grid, row) for row in observed]) * (length - 1)
    heights = height * rng.lognormal(0, 0.4, (n, n_peaks))
    times[[0, n // 2, n - 3]] = np.nan
    x = 0.3 * rng.uniform(0, 1, (n, 1)) * np.sin(np.pi * steps / length)
    x += 0.02 * rng.normal(size=x.shape)
    for row, late in enumerate(times):
        bumps = heights[row, :, None] * np.exp(
            -0.5 * ((steps - late[:, None]) / width[:, None]) ** 2
        )
        x[row] += np.nan_to_num(bumps).sum(0)
    return SeriesCase([*x], times)


def prefixes(seed: int = 0, n: int = 60, longest: int = 400) -> SeriesCase:
    """Recordings of one process at one pace that were stopped early: nothing should move.

    Args:
        seed: Seed of lengths and noise.
        n: Number of series.
        longest: Number of steps of the whole process; the event is its step 80.
    """
    rng, whole = np.random.default_rng(seed), shape(np.linspace(0, 1, longest))
    lengths = rng.integers(40, longest + 1, n)
    x = [whole[:length] + 0.03 * rng.normal(size=length) for length in lengths]
    return SeriesCase(x, np.where(lengths > 81, 80.0, np.nan))


def growth(seed: int = 0, n: int = 80) -> SeriesCase:
    """Growth rates at irregular ages, with a spurt at the age of 11 to 15: ages are real.

    Args:
        seed: Seed of ages, spurts and noise.
        n: Number of series.
    """
    rng, x, times, spurts = np.random.default_rng(seed), [], [], _spurts(seed, n)
    for spurt in spurts:
        ages = np.sort(rng.choice(np.arange(3, 18, 0.25), rng.integers(20, 35), replace=False))
        rate = 6 - 0.25 * ages + 4 * np.exp(-0.5 * ((ages - spurt) / 0.8) ** 2)
        x.append(rate + 0.2 * rng.normal(size=len(ages)))
        times.append(ages)
    return SeriesCase(x, spurts, times)


def _spurts(seed: int, n: int) -> Array:
    """Ages of n spurts."""
    return np.random.default_rng(1000 + seed).normal(13, 1, n)


def days_of_meters(seed: int = 0, days: int = 30) -> str:
    """A long table of days across the end of summer time in Berlin, with a peak at 19:00.

    Args:
        seed: Seed of the noise.
        days: Number of days.

    Returns:
        The text of a CSV file with the columns id, time (with its offset from UTC) and kwh.
    """
    rng, zone = np.random.default_rng(seed), zoneinfo.ZoneInfo("Europe/Berlin")
    midnight, lines = datetime.datetime(2024, 10, 20, tzinfo=zone), ["id,time,kwh"]
    for day in range(days):
        start, end = (midnight + datetime.timedelta(days=k) for k in (day, day + 1))
        moment = start.astimezone(datetime.UTC)
        while moment < end.astimezone(datetime.UTC):
            local = moment.astimezone(zone)
            hour = local.hour + local.minute / 60
            kwh = 0.2 + 1.2 * np.exp(-0.5 * ((hour - 19) / 1.5) ** 2) + 0.01 * rng.normal()
            lines.append(f"{start.date()},{local.isoformat()},{kwh:.4f}")
            moment += datetime.timedelta(minutes=15)
    return "\n".join(lines) + "\n"
