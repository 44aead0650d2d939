"""Networks: evaluation mode within a context."""

from __future__ import annotations

import pytest
from torch import nn

from unwarp.models.encoder import Encoder
from unwarp.models.networks import Networks
from unwarp.warps import Identity


def test_evaluating_restores_each_mode() -> None:
    """Each network has its earlier mode again, also after an error."""
    networks = Networks(Encoder(Identity(), 2), nn.Linear(2, 2).eval(), nn.Identity())
    with pytest.raises(RuntimeError, match="stop"), networks.evaluating():
        assert not networks.encoder.training and not networks.decoder.training
        raise RuntimeError("stop")
    assert networks.encoder.training and not networks.decoder.training and networks.link.training
