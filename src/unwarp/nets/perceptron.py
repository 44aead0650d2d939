"""Perceptrons with shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
