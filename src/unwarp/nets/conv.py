"""Convolutions over pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from unwarp.nets.perceptron import mlp

SMALL = 48 * 48


def _pyramid(size: Sequence[int], smallest: int = 7) -> list[tuple[int, ...]]:
    """Sizes from `size` down by halves while every axis stays at `smallest` or above."""
    sizes = [tuple(size)]
    while min(sizes[-1]) > smallest:
        sizes.append(tuple(math.ceil(n / 2) for n in sizes[-1]))
    return sizes


def _channels(levels: int, width: int) -> list[int]:
    return [min(width * 2**i, 4 * width) for i in range(levels)]


def conv_encoder(
    shape: Sequence[int], widths: Sequence[int], n_out: int, channels: int = 32
) -> nn.Sequential:
    """Stride-2 convolutions with group normalisation down to about 4 x 4, then linear layers."""
    sizes = _pyramid(shape[1:])
    layers: list[nn.Module] = []
    before = shape[0]
    for width in _channels(len(sizes) - 1, channels):
        layers += [
            nn.Conv2d(before, width, 3, stride=2, padding=1),
            nn.GroupNorm(8, width),
            nn.ReLU(),
        ]
        before = width
    return nn.Sequential(
        *layers, *mlp(before * math.prod(sizes[-1]), widths[-1:], n_out, norm=False)
    )


class ConvDecoder(nn.Module):
    """A linear seed of about 4 x 4, then transposed convolutions of stride 2 up to `shape`.

    The generator of Radford, Metz and Chintala 2016 (DCGAN) with group in place of batch normalisation, so that a sample
    does not depend on its batch.
    """

    def __init__(
        self, n_in: int, widths: Sequence[int], shape: Sequence[int], channels: int = 32
    ) -> None:
        super().__init__()
        self.sizes = _pyramid(shape[1:])[::-1]
        depth = [*_channels(max(1, len(self.sizes) - 1), channels)[::-1], shape[0]]
        self.seed = mlp(n_in, widths[:1], depth[0] * math.prod(self.sizes[0]), norm=False)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.GroupNorm(8, a), nn.ReLU(), self._up(a, b)) for a, b in pairwise(depth)
        )

    def _up(self, n_in: int, n_out: int) -> nn.Module:
        """Twice the size; pictures as small as the seed need no more than a convolution."""
        if len(self.sizes) == 1:
            return nn.Conv2d(n_in, n_out, 3, padding=1)
        return nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Codes (N, D) to pictures (N, C, H, W) before the output function."""
        x = self.seed(z).reshape(len(z), -1, *self.sizes[0])
        for level, (height, width) in zip(self.levels, self.sizes[1:] or self.sizes, strict=True):
            x = level(x)[..., :height, :width]
        return torch.as_tensor(x)


def conv_critic(shape: Sequence[int], widths: Sequence[int], channels: int = 32) -> nn.Sequential:
    """Stride-2 convolutions down to about 4 x 4, then linear layers to one logit, with leaky ReLU.

    The discriminator of Radford, Metz and Chintala 2016 (DCGAN) with a hidden layer, which costs little and tells samples
    apart that have collapsed, and without batch normalisation: a logit must depend on its own sample alone.
    """
    before, size = shape[0], tuple(shape[1:])
    levels = max(int(min(size) > 1), len(_pyramid(size)) - 1)
    layers: list[nn.Module] = []
    for width in _channels(levels, channels):
        layers += [nn.Conv2d(before, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        before, size = width, tuple(n // 2 for n in size)
    layers.append(nn.Flatten())
    before *= math.prod(size)
    for width in widths[-1:]:
        layers += [nn.Linear(before, width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 1))
