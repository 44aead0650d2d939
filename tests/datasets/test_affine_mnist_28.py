"""The binarised 28 x 28 digits: binary, and fixed for testing."""

from __future__ import annotations

import os

import pytest
import torch

from unwarp.datasets import load

pytestmark = pytest.mark.skipif(
    "UNWARP_DATA" not in os.environ, reason="UNWARP_DATA is not set: MNIST is absent"
)


def test_test_part_is_fixed_and_binary() -> None:
    """Test digits are the same at every load, 0 or 1, with true maps."""
    first, second = load("affine-mnist-28", "test"), load("affine-mnist-28", "test")
    assert first.x.shape == (10_000, 1, 28, 28)
    assert torch.equal(first.x, second.x)
    assert set(first.x.unique().tolist()) == {0.0, 1.0}
    assert first.maps is not None


def test_training_part_is_drawn_anew() -> None:
    """Training digits differ with the generator, and are 0 or 1."""
    data = load("affine-mnist-28", "train")
    assert len(data) == 60_000
    first, second = (
        data.batch(torch.arange(4), torch.Generator().manual_seed(seed)).x for seed in (0, 1)
    )
    assert not torch.equal(first, second)
    assert set(first.unique().tolist()) == {0.0, 1.0}
