"""Encoders and decoders: perceptrons, convolutions, and dilated ones in time. They know no warp and no loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.types import ConfigError

NetKind = Literal["auto", "mlp", "conv", "tcn"]
SMALL = 48 * 48
SHORT, SHORTEST = 32, 8


class Shortcut(nn.Module):
    """A network and, beside it, a linear layer of its own input, which begins at nothing."""

    def __init__(self, n_in: int, n_out: int, net: nn.Module) -> None:
        super().__init__()
        self.line, self.net = nn.Linear(n_in, n_out, bias=False), net
        nn.init.zeros_(self.line.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Samples (N, ...) to numbers (N, n_out)."""
        return torch.as_tensor(self.line(x.flatten(1)) + self.net(x))


def mlp(n_in: int, widths: Sequence[int], n_out: int, *, norm: bool) -> nn.Sequential:
    """Flatten, then linear layers with ReLU (and batch normalisation where `norm`), then a linear output."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in widths:
        layers += [nn.Linear(n_in, width), *([nn.BatchNorm1d(width)] if norm else []), nn.ReLU()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def _few_steps(shape: Sequence[int]) -> bool:
    """Whether samples of `shape` are series too short for convolutions."""
    return len(shape) == 2 and shape[1] < SHORT


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


class DilatedBlock(nn.Module):
    """x + convolution(GELU(normalise(x))): one residual level of a temporal convolutional network.

    Bai, Kolter and Koltun 2018, An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling; with one convolution a level, and the norm before it.
    """

    def __init__(self, channels: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.norm = Timewise(channels) if causal else nn.GroupNorm(4, channels)
        self.conv = nn.Conv1d(channels, channels, 3, dilation=dilation, padding=dilation * (1 + causal))

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, L) to features of that shape."""
        return x + torch.as_tensor(self.conv(F.gelu(self.norm(x)))[..., : x.shape[-1]])


