"""Perceptrons and their shortcuts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unwarp.nets.net import Net
from unwarp.nets.perceptron import Shortcut


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_perceptrons_of_series_begin_as_such_and_may_become_linear(part: str) -> None:
    torch.manual_seed(0)
    net = Net("mlp", (16, 8), (8, 16))
    found, seen = (
        (net.encode((2, 20), 4), (2, 20)) if part == "encoder" else (net.decode(4, (2, 20)), (4,))
    )
    shortcut = next(layer for layer in found.eval().modules() if isinstance(layer, Shortcut))
    a, b = torch.randn(2, 5, *seen)
    torch.testing.assert_close(shortcut(a), shortcut.net(a))
    nn.init.normal_(shortcut.line.weight)
    for layer in shortcut.net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.weight)
    torch.testing.assert_close(found(a + b) + found(torch.zeros_like(a)), found(a) + found(b))
    assert (found(a) - found(b)).flatten(1).norm(dim=1).min() > 0.1
