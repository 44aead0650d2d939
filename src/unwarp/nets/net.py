"""Encoders and decoders: perceptrons, convolutions, and dilated ones in time. They know no warp and no loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from torch import nn

from unwarp.core import Domain
from unwarp.errors import ConfigError
from unwarp.nets.conv import SMALL, ConvDecoder, conv_critic, conv_encoder
from unwarp.nets.perceptron import Shortcut, mlp
from unwarp.nets.temporal import SHORTEST, TemporalDecoder, TemporalEncoder, _few_steps

NetKind = Literal["auto", "mlp", "conv", "tcn"]


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
            raise ConfigError(
                f"widths must be positive, got encoder={self.encoder}, decoder={self.decoder}"
            )
        if self.channels < 8 or self.channels % 8:
            raise ConfigError(f"channels must be a positive multiple of 8, got {self.channels!r}")
        if self.causal and self.detail:
            raise ConfigError(
                "detail is measured over the whole series, which causal=True forbids; choose one"
            )

    def _kind(self, shape: Sequence[int]) -> NetKind:
        """What `kind` means for samples of `shape`."""
        domain = Domain.of_axes(len(shape) - 1)
        natural = domain.network if domain else "mlp"
        if self.kind == "auto":
            is_large = {"tcn": not _few_steps(shape), "conv": math.prod(shape[1:]) > SMALL}
            return cast(NetKind, natural) if is_large.get(natural) else "mlp"
        if self.kind == "conv" and natural != "conv":
            raise ConfigError(
                f"kind='conv' needs pictures (C, H, W), got samples of shape {tuple(shape)}; use 'mlp'"
            )
        if self.kind == "tcn" and not (natural == "tcn" and shape[1] >= SHORTEST):
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
