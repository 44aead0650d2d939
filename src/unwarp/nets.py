"""Encoders and decoders: perceptrons and convolutions. They know no warp and no loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from unwarp.types import ConfigError

NetKind = Literal["auto", "mlp", "conv"]
SMALL = 48 * 48


def mlp(n_in: int, widths: Sequence[int], n_out: int, *, norm: bool) -> nn.Sequential:
    """Flatten, then linear layers with ReLU (and batch normalisation where `norm`), then a linear output."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in widths:
        layers += [nn.Linear(n_in, width), *([nn.BatchNorm1d(width)] if norm else []), nn.ReLU()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def _pyramid(size: Sequence[int], smallest: int = 7) -> list[tuple[int, ...]]:
    """Sizes from `size` down by halves while every axis stays at `smallest` or above."""
    sizes = [tuple(size)]
    while min(sizes[-1]) > smallest:
        sizes.append(tuple(math.ceil(n / 2) for n in sizes[-1]))
    return sizes


def _channels(levels: int, width: int) -> list[int]:
    return [min(width * 2**i, 4 * width) for i in range(levels)]


def conv_encoder(shape: Sequence[int], widths: Sequence[int], n_out: int, channels: int = 32) -> nn.Sequential:
    """Stride-2 convolutions with group normalisation down to about 4 x 4, then linear layers."""
    sizes = _pyramid(shape[1:])
    layers: list[nn.Module] = []
    before = shape[0]
    for width in _channels(len(sizes) - 1, channels):
        layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.GroupNorm(8, width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, *mlp(before * math.prod(sizes[-1]), widths[-1:], n_out, norm=False))


class ConvDecoder(nn.Module):
    """A linear seed of about 4 x 4, then transposed convolutions of stride 2 up to `shape`.

    The generator of Radford, Metz and Chintala 2016 (DCGAN) with group in place of batch normalisation, so that a sample
    does not depend on its batch.
    """

    def __init__(self, n_in: int, widths: Sequence[int], shape: Sequence[int], channels: int = 32) -> None:
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


@dataclass(frozen=True)
class Net:
    """The architecture of every encoder and decoder of a model.

    Attributes:
        kind: `mlp`, `conv` (pictures only), or `auto`: an MLP up to 48 x 48 pixels, convolutions beyond.
        encoder: Hidden widths of the encoders (the last alone, for convolutions).
        decoder: Hidden widths of the decoder (the first alone, for convolutions).
        norm: Whether perceptrons that encode normalise their batches.
        channels: Channels of the finest convolutions, a multiple of 8; they double with each halving, up to four times.
    """

    kind: NetKind = "auto"
    encoder: tuple[int, ...] = (384, 128)
    decoder: tuple[int, ...] = (128, 256)
    norm: bool = True
    channels: int = 32

    def __post_init__(self) -> None:
        if self.kind not in ("auto", "mlp", "conv"):
            raise ConfigError(f"kind={self.kind!r} is unknown; choose auto, mlp or conv")
        if min((*self.encoder, *self.decoder), default=1) < 1:
            raise ConfigError(f"widths must be positive, got encoder={self.encoder}, decoder={self.decoder}")
        if self.channels < 8 or self.channels % 8:
            raise ConfigError(f"channels must be a positive multiple of 8, got {self.channels!r}")

    def _convolutional(self, shape: Sequence[int]) -> bool:
        if self.kind == "auto":
            return len(shape) == 3 and math.prod(shape[1:]) > SMALL
        if self.kind == "conv" and len(shape) != 3:
            raise ConfigError(f"kind='conv' needs pictures (C, H, W), got samples of shape {tuple(shape)}; use 'mlp'")
        return self.kind == "conv"

    def encode(self, shape: Sequence[int], n_out: int) -> nn.Module:
        """A network from samples of `shape` (C, ...) to `n_out` numbers."""
        if self._convolutional(shape):
            return conv_encoder(shape, self.encoder, n_out, self.channels)
        return mlp(math.prod(shape), self.encoder, n_out, norm=self.norm)

    def decode(self, n_in: int, shape: Sequence[int]) -> nn.Module:
        """A network from codes of size `n_in` to samples of `shape` (C, ...), before the output function."""
        if self._convolutional(shape):
            return ConvDecoder(n_in, self.decoder, shape, self.channels)
        net = mlp(n_in, self.decoder, math.prod(shape), norm=False)
        return nn.Sequential(net, nn.Unflatten(1, tuple(shape)))

    def criticise(self, shape: Sequence[int]) -> nn.Module:
        """A network from samples of `shape` (C, ...) to one logit (N, 1), never with batch normalisation."""
        if self._convolutional(shape):
            return conv_critic(shape, self.encoder, self.channels)
        return mlp(math.prod(shape), self.encoder, 1, norm=False)


def output_layer(net: nn.Module) -> nn.Linear | nn.Conv2d | nn.ConvTranspose2d:
    """The last linear or convolutional layer of a network."""
    return [layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)][-1]


def constant_output(net: nn.Module, value: float = 0.0) -> nn.Module:
    """Make a network start by giving `value` whatever it sees; its output layer's weights become zero."""
    layer = output_layer(net)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, value)
    return net
