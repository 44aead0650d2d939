"""Likelihoods: closed forms, and what lies beyond a template."""

from __future__ import annotations

import pytest
import torch

from unwarp.models import VAE, Net
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_warp_moves_log_odds_and_the_background_beyond_a_template_is_empty() -> None:
    model = VAE(warp=Affine2d(), n_content=4, net=SMALL, crop=0.5).build((1, 16, 16)).eval()
    still = model.warp.map(torch.zeros(2, 6))
    seen = model.decode_warped(torch.randn(2, 4, generator=draw()), still).detach()
    inside = seen[..., 4:12, 4:12]
    assert float(seen.amin()) == pytest.approx(float(torch.sigmoid(torch.tensor(-8.0))), rel=1e-4)
    assert float(inside.amin()) > 0.02
