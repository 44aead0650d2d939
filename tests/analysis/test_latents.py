"""Points of a latent space: rendering keeps the mode of a model."""

from __future__ import annotations

import pytest
import torch

from tests.analysis.random_models import X, random_model
from unwarp.analysis.interpolation import interpolate
from unwarp.analysis.traversal import traverse
from unwarp.errors import ConfigError


def test_model_keeps_its_mode() -> None:
    """Walks leave the mode of a model as it was, also after an error."""
    model = random_model().train()
    walk = traverse(model, X)
    assert model.training and not walk.x.requires_grad
    with pytest.raises(ConfigError):
        interpolate(model, X[0], X[1], 1)
    assert model.training
    repeated = traverse(model.eval(), X)
    assert torch.equal(repeated.x, walk.x) and not model.training
