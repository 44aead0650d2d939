"""The identity."""

from __future__ import annotations

import torch

from tests.pictures import smooth_noise
from unwarp.warps import Identity, align

FRAME = (24, 32)


def test_identity_returns_its_argument() -> None:
    """The identity returns the very array, deformed or aligned."""
    x = smooth_noise(2, FRAME)
    map = Identity().map(torch.zeros(2, 0))
    assert map(x) is x
    assert align(x, map) is x
