"""Templates of noisy pictures in any pose, by expectation maximisation.

fit_bank            templates of a given number of kinds, the best of several random starts
held_out_evidence   log evidence of pictures under templates of others
choose_number       the number of kinds
merge               kinds without those that are copies of others
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from unwarp.models.scan.grid import Grid
from unwarp.models.scan.matching import SMALLEST, Bank, expect, likeness

N_STARTS, N_STARTS_OF_TRIAL, N_STEPS = 4, 2, 12
"""Random starts, those for held-out evidence, and steps of expectation maximisation."""

MIN_NOISE = 1e-3
"""Least variance of the noise, in variances of a picture."""

MIN_SPREAD_PX, MIN_SPREAD_RAD, MIN_SPREAD_LOG_SCALE = 0.3, math.radians(5), 0.05
"""Least standard deviations of shifts, of angles and of log scales."""

MAX_KINDS = 8
"""Greatest number of kinds."""

MIN_PICTURES_PER_KIND = 8
"""Least number of pictures for each kind, of half of the pictures."""

MAX_PICTURES_FOR_NUMBER = 240
"""Greatest number of pictures by which the number of kinds is chosen."""

STANDARD_ERRORS, MIN_SHARE_OF_GAIN = 2.0, 0.25
"""What one more kind must gain: this many standard errors, and this share of the largest gain."""

MIN_LIKENESS, MAX_NOISE_FOR_MERGING = 0.9, 0.6
"""Correlation of templates from which they are one kind, where the noise is less than this."""


def fit_bank(
    x: Tensor, n: int, grid: Grid, *, seed: int = 0, n_starts: int = N_STARTS
) -> tuple[Bank, Tensor]:
    """Templates of a number of kinds, from several random starts.

    Args:
        x: Standardised pictures (N, C, H, W).
        n: Number of kinds.
        grid: The poses.
        seed: Seed of the first start.
        n_starts: Number of random starts.

    Returns:
        The templates, and the log evidence of the pictures (N,).
    """
    starts = (improve(x, _random(x, n, grid, seed + i), grid) for i in range(n_starts))
    return max(starts, key=lambda start: float(start[1].sum()))


def _random(x: Tensor, n: int, grid: Grid, seed: int) -> Bank:
    """Means of pictures of random kinds in random poses."""
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.randint(n, (len(x),), generator=generator).to(x.device)
    turns = torch.randint(len(grid.table), (len(x),), generator=generator).to(x.device)
    turned = grid.turns[turns].invert()(x)
    values = x.new_zeros(n, *x.shape[1:]).index_add_(0, kinds, turned)
    counts = torch.bincount(kinds, minlength=n).clamp_min(1)
    spread = x.new_tensor([max(1.0, grid.reach / 2), math.radians(60), math.log(2)])
    shares = x.new_full((n,), 1 / n)
    return Bank(values / counts[:, None, None, None], shares, x.new_ones(()), spread)


def improve(x: Tensor, bank: Bank, grid: Grid, n_steps: int = N_STEPS) -> tuple[Bank, Tensor]:
    """Templates after steps of expectation maximisation, and the log evidence (N,).

    Args:
        x: Standardised pictures (N, C, H, W).
        bank: The first templates.
        grid: The poses.
        n_steps: Number of steps.
    """
    least = x.new_tensor([MIN_SPREAD_PX, MIN_SPREAD_RAD, MIN_SPREAD_LOG_SCALE])
    for _ in range(n_steps):
        sums = expect(x, bank, grid)
        noise = (sums.squares / x.numel()).clamp_min(MIN_NOISE)
        counts = sums.counts.clamp_min(SMALLEST)
        values = smooth(sums.templates / counts[:, None, None, None], noise / counts)
        spread = (sums.spread / len(x)).sqrt().maximum(least)
        bank = Bank(values, sums.counts / len(x), noise, spread)
    return bank, expect(x, bank, grid).evidence


def smooth(values: Tensor, noise: Tensor) -> Tensor:
    """Templates without the frequencies that their noise hides, by a Wiener filter.

    The power of a template is averaged over rings of frequencies.

    Args:
        values: Templates (K, C, H, W).
        noise: Variance of the noise of each template (K,).
    """
    size = values.shape[2:]
    spectrum = torch.fft.rfft2(values)
    y, x = torch.fft.fftfreq(size[0]) * min(size), torch.fft.rfftfreq(size[1]) * min(size)
    rings = torch.hypot(*torch.meshgrid(y, x, indexing="ij")).round().long().to(values.device)
    counts = torch.bincount(rings.flatten())
    power = spectrum.abs().square().mean(1).flatten(1) / math.prod(size)
    power = power.new_zeros(len(values), len(counts)).index_add_(1, rings.flatten(), power)
    power = power / counts
    gain = (1 - noise[:, None] / power.clamp_min(SMALLEST)).clamp(0, 1)
    filtered: Tensor = torch.fft.irfft2(spectrum * gain[:, rings][:, None], s=size)
    return filtered


def held_out_evidence(x: Tensor, n: int, grid: Grid, seed: int = 0) -> Tensor:
    """Log evidence (N,) of pictures under templates of others, in two folds.

    Args:
        x: Standardised pictures (N, C, H, W).
        n: Number of kinds.
        grid: The poses.
        seed: Seed of the folds and of the templates.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)).to(x.device)
    evidence = x.new_empty(len(x))
    for fold in range(2):
        training, test = order[1 - fold :: 2], order[fold::2]
        bank, _ = fit_bank(x[training], n, grid, seed=seed, n_starts=N_STARTS_OF_TRIAL)
        evidence[test] = expect(x[test], bank, grid).evidence
    return evidence


def choose_number(x: Tensor, grid: Grid, *, n_max: int = MAX_KINDS, seed: int = 0) -> int:
    """The number of kinds, by the log evidence of held-out pictures.

    It is raised while a kind more gains clearly, and much of the largest gain so far.

    Args:
        x: Standardised pictures (N, C, H, W).
        grid: The poses.
        n_max: Greatest number.
        seed: Seed of the folds and of the templates.
    """
    x = x[:MAX_PICTURES_FOR_NUMBER]
    n_max = min(n_max, len(x) // (2 * MIN_PICTURES_PER_KIND))
    if n_max < 2:
        return 1
    evidence, largest = held_out_evidence(x, 1, grid, seed), 0.0
    for n in range(2, n_max + 1):
        candidate = held_out_evidence(x, n, grid, seed)
        gains = candidate - evidence
        gain, error = float(gains.mean()), float(gains.std()) / math.sqrt(len(gains))
        if gain <= STANDARD_ERRORS * error or gain <= MIN_SHARE_OF_GAIN * largest:
            return n - 1
        evidence, largest = candidate, max(gain, largest)
    return n_max


def merge(bank: Bank, grid: Grid) -> Bank:
    """Templates without copies of others in another pose.

    Of two copies the more frequent one stays.

    Noisy templates stay as they are.

    Args:
        bank: The templates.
        grid: The poses.
    """
    if bank.noise >= MAX_NOISE_FOR_MERGING or bank.n < 2:
        return bank
    order = bank.shares.argsort(descending=True)
    values = bank.values[order]
    is_alike = likeness(values, values, grid) >= MIN_LIKENESS
    rows: list[int] = []
    for row in range(bank.n):
        if not is_alike[row, rows].any() and not is_alike[rows, row].any():
            rows.append(row)
    shares = bank.shares[order][rows]
    return replace(bank, values=values[rows], shares=shares / shares.sum())