class Timewise(nn.LayerNorm):
    """Normalise the channels of each time by themselves, (N, C, L): no time sees another."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mT).mT


class Detail(nn.Module):
    """A series with its slope and with what stands out of 9 samples around, both over their spread and within +-4."""

    def forward(self, x: Tensor) -> Tensor:
        """Series (N, C, T) to (N, 3 C, T)."""
        wide = F.pad(x, (4, 4), mode="replicate")
        fine = torch.cat([wide[..., 5:-3] - wide[..., 3:-5], x - F.avg_pool1d(wide, 9, 1)], 1)
        spread = fine.square().mean(-1, keepdim=True).clamp_min(1e-12).sqrt()
        return torch.cat([x, (fine / spread).clamp(-4, 4)], 1)


class TemporalEncoder(nn.Module):
    """Stride-4 convolution of a series and its clock, dilated blocks, means over at most 16 parts of time, a linear layer."""

    def __init__(self, shape: Sequence[int], n_out: int, channels: int, causal: bool, detail: bool = False) -> None:
        super().__init__()
        self.front = Detail() if detail else nn.Identity()
        seen = shape[0] * (3 if detail else 1) + 1
        self.stem = nn.Conv1d(seen, channels, 7, stride=4, padding=3 * (1 + causal))
        blocks = [DilatedBlock(channels, dilation, causal) for dilation in (1, 2, 4, 8)]
        self.trunk = nn.Sequential(*blocks, nn.Conv1d(channels, channels // 2, 1))
        self.parts = min(16, math.ceil(shape[1] / 4))
        self.head = nn.Linear(self.parts * channels // 2, n_out)

    def features(self, x: Tensor) -> Tensor:
        """Series (N, C, T) to features (N, channels / 2, T / 4)."""
        clock = torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device).expand(len(x), 1, -1)
        seen = torch.cat([self.front(x), clock], 1)
        return torch.as_tensor(self.trunk(self.stem(seen)[..., : math.ceil(x.shape[-1] / 4)]))

    def forward(self, x: Tensor) -> Tensor:
        """Series (N, C, T) to numbers (N, n_out)."""
        return torch.as_tensor(self.head(F.adaptive_avg_pool1d(self.features(x), self.parts).flatten(1)))


class TemporalDecoder(nn.Module):
    """A linear seed of an eighth of the length, dilated blocks, and transposed convolutions up to `shape`."""

    def __init__(self, n_in: int, shape: Sequence[int], channels: int, causal: bool) -> None:
        super().__init__()
        self.length, self.causal = shape[1], causal
        self.seed = nn.Sequential(
            nn.Linear(n_in, channels * math.ceil(self.length / 8)), nn.Unflatten(1, (channels, -1))
        )
        coarse, fine = ([DilatedBlock(channels, dilation, causal) for dilation in (1, 2, 4)] for _ in range(2))
        self.levels = nn.ModuleList(
            [
                nn.Sequential(*coarse, self._up(channels, channels, 2)),
                nn.Sequential(*fine, self._up(channels, shape[0], 4)),
            ]
        )

    def _up(self, n_in: int, n_out: int, factor: int) -> nn.Module:
        """`factor` times the length, in which an input reaches its own time and what follows, or both sides alike."""
        padding = 0 if self.causal else factor // 2
        return nn.ConvTranspose1d(n_in, n_out, 2 * factor, stride=factor, padding=padding)

    def forward(self, z: Tensor) -> Tensor:
        """Codes (N, D) to series (N, C, T)."""
        x = self.seed(z)
        for level, parts in zip(self.levels, (4, 1), strict=True):
            x = level(x)[..., : math.ceil(self.length / parts)]
        return torch.as_tensor(x)


@dataclass(frozen=True)
class Net:
    """The architecture of every encoder and decoder of a model.

    Attributes:
        kind: `mlp`, `conv` (pictures only), `tcn` (series only), or `auto`: an MLP for pictures up to 48 x 48 pixels and
            for series shorter than 32 samples, convolutions beyond. Perceptrons of such series have a linear shortcut.
        encoder: Hidden widths of the encoders (the last alone, for convolutions; none in time).
        decoder: Hidden widths of the decoder (the first alone, for convolutions; none in time).
        norm: Whether perceptrons that encode normalise their batches.
        channels: Channels of the finest convolutions, a multiple of 8; in pictures they double with each halving, up to
            four times.
        causal: Whether convolutions in time see nothing that comes later.
        detail: Whether encoders in time are shown slopes and small ripples beside the series itself.
    """

    kind: NetKind = "auto"
    encoder: tuple[int, ...] = (384, 128)
    decoder: tuple[int, ...] = (128, 256)
    norm: bool = True
    channels: int = 32
    causal: bool = False
    detail: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(NetKind):
            raise ConfigError(f"kind={self.kind!r} is unknown; choose auto, mlp, conv or tcn")
        if min((*self.encoder, *self.decoder), default=1) < 1:
            raise ConfigError(f"widths must be positive, got encoder={self.encoder}, decoder={self.decoder}")
        if self.channels < 8 or self.channels % 8:
            raise ConfigError(f"channels must be a positive multiple of 8, got {self.channels!r}")
        if self.causal and self.detail:
            raise ConfigError("detail is measured over the whole series, which causal=True forbids; choose one")

    def _kind(self, shape: Sequence[int]) -> NetKind:
        """What `kind` means for samples of `shape`."""
        series = len(shape) == 2
        if self.kind == "auto":
            large = not _few_steps(shape) if series else math.prod(shape[1:]) > SMALL
            return ("tcn" if series else "conv") if large else "mlp"
        if self.kind == "conv" and len(shape) != 3:
            raise ConfigError(f"kind='conv' needs pictures (C, H, W), got samples of shape {tuple(shape)}; use 'mlp'")
        if self.kind == "tcn" and not (series and shape[1] >= SHORTEST):
            raise ConfigError(
                f"kind='tcn' needs series (C, T) of {SHORTEST} samples or more, got shape {tuple(shape)}; use 'auto'"
            )
        return self.kind

    def encode(self, shape: Sequence[int], n_out: int) -> nn.Module:
        """A network from samples of `shape` (C, ...) to `n_out` numbers."""
        kind = self._kind(shape)
        if kind == "conv":
            return conv_encoder(shape, self.encoder, n_out, self.channels)
        if kind == "tcn":
            return TemporalEncoder(shape, n_out, self.channels, self.causal, self.detail)
        net = mlp(math.prod(shape), self.encoder, n_out, norm=self.norm)
        return Shortcut(math.prod(shape), n_out, net) if _few_steps(shape) else net

    def decode(self, n_in: int, shape: Sequence[int]) -> nn.Module:
        """A network from codes of size `n_in` to samples of `shape` (C, ...), before the output function."""
        kind = self._kind(shape)
        if kind == "conv":
            return ConvDecoder(n_in, self.decoder, shape, self.channels)
        if kind == "tcn":
            return TemporalDecoder(n_in, shape, self.channels, self.causal)
        net: nn.Module = mlp(n_in, self.decoder, math.prod(shape), norm=False)
        net = Shortcut(n_in, math.prod(shape), net) if _few_steps(shape) else net
        return nn.Sequential(net, nn.Unflatten(1, tuple(shape)))

    def criticise(self, shape: Sequence[int]) -> nn.Module:
        """A network from samples of `shape` (C, ...) to one logit (N, 1), never with batch normalisation."""
        kind = self._kind(shape)
        if kind == "conv":
            return conv_critic(shape, self.encoder, self.channels)
        if kind == "tcn":
            return TemporalEncoder(shape, 1, self.channels, self.causal, self.detail)
        return mlp(math.prod(shape), self.encoder, 1, norm=False)


Output = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.ConvTranspose1d


def output_layer(net: nn.Module) -> Output:
    """The last layer of a network that has a linear or convolutional output."""
    return [layer for layer in net.modules() if isinstance(layer, Output)][-1]


def constant_output(net: nn.Module, value: float = 0.0) -> nn.Module:
    """Make a network start by giving `value` whatever it sees; its output layer's weights become zero."""
    layer = output_layer(net)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, value)
    return net
