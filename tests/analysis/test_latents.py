"""Points of a latent space: rendering leaves a model as it was."""

from __future__ import annotations

import pytest
import torch

from tests.analysis.random_models import X, random_model
from unwarp.analysis.interpolation import interpolate
from unwarp.analysis.traversal import traverse
from unwarp.errors import ConfigError


def test_a_model_is_left_as_it_was() -> None:
    model = random_model().train()
    walk = traverse(model, X)
    assert model.training and not walk.x.requires_grad
    with pytest.raises(ConfigError):
        interpolate(model, X[0], X[1], 1)
    assert model.training
    calm = traverse(model.eval(), X)
    assert torch.equal(calm.x, walk.x) and not model.training
