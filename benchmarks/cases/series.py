"""Series with known clocks, lags or warps (NumPy and SciPy alone)."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Sequence
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
        x: N series (T_i,), or (C, T) of several channels.
        events: Observed times of the same events in each series, (N,) for one event or (N, K); NaN
            if it has none.
        times: Time stamps of each series, N arrays (T_i,); None if there are none.
        kinds: Kind of each series (N,), -1 for those that share nothing with others; None if all
            are of one kind.
    """

    x: list[Array]
    events: Array
    times: list[Array] | None = None
    kinds: Array | None = None


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
    rng = np.random.default_rng(seed)
    grid, observed = smooth_maps(n, rng, 0.3)
    lag, times = rng.uniform(-reach, reach, (n, 1)), np.linspace(0, 1, length)
    x = np.stack([shape(np.interp(times - lag[i], observed[i], grid)) for i in range(n)])
    places = [place for place, _, _ in BUMPS]
    events = np.stack([np.interp(places, grid, row) for row in observed]) + lag
    return SeriesCase([*(x + 0.03 * rng.normal(size=x.shape))], events * (length - 1))


def smooth_maps(n: int, rng: np.random.Generator, amount: float) -> tuple[Array, Array]:
    """Smooth increasing maps from template times to observed times.

    Args:
        n: Number of maps.
        rng: Source of randomness.
        amount: Standard deviation of the log speed of the slowest wave.

    Returns:
        Template times (513,) from 0 to 1, and observed times (n, 513).
    """
    grid, waves = np.linspace(0, 1, 513), np.arange(1, 4)[:, None]
    speed = np.exp((rng.normal(0, amount, (n, 3)) / waves[:, 0]) @ np.cos(np.pi * waves * grid))
    steps = np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, 1)
    return grid, np.c_[np.zeros(n), steps] / steps[:, -1:]


def _at(places: Sequence[float] | Array, grid: Array, observed: Array) -> Array:
    """Observed times (N, K) of template times (K,)."""
    return np.stack([np.interp(places, grid, row) for row in observed])


def stretched(seed: int = 0, n: int = 60) -> SeriesCase:
    """A shape at lengths of 40 to 400 steps with smooth warps: lengths mean nothing.

    Args:
        seed: Seed of lengths, warps and noise.
        n: Number of series.
    """
    rng = np.random.default_rng(seed)
    lengths, (grid, observed) = rng.integers(40, 401, n), smooth_maps(n, rng, 0.3)
    x = [
        shape(np.interp(np.linspace(0, 1, length), row, grid)) + 0.03 * rng.normal(size=length)
        for length, row in zip(lengths, observed, strict=True)
    ]
    places = [place for place, _, _ in BUMPS]
    return SeriesCase(x, _at(places, grid, observed) * (lengths[:, None] - 1))


def steps(seed: int = 0, n: int = 60, length: int = 200) -> SeriesCase:
    """Constant levels with three edges under smooth warps: nothing to see between the edges.

    Args:
        seed: Seed of the warps.
        n: Number of series.
        length: Number of steps of a series.
    """
    grid, observed = smooth_maps(n, np.random.default_rng(seed), 0.4)
    times, edges = np.linspace(0, 1, length), np.array([0.25, 0.5, 0.75])
    levels = np.array([0.0, 1.0, 2.0, 0.5])
    x = [levels[np.searchsorted(edges, np.interp(times, row, grid))] for row in observed]
    return SeriesCase(x, _at(edges, grid, observed) * (length - 1))


def chromatograms(seed: int = 0, n: int = 36, length: int = 2000, n_peaks: int = 120) -> SeriesCase:
    """Narrow peaks under a smooth drift of a few dozen steps, and three blanks of kind 0.

    Args:
        seed: Seed of peaks, drift, baselines and noise.
        n: Number of series.
        length: Number of steps of a series.
        n_peaks: Number of peaks; their apexes are the events.
    """
    rng, steps_of_time = np.random.default_rng(seed), np.arange(length)
    places = np.sort(rng.uniform(60, length - 60, n_peaks)) / (length - 1)
    widths, heights = rng.uniform(2, 4, n_peaks), rng.lognormal(0, 1, n_peaks)
    apexes = _at(places, *smooth_maps(n, rng, 0.02)) * (length - 1)
    heights = heights * rng.lognormal(0, 0.4, (n, n_peaks))
    x = np.stack([
        height @ np.exp(-0.5 * ((steps_of_time - apex[:, None]) / widths[:, None]) ** 2)
        for height, apex in zip(heights, apexes, strict=True)
    ])  # fmt: skip
    hump, slope = np.sin(np.pi * steps_of_time / length), steps_of_time / length
    x += 0.5 * hump * rng.uniform(0, 1, (n, 1)) + 0.3 * slope * rng.normal(size=(n, 1))
    blanks = [0, n // 2, n - 3]
    x[blanks] = 0.3 * hump
    kinds = np.ones(n, int)
    kinds[blanks] = 0
    return SeriesCase([*(x + 0.02 * rng.normal(size=x.shape))], apexes, kinds=kinds)


def clusters(seed: int = 0, n: int = 90, length: int = 160) -> SeriesCase:
    """Three shapes with warps, gains, baselines, trends and spikes, and three strangers.

    Args:
        seed: Seed of all randomness.
        n: Number of series.
        length: Number of steps of a series.
    """
    rng, kinds, times = np.random.default_rng(seed), np.arange(n) % 3, np.linspace(0, 1, length)
    grid, observed = smooth_maps(n, rng, 0.4)
    shares = np.stack([np.interp(times, row, grid) for row in observed])
    two = 1.2 * np.exp(-0.5 * ((shares - 0.3) / 0.04) ** 2)
    two += np.exp(-0.5 * ((shares - 0.7) / 0.08) ** 2)
    waves = np.sin(6 * np.pi * shares) * (shares > 0.2)
    bumps = np.stack([shape(row) for row in shares])
    x = np.where(kinds[:, None] == 0, bumps, np.where(kinds[:, None] == 1, two, waves))
    x = x * rng.lognormal(0, 0.3, (n, 1)) + rng.normal(0, 0.5, (n, 1))
    x += rng.normal(0, 0.5, (n, 1)) * np.linspace(-0.5, 0.5, length)
    x += 0.05 * rng.normal(size=x.shape)
    x[:3] = rng.normal(size=(3, length)).cumsum(1) / 5
    x[rng.uniform(size=x.shape) < 0.002] += 8
    kinds[:3] = -1
    return SeriesCase([*x], _at([0.3, 0.5, 0.7], grid, observed) * (length - 1), kinds=kinds)


def trials(seed: int = 0, n: int = 60, n_channels: int = 64, length: int = 500) -> SeriesCase:
    """Trials of many noisy channels that mix two shapes, under smooth warps.

    Args:
        seed: Seed of mixtures, warps and noise.
        n: Number of trials.
        n_channels: Number of channels.
        length: Number of steps of a trial.
    """
    rng = np.random.default_rng(seed)
    grid, observed = smooth_maps(n, rng, 0.2)
    weights, times = rng.normal(size=(n_channels, 2)), np.linspace(0, 1, length)
    clocks = [np.interp(times, row, grid) for row in observed]
    x = [weights @ np.stack([shape(clock), shape(1 - clock)]) for clock in clocks]
    events = _at([place for place, _, _ in BUMPS], grid, observed) * (length - 1)
    return SeriesCase([row + rng.normal(size=row.shape) for row in x], events)


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
