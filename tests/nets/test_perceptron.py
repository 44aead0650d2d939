"""Perceptrons and their linear shortcuts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unwarp.nets.net import Net
from unwarp.nets.perceptron import Shortcut


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_shortcut_starts_at_zero(part: str) -> None:
    """A perceptron of short series starts without its shortcut and may become linear."""
    torch.manual_seed(0)
    net = Net("mlp", (16, 8), (8, 16))
    network, shape = (
        (net.build_encoder((2, 20), 4), (2, 20))
        if part == "encoder"
        else (net.build_decoder(4, (2, 20)), (4,))
    )
    shortcut = next(layer for layer in network.eval().modules() if isinstance(layer, Shortcut))
    a, b = torch.randn(2, 5, *shape)
    torch.testing.assert_close(shortcut(a), shortcut.net(a))
    nn.init.normal_(shortcut.line.weight)
    for layer in shortcut.net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
    sum_of_two = network(a + b) + network(torch.zeros_like(a))
    torch.testing.assert_close(sum_of_two, network(a) + network(b))
    assert (network(a) - network(b)).flatten(1).norm(dim=1).min() > 0.1
