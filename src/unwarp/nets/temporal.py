"""Temporal convolutional networks of series: encoder, decoder and their blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Domain

MIN_LENGTH_FOR_AUTO = 32
"""Shortest series, in time steps, for which `auto` chooses convolutions, not a perceptron."""

MIN_LENGTH_FOR_TCN = 8
"""Shortest series, in time steps, for convolutions: the decoder's seed is an eighth as long."""

MAX_POOLED_PARTS = 16
"""Largest number of parts of time over which an encoder averages its features."""

RIPPLE_MEAN_LENGTH = 9
"""Time steps of the moving mean that is subtracted from a series to give its ripple."""

MAX_DETAIL = 4.0
"""Largest slope and ripple after clipping, in multiples of their root mean square."""

MIN_DETAIL_POWER = 1e-12
"""Least mean square of a slope or ripple, so that a constant series is not divided by 0."""


def is_short_series(shape: Sequence[int]) -> bool:
    """Whether samples are series that `auto` gives a perceptron.

    Args:
        shape: Shape (C, ...) of a sample.

    Returns:
        True for series (C, T) of fewer than `MIN_LENGTH_FOR_AUTO` time steps.
    """
    domain = Domain.of_axes(len(shape) - 1)
    return domain is not None and domain.network == "tcn" and shape[1] < MIN_LENGTH_FOR_AUTO


