"""Convolutions over pictures: their seed, and that samples do not see each other."""

from __future__ import annotations

import pytest
import torch

from tests.nets.shapes import SIZES
from unwarp.nets.conv import ConvDecoder
from unwarp.nets.net import Net


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_decoded_sample_does_not_depend_on_its_batch_even_in_training(
    size: tuple[int, int],
) -> None:
    net = Net("conv", (8,), (8,), channels=8).decode(3, (1, *size)).train()
    z = torch.randn(4, 3)
    torch.testing.assert_close(net(z)[2:3], net(z[2:3]))
    assert not list(net.buffers())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_convolutions_start_from_a_few_pixels_along_the_shorter_axis(size: tuple[int, int]) -> None:
    coarse = ConvDecoder(2, (8,), (1, *size)).sizes[0]
    assert 4 <= min(coarse) <= 7
    assert coarse[0] / coarse[1] == pytest.approx(size[0] / size[1], rel=0.15)
