"""Small series, with gaps, of unequal lengths or without timing, and a model of series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from unwarp import AE, CosineTime, Unwarper
from unwarp.models import Net

NAN = float("nan")
RECIPE = AE(
    warp=CosineTime(4),
    n_content=3,
    refinements=0,
    views=0.0,
    padding="border",
    net=Net("mlp", (8,), (8,)),
)
LENGTHS = (20, 33, 27, 40, 25, 31)


def fit_series(X: Any, times: Any = None, **arguments: Any) -> Unwarper:
    """A model of two steps with weights changed at random, so that its poses are no identities."""
    unwarper = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu", **arguments).fit(
        X, times=times
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in unwarper.model_.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return unwarper


def waves(lengths: Any = LENGTHS, channels: int | None = None) -> list[np.ndarray[Any, Any]]:
    """Series with two cycles each, from different phases."""
    rng = np.random.default_rng(0)
    rows = [
        np.sin(4 * np.pi * np.linspace(0, 1, n) + rng.uniform(0, 1, (channels or 1, 1)))
        for n in lengths
    ]
    return [row if channels else row[0] for row in rows]


def waves_with_gaps() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Series (12, 40) without gaps, and a mask that is True for observed values."""
    X = np.stack(waves([40] * 12)).astype(np.float32)
    is_observed = np.random.default_rng(1).random(X.shape) > 0.2
    is_observed[:, [0, -1]] = True
    return X, is_observed


def levels(n: int = 60, length: int = 64, seed: int = 0) -> torch.Tensor:
    """Series (n, 1, length) that differ in the heights of three waves and in noise, not in time."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.linspace(0, 1, length)
    basis = torch.stack([torch.sin(2 * math.pi * k * time) for k in (1, 2, 3)])
    return (
        torch.randn(n, 3, generator=generator) @ basis
        + 0.3 * torch.randn(n, length, generator=generator)
    )[:, None]
