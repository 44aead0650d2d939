"""Small synthetic pictures with known properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from unwarp.warps import Affine2d, Window


def smooth_noise(
    n: int, size: tuple[int, int], channels: int = 1, sigma: float = 2.5, seed: int = 0
) -> Tensor:
    """Filtered noise (N, C, H, W) in [0, 1], float32."""
    noise = np.random.default_rng(seed).normal(size=(n, channels, *size))
    field = gaussian_filter(noise, (0, 0, sigma, sigma), mode="reflect")
    low, high = field.min(), field.max()
    return torch.as_tensor((field - low) / (high - low), dtype=torch.float32)


def dot(size: tuple[int, int], centre: tuple[float, float] = (0.0, 0.0), sd: float = 0.1) -> Tensor:
    """A Gaussian dot (1, 1, H, W) at a point of the frame; `centre` and `sd` are in half-frames."""
    points = Window.frame(size).lattice(torch.zeros(1))
    return torch.exp(-(points - torch.tensor(centre)).square().sum(-1) / (2 * sd**2)).reshape(
        1, 1, *size
    )


def centre_of_mass(x: Tensor) -> Tensor:
    """The centre of intensity (N, 2), (x, y) in frame coordinates, of pictures (N, 1, H, W)."""
    mass = x.flatten(1) / x.flatten(1).sum(1, keepdim=True)
    return mass @ Window.frame(x.shape[2:]).lattice(x)


def pictures(n: int = 48, channels: int = 1, seed: int = 0) -> np.ndarray[Any, Any]:
    """Randomly moved and turned L-shaped figures (n, channels, 20, 20), uint8."""
    generator = torch.Generator().manual_seed(seed)
    figure = torch.zeros(n, channels, 20, 20)
    figure[:, :, 5:15, 8:10] = 1
    figure[:, :, 13:15, 8:14] = 1
    deformed = Affine2d().sample(n, generator, 0.3)(figure)
    return (255 * deformed).round().to(torch.uint8).numpy()


def blobs(n: int, seed: int = 0) -> Tensor:
    """Pictures (n, 1, 12, 16) of one bright spot at a random position."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(n, 2, 1, 1, generator=generator) * 1.2 - 0.6
    y, x = torch.meshgrid(torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 16), indexing="ij")
    return torch.exp(-((x - centre[:, 0]) ** 2 + (y - centre[:, 1]) ** 2) / 0.08)[:, None]
