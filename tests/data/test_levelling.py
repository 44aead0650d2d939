"""Levelling: gains, offsets, trends and spikes are taken out where they are chance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.data.levelling import (
    level_scaler,
    levelled,
    levelling_and_contrast,
    reason_to_level,
    trend,
)


def ramps(n: int = 30, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Waves (n, 1, 50) of two kinds, and the same with a random gain, offset and trend each."""
    generator = torch.Generator().manual_seed(seed)
    time, row = torch.linspace(0, 1, 50), torch.arange(n)[:, None]
    x = torch.sin(6 * torch.pi * time) * (row % 2) + torch.cos(4 * torch.pi * time) * (1 - row % 2)
    x = x + 0.05 * torch.randn(x.shape, generator=generator)
    gain, offset, trend = torch.randn(3, n, 1, generator=generator)
    return x[:, None], ((0.5 * gain).exp() * x + 3 * offset + 4 * trend * time)[:, None]


def test_levelled_has_no_gain_or_trend() -> None:
    """They change nothing, and the result has mean 0 and spread 1, gaps left out."""
    x, moved = ramps()
    torch.testing.assert_close(levelled(moved), levelled(x), atol=2e-4, rtol=0)
    x[:, :, :9] = torch.nan
    y = levelled(x)
    assert y[:, :, :9].isnan().all() and y[:, :, 9:].isfinite().all()
    torch.testing.assert_close(y[:, 0, 9:].mean(1), torch.zeros(30), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[:, 0, 9:].std(1, correction=0), torch.ones(30))


def test_spikes_of_one_step_are_gone() -> None:
    """A single value far off changes its neighbourhood only."""
    x, _ = ramps()
    spiked = x.clone()
    spiked[:, :, 20] += 8.0
    assert (levelled(spiked) - levelled(x)).abs().max() < 0.5


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 2, 2), (3, 1, 3)])
def test_short_series_are_levelled(shape: tuple[int, ...]) -> None:
    """Constant and short series give finite values."""
    assert levelled(torch.ones(shape)).isfinite().all()


def test_contrast_decides() -> None:
    """Series are levelled where gains and trends hide their kinds, and not where they do not."""
    x, moved = ramps()
    (is_levelled, contrast), (stays, plain) = map(levelling_and_contrast, (moved, x))
    assert is_levelled and not stays and min(contrast, plain) > 1
    assert levelling_and_contrast(x[:2]) == (False, 1.0)


def test_levelled_is_scaled_without_trend() -> None:
    """The scale of a series and its trend give the levelled series, spikes aside."""
    _, moved = ramps()
    scaled = torch.from_numpy(level_scaler(moved.numpy()).apply(moved.numpy()))
    rest = scaled - trend(scaled)
    assert (rest - levelled(scaled)).abs().median() < 0.05
    torch.testing.assert_close(levelled(scaled), levelled(moved), atol=1e-3, rtol=0)


def test_large_offsets_keep_digits() -> None:
    """A series far from 0 is levelled as one at 0, and constant series become 0."""
    x = ramps()[0].double().numpy()
    near, far = level_scaler(x).apply(x), level_scaler(x + 1e8).apply(x + 1e8)
    assert abs(near - far).max() < 1e-4
    flat = np.full((2, 1, 30), 1e8)
    assert not level_scaler(flat).apply(flat).any()


def test_trends_are_a_reason_to_level() -> None:
    """Trends that hide kinds are one; clean series, few of them and short ones have none."""
    x, moved = (part.numpy() for part in ramps(60))
    assert "as far apart" in reason_to_level(moved) and not reason_to_level(x)
    assert not reason_to_level(moved[:11]) and not reason_to_level(moved[:, :, :23])
    assert not reason_to_level(np.zeros((20, 1, 30)))


def test_levels_that_tell_kinds_stay() -> None:
    """Without trends and spikes the sizes of series may be their kinds."""
    generator = np.random.default_rng(0)
    wave = np.sin(np.linspace(0, 9, 60))
    x = wave * (1 + np.arange(40) % 4)[:, None] + 0.02 * generator.normal(size=(40, 60))
    assert not reason_to_level(x[:, None])
