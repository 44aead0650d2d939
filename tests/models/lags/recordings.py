"""Series with known lags."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def delayed(
    n: int = 24, length: int = 120, reach: int = 20, noise: float = 0.05, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Pieces (N, 1, T) of one smooth recording, and their whole lags (N,)."""
    rng = np.random.default_rng(seed)
    recording = np.convolve(rng.normal(size=length + 2 * reach + 20), np.hanning(21), "valid")
    lags = rng.integers(-reach, reach + 1, n)
    x = np.stack([recording[reach - lag : reach - lag + length] for lag in lags])
    x = x / recording.std() + noise * rng.normal(size=x.shape)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(lags).float()


def periodic(
    n: int = 24, length: int = 120, period: float = 30.0, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Periodic series (N, 1, T) with some noise, and their phases (N,) in cycles."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(size=(n, 1))
    angle = 2 * np.pi * (np.arange(length) / period - phase)
    x = np.exp(np.cos(angle)) + 0.3 * np.sin(2 * angle) + 0.05 * rng.normal(size=angle.shape)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(phase[:, 0]).float()


def deviations(lags: Tensor, truth: Tensor) -> Tensor:
    """Absolute errors (N,) of lags, relative to their median."""
    errors = lags - truth
    return (errors - errors.median()).abs()
