"""Latents: content and deformation, which can be exchanged between samples."""

from __future__ import annotations

from dataclasses import replace

import torch

from unwarp.models import AE, Net
from unwarp.models.latent import Latent
from unwarp.warps import Affine2d


@torch.no_grad()
def test_latent_parts_can_be_exchanged() -> None:
    """Each row of a batch shows its content under its map, also under that of another row."""
    warp = Affine2d(size=(8, 8))
    recipe = AE(warp=warp, n_content=3, net=Net("mlp", (8,), (8,)))
    model = recipe.build((1, 8, 8)).eval()
    latent = Latent(torch.eye(3)[:2], warp.map(0.5 * torch.eye(6)[:2]))
    exchanged = replace(latent, map=latent.map[torch.tensor([1, 0])])
    expected = Latent(latent.content[:1], latent.map[1:])
    torch.testing.assert_close(model.reconstruct(exchanged)[:1], model.reconstruct(expected))
    assert not torch.allclose(model.reconstruct(exchanged), model.reconstruct(latent))
