"""A small estimator, shared by the tests."""

from __future__ import annotations

import pytest
import torch

from tests.pictures import pictures
from unwarp import AE, Affine2d, Chain, Displacement2d, Unwarper


@pytest.fixture(scope="session")
def fitted() -> Unwarper:
    """An autoencoder of small pictures; no test changes it."""
    torch.set_num_threads(1)
    recipe = AE(warp=Chain(Displacement2d(3), Affine2d()), n_content=3)
    return Unwarper(recipe=recipe, max_steps=60, batch_size=16, n_clusters=2).fit(pictures())
