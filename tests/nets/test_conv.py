"""Convolutions over pictures: their seed, and samples that are independent of each other."""

from __future__ import annotations

import pytest
import torch

from tests.nets.shapes import SIZES
from unwarp.nets.conv import ConvDecoder
from unwarp.nets.net import Net


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_conv_decoder_ignores_batch(size: tuple[int, int]) -> None:
    """A decoded sample does not depend on its batch, even in training mode."""
    net = Net("conv", (8,), (8,), channels=8).build_decoder(3, (1, *size)).train()
    z = torch.randn(4, 3)
    torch.testing.assert_close(net(z)[2:3], net(z[2:3]))
    assert not list(net.buffers())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_conv_decoder_seed_is_small(size: tuple[int, int]) -> None:
    """The seed has 4 to 7 pixels along the shorter axis, and the aspect of the picture."""
    seed_size = ConvDecoder(2, (8,), (1, *size)).sizes[0]
    assert 4 <= min(seed_size) <= 7
    assert seed_size[0] / seed_size[1] == pytest.approx(size[0] / size[1], rel=0.15)
