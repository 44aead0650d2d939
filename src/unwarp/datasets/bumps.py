"""Sums of Gaussian bumps, hurried and delayed: synthetic series whose true deformations are known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.warps import CosineTime

Bumps = tuple[tuple[float, float, float], ...]
CLASSES: tuple[Bumps, ...] = (
    ((0.30, 0.05, 1.0), (0.70, 0.05, 1.0)),
    ((0.30, 0.05, 1.0), (0.70, 0.05, -1.0)),
    ((0.25, 0.05, 1.0), (0.50, 0.05, 0.6), (0.75, 0.05, 1.0)),
    ((0.50, 0.12, 1.2),),
)
"""Place, width (of the Gaussian, both in lengths of the series) and height of each bump of each class."""
SPREAD = 0.4


def load(
    part: str = "train", *, n_per_class: int = 50, length: int = 128, noise: float = 0.02
) -> Dataset:
    """Series (4 `n_per_class`, 1, length) of four classes; each is its class's template under a map of its own, and noise.

    The log speed of a map is a sum of four cosines with weights uniform up to 0.8 / k, less its normaliser. Neighbours
    share an id: they are one template under two known maps, which is what recovery is measured on.

    Args:
        part: `train` or `test`, which differ in their maps and their noise.
        n_per_class: Series of each class, an even number.
        length: Samples of each series.
        noise: Standard deviation of the noise on every sample.

    Raises:
        DataError: Another part, or an odd number of series.
    """
    if part not in ("train", "test"):
        raise DataError(f"part={part!r} is unknown; choose train or test")
    if n_per_class < 2 or n_per_class % 2:
        raise DataError(
            f"n_per_class={n_per_class} must be an even number of series a class, as they come in pairs"
        )
    generator = torch.Generator().manual_seed(("train", "test").index(part))
    labels = np.repeat(np.arange(len(CLASSES)), n_per_class)
    maps = CosineTime(waves=4, size=(length,)).sample(len(labels), generator, SPREAD)
    times = maps.pull(torch.linspace(0, 1, length)[:, None])[..., 0]
    x = torch.cat(
        [
            template(bumps, rows)
            for bumps, rows in zip(CLASSES, torch.split(times, n_per_class), strict=True)
        ]
    )[:, None]
    noisy = x + noise * torch.randn(x.shape, generator=generator)
    return Dataset(
        noisy, "bumps", "made here", "none needed", labels, np.arange(len(labels)) // 2, maps
    )


def template(bumps: Bumps, time: Tensor) -> Tensor:
    """The sum of `bumps` at `time` (...), from 0 to 1."""
    place, width, height = time.new_tensor(bumps).T
    waves: Tensor = height * (-((time[..., None] - place) / width).square() / 2).exp()
    return waves.sum(-1)
