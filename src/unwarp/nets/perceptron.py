"""Multilayer perceptrons, and a linear shortcut past them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Shortcut(nn.Module):
    """A network plus a linear map of its input: `net(x) + Wx`.

    W starts at 0, so that the output is that of the network until training changes W. `Net` adds a
    shortcut to perceptrons of short series.

    Args:
        n_in: Numbers per sample.
        n_out: Numbers that the network returns per sample.
        net: Network from samples to (N, n_out).

    >>> net = Shortcut(4, 2, mlp(4, (8,), 2, norm=False))
    >>> x = torch.rand(3, 4)
    >>> torch.equal(net(x), net.net(x))
    True
    """

    def __init__(self, n_in: int, n_out: int, net: nn.Module) -> None:
        super().__init__()
        self.line, self.net = nn.Linear(n_in, n_out, bias=False), net
        nn.init.zeros_(self.line.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of the network plus those of the linear map.

        Args:
            x: Samples (N, ...) of `n_in` numbers each.

        Returns:
            Numbers (N, n_out).
        """
        return torch.as_tensor(self.line(x.flatten(1)) + self.net(x))


def mlp(n_in: int, widths: Sequence[int], n_out: int, *, norm: bool) -> nn.Sequential:
    """A multilayer perceptron with ReLU and a linear output.

    Args:
        n_in: Numbers per sample; samples of any shape are flattened.
        widths: Widths of the hidden layers; empty for a linear map.
        n_out: Numbers that the perceptron returns per sample.
        norm: Whether each hidden layer has batch normalisation before its ReLU.

    Returns:
        A network from (N, ...) to (N, n_out).
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for width in widths:
        layers += [nn.Linear(n_in, width), *([nn.BatchNorm1d(width)] if norm else []), nn.ReLU()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))