class DilatedBlock(nn.Module):
    """A residual block `x + conv(GELU(norm(x)))` of a temporal convolutional network.

    S. Bai, J. Z. Kolter and V. Koltun (2018), An empirical evaluation of generic convolutional and
    recurrent networks for sequence modeling. This block has one convolution, and the normalisation
    comes before it.

    Args:
        channels: Channels C of the features, a multiple of 4.
        dilation: Distance between the three taps of the convolution, in steps of the features.
        causal: Whether features depend only on the present and earlier ones. The normalisation is
            then `TimewiseNorm`, else group normalisation.

    >>> DilatedBlock(8, 2, causal=True)(torch.zeros(1, 8, 20)).shape
    torch.Size([1, 8, 20])
    """

    def __init__(self, channels: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.norm = TimewiseNorm(channels) if causal else nn.GroupNorm(4, channels)
        self.conv = nn.Conv1d(
            channels, channels, 3, dilation=dilation, padding=dilation * (1 + causal)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add the convolved features.

        Args:
            x: Features (N, C, L).

        Returns:
            Features of the same shape.
        """
        # a causal convolution has twice the padding; as the end is cut off, only its start counts
        return x + torch.as_tensor(self.conv(F.gelu(self.norm(x)))[..., : x.shape[-1]])


class TimewiseNorm(nn.LayerNorm):
    """Layer normalisation over the channels, separately at each time.

    Causal networks need it, since group normalisation also averages over time.

    >>> TimewiseNorm(3)(torch.arange(6.0).reshape(1, 3, 2)).mean(1).abs().max() < 1e-6
    tensor(True)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise features (N, C, L) over C."""
        return super().forward(x.mT).mT


class Detail(nn.Module):
    """A series together with its slope and its ripple.

    Slow trends have most of the power of many series, so that an encoder misses their detail. The
    slope is a central difference; the ripple is the series minus its moving mean over 9 time steps.
    Both are divided by their root mean square over time and clipped to [-4, 4].

    >>> Detail()(torch.zeros(2, 1, 12)).shape
    torch.Size([2, 3, 12])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Append the channels of slope and ripple.

        Args:
            x: Series (N, C, T).

        Returns:
            Series (N, 3 C, T): values, slopes, ripples.
        """
        margin = RIPPLE_MEAN_LENGTH // 2
        padded = F.pad(x, (margin, margin), mode="replicate")
        # each next value minus the value before
        slope = padded[..., margin + 1 : 1 - margin] - padded[..., margin - 1 : -margin - 1]
        ripple = x - F.avg_pool1d(padded, RIPPLE_MEAN_LENGTH, 1)
        detail = torch.cat([slope, ripple], 1)
        power = detail.square().mean(-1, keepdim=True).clamp_min(MIN_DETAIL_POWER)
        return torch.cat([x, (detail / power.sqrt()).clamp(-MAX_DETAIL, MAX_DETAIL)], 1)


class TemporalEncoder(nn.Module):
    """A temporal convolutional encoder of series.

    A convolution of stride 4 takes the series and a channel with the time, from -1 to 1. Dilated
    blocks follow (dilations 1, 2, 4, 8), then means over at most 16 parts of time, then a linear
    layer. Each feature depends on 127 time steps. With one output, the network is also the critic
    of series.

    Args:
        shape: Shape (C, T) of a series.
        n_out: Numbers to return per series.
        channels: Channels of the convolutions, a multiple of 8.
        causal: Whether features depend only on the present and earlier time steps.
        detail: Whether slope and ripple are added to the channels of the series (see `Detail`).

    >>> TemporalEncoder((2, 40), 3, channels=8, causal=False)(torch.zeros(5, 2, 40)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self, shape: Sequence[int], n_out: int, channels: int, causal: bool, detail: bool = False
    ) -> None:
        super().__init__()
        self.front = Detail() if detail else nn.Identity()
        n_in = shape[0] * (3 if detail else 1) + 1
        self.stem = nn.Conv1d(n_in, channels, 7, stride=4, padding=3 * (1 + causal))
        blocks = [DilatedBlock(channels, dilation, causal) for dilation in (1, 2, 4, 8)]
        self.trunk = nn.Sequential(*blocks, nn.Conv1d(channels, channels // 2, 1))
        self.parts = min(MAX_POOLED_PARTS, math.ceil(shape[1] / 4))
        self.head = nn.Linear(self.parts * channels // 2, n_out)

    def features(self, x: Tensor) -> Tensor:
        """Features over time, before they are averaged over parts of time.

        Args:
            x: Series (N, C, T).

        Returns:
            Features (N, channels / 2, ceil(T / 4)).
        """
        clock = torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device).expand(
            len(x), 1, -1
        )
        series = torch.cat([self.front(x), clock], 1)
        return torch.as_tensor(self.trunk(self.stem(series)[..., : math.ceil(x.shape[-1] / 4)]))

    def forward(self, x: Tensor) -> Tensor:
        """Encode series.

        Args:
            x: Series (N, C, T).

        Returns:
            Numbers (N, n_out).
        """
        return torch.as_tensor(
            self.head(F.adaptive_avg_pool1d(self.features(x), self.parts).flatten(1))
        )


class TemporalDecoder(nn.Module):
    """A temporal convolutional decoder of series.

    A linear layer computes a seed, features of an eighth of the length. Two levels follow, each
    with dilated blocks (dilations 1, 2, 4) and a transposed convolution: the first doubles the
    length, the second multiplies it by four.

    Args:
        n_in: Size of a code.
        shape: Shape (C, T) of a series.
        channels: Channels of the convolutions, a multiple of 4.
        causal: Whether a time step depends only on the seed at its time and earlier.

    >>> TemporalDecoder(3, (2, 45), channels=8, causal=False)(torch.zeros(5, 3)).shape
    torch.Size([5, 2, 45])
    """

    def __init__(self, n_in: int, shape: Sequence[int], channels: int, causal: bool) -> None:
        super().__init__()
        self.length, self.causal = shape[1], causal
        self.seed = nn.Sequential(
            nn.Linear(n_in, channels * math.ceil(self.length / 8)), nn.Unflatten(1, (channels, -1))
        )
        # weights are drawn in the order of creation, so a change of order would change all models
        first_blocks, second_blocks = (
            [DilatedBlock(channels, dilation, causal) for dilation in (1, 2, 4)] for _ in range(2)
        )
        self.levels = nn.ModuleList(
            [
                nn.Sequential(*first_blocks, self._upsampling(channels, channels, 2)),
                nn.Sequential(*second_blocks, self._upsampling(channels, shape[0], 4)),
            ]
        )

    def _upsampling(self, n_in: int, n_out: int, factor: int) -> nn.Module:
        """A transposed convolution to `factor` times the length.

        Without padding, as a causal decoder needs it, a feature affects only its own time and later
        ones. Otherwise a padding of half the factor centres the effect of each feature.
        """
        padding = 0 if self.causal else factor // 2
        return nn.ConvTranspose1d(n_in, n_out, 2 * factor, stride=factor, padding=padding)

    def forward(self, z: Tensor) -> Tensor:
        """Decode codes.

        Args:
            z: Codes (N, n_in).

        Returns:
            Series (N, C, T), before an output function.
        """
        x = self.seed(z)
        for level, step in zip(self.levels, (4, 1), strict=True):
            x = level(x)[..., : math.ceil(self.length / step)]
        return torch.as_tensor(x)
