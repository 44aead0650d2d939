"""Small series, with gaps and of unequal lengths, and a model of them."""

from __future__ import annotations

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


def learned(X: Any, times: Any = None, **choices: Any) -> Unwarper:
    """A model of two steps whose weights are then moved, so that its poses are no identities."""
    u = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu", **choices).fit(
        X, times=times
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in u.model_.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return u


def waves(lengths: Any = LENGTHS, channels: int | None = None) -> list[np.ndarray[Any, Any]]:
    """Two cycles a series, from different phases."""
    rng = np.random.default_rng(0)
    rows = [
        np.sin(4 * np.pi * np.linspace(0, 1, n) + rng.uniform(0, 1, (channels or 1, 1)))
        for n in lengths
    ]
    return [row if channels else row[0] for row in rows]


def waves_with_gaps() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Series (12, 40) without gaps, and where they were observed."""
    X = np.stack(waves([40] * 12)).astype(np.float32)
    seen = np.random.default_rng(1).random(X.shape) > 0.2
    seen[:, [0, -1]] = True
    return X, seen
