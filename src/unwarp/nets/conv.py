"""Convolutional networks of images: encoder, decoder and critic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from unwarp.nets.perceptron import mlp

MAX_PIXELS_FOR_PERCEPTRON = 48 * 48
"""The kind `auto` gives images up to this size a perceptron, larger ones convolutions."""

MAX_SEED_PIXELS = 7
"""Sizes are halved until the shorter side is at most this; the seed is the smallest feature map."""

GROUPS_OF_NORM = 8
"""Number of groups of channels in group normalisation."""


def _pyramid(size: Sequence[int]) -> list[tuple[int, ...]]:
    """Sizes (H, W), each half of the one before, until the shorter side fits `MAX_SEED_PIXELS`."""
    sizes = [tuple(size)]
    while min(sizes[-1]) > MAX_SEED_PIXELS:
        sizes.append(tuple(math.ceil(n / 2) for n in sizes[-1]))
    return sizes


def _channels(levels: int, width: int) -> list[int]:
    """Channels of each level, fine to coarse: doubled at each level, up to four times `width`."""
    return [min(width * 2**i, 4 * width) for i in range(levels)]


def conv_encoder(
    shape: Sequence[int], widths: Sequence[int], n_out: int, channels: int = 32
) -> nn.Sequential:
    """A convolutional encoder: levels that halve the image, then a perceptron.

    Each level is a convolution of stride 2 with group normalisation and ReLU. Levels are added
    until the shorter side has at most 7 pixels.

    Args:
        shape: Shape (C, H, W) of an image.
        widths: Hidden widths of `Net`; only the last is used, for the perceptron.
        n_out: Numbers to return per image.
        channels: Channels of the first level, a multiple of 8.

    Returns:
        A network from (N, C, H, W) to (N, n_out).
    """
    sizes = _pyramid(shape[1:])
    layers: list[nn.Module] = []
    n_in = shape[0]
    for width in _channels(len(sizes) - 1, channels):
        layers += [
            nn.Conv2d(n_in, width, 3, stride=2, padding=1),
            nn.GroupNorm(GROUPS_OF_NORM, width),
            nn.ReLU(),
        ]
        n_in = width
    return nn.Sequential(*layers, *mlp(n_in * math.prod(sizes[-1]), widths[-1:], n_out, norm=False))


class ConvDecoder(nn.Module):
    """A convolutional decoder of images.

    A perceptron computes a small feature map, the seed, and each level doubles its size, up to that
    of the image. This is the generator of DCGAN (Radford, Metz and Chintala 2016) with group
    instead of batch normalisation, so that a decoded sample does not depend on its batch.

    Args:
        n_in: Size of a code.
        widths: Hidden widths of `Net`; only the first is used, for the perceptron.
        shape: Shape (C, H, W) of an image.
        channels: Channels of the finest level, a multiple of 8.

    >>> decoder = ConvDecoder(5, (16,), (1, 20, 30), channels=8)
    >>> decoder(torch.zeros(2, 5)).shape
    torch.Size([2, 1, 20, 30])
    """

    def __init__(
        self, n_in: int, widths: Sequence[int], shape: Sequence[int], channels: int = 32
    ) -> None:
        super().__init__()
        self.sizes = _pyramid(shape[1:])[::-1]
        n_levels = max(1, len(self.sizes) - 1)
        level_channels = [*_channels(n_levels, channels)[::-1], shape[0]]
        self.seed = mlp(n_in, widths[:1], level_channels[0] * math.prod(self.sizes[0]), norm=False)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.GroupNorm(GROUPS_OF_NORM, a), nn.ReLU(), self._upsampling(a, b))
            for a, b in pairwise(level_channels)
        )

    def _upsampling(self, n_in: int, n_out: int) -> nn.Module:
        """A transposed convolution to twice the size; a plain one if the seed has full size."""
        if len(self.sizes) == 1:
            return nn.Conv2d(n_in, n_out, 3, padding=1)
        return nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Decode codes.

        Args:
            z: Codes (N, n_in).

        Returns:
            Images (N, C, H, W), before an output function such as a sigmoid.
        """
        x = self.seed(z).reshape(len(z), -1, *self.sizes[0])
        for level, (height, width) in zip(self.levels, self.sizes[1:] or self.sizes, strict=True):
            # a level doubles the size, which is one pixel too many for an odd size
            x = level(x)[..., :height, :width]
        return torch.as_tensor(x)


def conv_critic(shape: Sequence[int], widths: Sequence[int], channels: int = 32) -> nn.Sequential:
    """A convolutional critic of images, with leaky ReLU.

    It is the discriminator of DCGAN (Radford, Metz and Chintala 2016) with two changes. It has a
    hidden layer, which costs little and recognises generated samples that are all alike. It has no
    batch normalisation, since the logit of a sample must not depend on other samples.

    Args:
        shape: Shape (C, H, W) of an image.
        widths: Hidden widths of `Net`; only the last is used, after the convolutions.
        channels: Channels of the first level.

    Returns:
        A network from (N, C, H, W) to logits (N, 1).
    """
    n_in, size = shape[0], tuple(shape[1:])
    # images of at most the seed's size still get one convolution
    levels = max(int(min(size) > 1), len(_pyramid(size)) - 1)
    layers: list[nn.Module] = []
    for width in _channels(levels, channels):
        layers += [nn.Conv2d(n_in, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        n_in, size = width, tuple(n // 2 for n in size)
    layers.append(nn.Flatten())
    n_in *= math.prod(size)
    for width in widths[-1:]:
        layers += [nn.Linear(n_in, width), nn.LeakyReLU(0.2)]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, 1))
