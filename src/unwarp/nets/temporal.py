"""Dilated convolutions over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Domain

SHORT, SHORTEST = 32, 8


def _few_steps(shape: Sequence[int]) -> bool:
    """Whether samples of `shape` are series too short for convolutions."""
    domain = Domain.of_axes(len(shape) - 1)
    return domain is not None and domain.network == "tcn" and shape[1] < SHORT


class DilatedBlock(nn.Module):
    """x + convolution(GELU(normalise(x))): one residual level of a temporal convolutional network.

    Bai, Kolter and Koltun 2018, An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling; with one convolution a level, and the norm before it.
    """

    def __init__(self, channels: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.norm = Timewise(channels) if causal else nn.GroupNorm(4, channels)
        self.conv = nn.Conv1d(
            channels, channels, 3, dilation=dilation, padding=dilation * (1 + causal)
        )

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

    def __init__(
        self, shape: Sequence[int], n_out: int, channels: int, causal: bool, detail: bool = False
    ) -> None:
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
        clock = torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device).expand(
            len(x), 1, -1
        )
        seen = torch.cat([self.front(x), clock], 1)
        return torch.as_tensor(self.trunk(self.stem(seen)[..., : math.ceil(x.shape[-1] / 4)]))

    def forward(self, x: Tensor) -> Tensor:
        """Series (N, C, T) to numbers (N, n_out)."""
        return torch.as_tensor(
            self.head(F.adaptive_avg_pool1d(self.features(x), self.parts).flatten(1))
        )


class TemporalDecoder(nn.Module):
    """A linear seed of an eighth of the length, dilated blocks, and transposed convolutions up to `shape`."""

    def __init__(self, n_in: int, shape: Sequence[int], channels: int, causal: bool) -> None:
        super().__init__()
        self.length, self.causal = shape[1], causal
        self.seed = nn.Sequential(
            nn.Linear(n_in, channels * math.ceil(self.length / 8)), nn.Unflatten(1, (channels, -1))
        )
        coarse, fine = (
            [DilatedBlock(channels, dilation, causal) for dilation in (1, 2, 4)] for _ in range(2)
        )
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
