"""Agreement with clusters: undoing common timing raises it, undoing kinds lowers it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from unwarp.estimators import agreement
from unwarp.estimators.agreement import agreement_gain
from unwarp.models import AE
from unwarp.warps import Identity

KINDS = torch.arange(40) % 2
"""Kind of each series."""

GENERATOR = torch.Generator().manual_seed(0)


def peaks(late: Tensor, sd: float = 0.02) -> Tensor:
    """Noisy series (40, 1, 60), late by a share of the time; a half has a small second peak."""
    t, noise = torch.linspace(0, 1, 60), torch.randn(40, 60, generator=GENERATOR)
    first, second = (torch.exp(-0.5 * ((t - c - late[:, None]) / 0.03) ** 2) for c in (0.3, 0.5))
    return (first + 0.3 * KINDS[:, None] * second + sd * noise)[:, None]


def gain_of(x: Tensor, aligned: Tensor, monkeypatch: Any) -> tuple[float, float]:
    """The gain if a model aligned `x` to `aligned`."""
    monkeypatch.setattr(agreement, "align", lambda *parts, **options: aligned)
    return agreement_gain(AE(warp=Identity()).build(x.shape[1:], seed=0).eval(), x)


def test_common_timing_raises_agreement(monkeypatch: Any) -> None:
    """Aligned series of two kinds have neighbours of their cluster, late ones have not."""
    late = 0.2 * torch.rand(40, generator=GENERATOR.manual_seed(0))
    gain, error = gain_of(peaks(late), peaks(torch.zeros(40)), monkeypatch)
    assert gain > 0.02 and 0 < error < gain


def test_lost_kinds_lower_agreement(monkeypatch: Any) -> None:
    """Series without what their kinds differ in have neighbours of another cluster."""
    noise = torch.randn(40, 1, 60, generator=GENERATOR.manual_seed(0))
    gain, error = gain_of(peaks(torch.zeros(40)), noise, monkeypatch)
    assert gain < -0.2 and error < 0.1


def test_unchanged_series_gain_nothing(monkeypatch: Any) -> None:
    """Series that a warp leaves as they are have no gain and no error, also with gaps."""
    x = peaks(torch.zeros(40))
    x[3, 0, 5:9] = math.nan
    assert gain_of(x, x, monkeypatch) == (0.0, 0.0)
