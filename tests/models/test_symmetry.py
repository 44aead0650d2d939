"""The order of symmetry of a template is that of the turns that change nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.models.symmetry import ROUND, symmetry_orders

SIZE = (28, 32)


def petals(k: int, centre: tuple[float, float] = (0.0, 0.0), noise: float = 0.0) -> Tensor:
    """A picture (1, 1, 28, 32) of k spots around a centre in pixels, in noise."""
    y, x = torch.meshgrid(*(torch.arange(n) - (n - 1) / 2 for n in SIZE), indexing="ij")
    picture = torch.zeros(SIZE)
    for i in range(k):
        angle = 2 * math.pi * i / k + 0.3
        dx, dy = x - centre[0] - 8 * math.cos(angle), y - centre[1] - 8 * math.sin(angle)
        picture += torch.exp(-(dx**2 + dy**2) / 6)
    generator = torch.Generator().manual_seed(k)
    return (picture + noise * torch.randn(SIZE, generator=generator))[None, None]


@pytest.mark.parametrize("centre", [(0.0, 0.0), (2.3, -1.6)])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_petals_have_their_order(centre: tuple[float, float], noise: float) -> None:
    """Flowers of 2 to 5 petals have their orders, anywhere near the middle, also in noise."""
    flowers = torch.cat([petals(k, centre, noise) for k in (2, 3, 4, 5)])
    assert symmetry_orders(flowers) == [2, 3, 4, 5]


def test_other_templates_have_order_one() -> None:
    """A spot less makes a flower asymmetric, and smooth noise has no symmetry."""
    broken = petals(4) - 0.7 * petals(1)
    assert symmetry_orders(torch.cat([broken, smooth_noise(4, SIZE)])) == [1] * 5


def test_discs_and_empty_pictures_are_round() -> None:
    """No turn changes a disc, a ring or an empty picture."""
    ring = petals(40)
    assert symmetry_orders(torch.cat([ring, 1 - ring, torch.zeros(1, 1, *SIZE)])) == [ROUND] * 3


def test_objects_at_the_rim_have_order_one() -> None:
    """An object whose turns leave the frame cannot be judged."""
    assert symmetry_orders(petals(2, (9.0, 0.0)).roll(3, -1)) == [1]
