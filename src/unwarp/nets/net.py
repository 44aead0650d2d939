"""The architecture of encoders, decoders and critics: perceptrons or convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from torch import nn

from unwarp.core import Domain
from unwarp.errors import ConfigError
from unwarp.nets.conv import MAX_PIXELS_FOR_PERCEPTRON, ConvDecoder, conv_critic, conv_encoder
from unwarp.nets.perceptron import Shortcut, mlp
from unwarp.nets.temporal import (
    MIN_LENGTH_FOR_TCN,
    TemporalDecoder,
    TemporalEncoder,
    is_short_series,
)
from unwarp.values import field_mistake

NetKind = Literal["auto", "mlp", "conv", "tcn"]
"""Kind of network; `Net` explains each."""

MAX_WIDTH, MAX_CHANNELS = 65_536, 8_192
"""Greatest width of a layer of a perceptron, and greatest number of channels of convolutions."""


@dataclass(frozen=True)
class Net:
    """The architecture of every encoder, decoder and critic of a model.

    A frozen record without weights: `build_encoder`, `build_decoder` and `build_critic` build new
    networks for samples of a shape, with weights from PyTorch's global random state.

    Attributes:
        kind: `mlp` (multilayer perceptron), `conv` (convolutions, images only), `tcn` (temporal
            convolutional network, series only) or `auto`: `mlp` for images up to 48 x 48 pixels and
            for series of fewer than 32 time steps, else convolutions. Perceptrons of such short
            series have a linear shortcut.
        encoder: Hidden widths of perceptrons that encode; `conv` uses the last one, `tcn` none.
        decoder: Hidden widths of perceptrons that decode; `conv` uses the first one, `tcn` none.
        norm: Whether perceptrons that encode have batch normalisation.
        channels: Channels of the finest convolutions, a multiple of 8. For images they double
            each time the size is halved, up to four times this number.
        causal: Whether convolutions of series depend only on the present and earlier time steps.
        detail: Whether convolutional encoders of series also take slope and ripple (see `Detail`).

    >>> import torch
    >>> net = Net(encoder=(16,), decoder=(16,))
    >>> code = net.build_encoder((1, 8, 8), 3)(torch.zeros(5, 1, 8, 8))
    >>> net.build_decoder(3, (1, 8, 8))(code).shape
    torch.Size([5, 1, 8, 8])
    """

    kind: NetKind = "auto"
    encoder: tuple[int, ...] = (384, 128)
    decoder: tuple[int, ...] = (128, 256)
    norm: bool = True
    channels: int = 32
    causal: bool = False
    detail: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.kind, str) and self.kind not in get_args(NetKind):
            raise ConfigError(f"kind={self.kind!r} is unknown; choose auto, mlp, conv or tcn")
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        widths = (*self.encoder, *self.decoder)
        if not 1 <= min(widths, default=1) <= max(widths, default=1) <= MAX_WIDTH:
            raise ConfigError(
                f"encoder={self.encoder} or decoder={self.decoder} has a width out of range; "
                f"give widths from 1 to {MAX_WIDTH:,}"
            )
        if not 8 <= self.channels <= MAX_CHANNELS or self.channels % 8:
            raise ConfigError(
                f"channels={self.channels!r} is no multiple of 8 in range; give 8, 16, 24, ... to "
                f"{MAX_CHANNELS:,}"
            )
        if self.causal and self.detail:
            raise ConfigError(
                "detail=True measures the whole series, which causal=True forbids; choose one"
            )

    def resolve_kind(self, shape: Sequence[int]) -> NetKind:
        """The kind of network for samples of `shape`, with `auto` resolved.

        Raises:
            ConfigError: Samples of this shape do not fit the kind.
        """
        domain = Domain.of_axes(len(shape) - 1)
        convolution = domain.network if domain else "mlp"
        if self.kind == "auto":
            is_large = {
                "tcn": not is_short_series(shape),
                "conv": math.prod(shape[1:]) > MAX_PIXELS_FOR_PERCEPTRON,
            }
            return cast(NetKind, convolution) if is_large.get(convolution) else "mlp"
        if self.kind == "conv" and convolution != "conv":
            raise ConfigError(
                f"kind='conv' needs images (C, H, W), got samples of shape {tuple(shape)}; "
                "use kind='mlp'"
            )
        if self.kind == "tcn" and not (convolution == "tcn" and shape[1] >= MIN_LENGTH_FOR_TCN):
            raise ConfigError(
                f"kind='tcn' needs series (C, T) of {MIN_LENGTH_FOR_TCN} time steps or more, got "
                f"shape {tuple(shape)}; use kind='auto'"
            )
        return self.kind

    def build_encoder(self, shape: Sequence[int], n_out: int) -> nn.Module:
        """Build an encoder.

        Args:
            shape: Shape (C, ...) of a sample.
            n_out: Numbers that the encoder returns per sample.

        Returns:
            A network from (N, C, ...) to (N, n_out).

        Raises:
            ConfigError: Samples of this shape do not fit `kind`.
        """
        kind = self.resolve_kind(shape)
        if kind == "conv":
            return conv_encoder(shape, self.encoder, n_out, self.channels)
        if kind == "tcn":
            return TemporalEncoder(shape, n_out, self.channels, self.causal, self.detail)
        net = mlp(math.prod(shape), self.encoder, n_out, norm=self.norm)
        return Shortcut(math.prod(shape), n_out, net) if is_short_series(shape) else net

    def build_decoder(self, n_in: int, shape: Sequence[int]) -> nn.Module:
        """Build a decoder.

        Args:
            n_in: Size of a code.
            shape: Shape (C, ...) of a sample.

        Returns:
            A network from (N, n_in) to (N, C, ...), before an output function.

        Raises:
            ConfigError: Samples of this shape do not fit `kind`.
        """
        kind = self.resolve_kind(shape)
        if kind == "conv":
            return ConvDecoder(n_in, self.decoder, shape, self.channels)
        if kind == "tcn":
            return TemporalDecoder(n_in, shape, self.channels, self.causal)
        net: nn.Module = mlp(n_in, self.decoder, math.prod(shape), norm=False)
        net = Shortcut(n_in, math.prod(shape), net) if is_short_series(shape) else net
        return nn.Sequential(net, nn.Unflatten(1, tuple(shape)))

    def build_critic(self, shape: Sequence[int]) -> nn.Module:
        """Build a critic, a discriminator of real and generated samples.

        It has no batch normalisation, so that a logit depends only on its sample.

        Args:
            shape: Shape (C, ...) of a sample.

        Returns:
            A network from (N, C, ...) to logits (N, 1).

        Raises:
            ConfigError: Samples of this shape do not fit `kind`.
        """
        kind = self.resolve_kind(shape)
        if kind == "conv":
            return conv_critic(shape, self.encoder, self.channels)
        if kind == "tcn":
            return TemporalEncoder(shape, 1, self.channels, self.causal, self.detail)
        return mlp(math.prod(shape), self.encoder, 1, norm=False)


Output = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.ConvTranspose1d
"""Types of layers that can be the last of a network."""


def output_layer(net: nn.Module) -> Output:
    """The last linear or convolutional layer of a network.

    Args:
        net: A network that `Net` builds, or any network with a layer of a type in `Output`.

    Returns:
        The layer of these types that is registered last.
    """
    return [layer for layer in net.modules() if isinstance(layer, Output)][-1]


def constant_output(net: nn.Module, value: float = 0.0) -> nn.Module:
    """Make a network start with the same output for every input.

    Args:
        net: A network that `Net` builds. The weights of its output layer become 0, the biases
            `value`.
        value: Each number of the output.

    Returns:
        The network itself, which can still learn.
    """
    layer = output_layer(net)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, value)
    return net
