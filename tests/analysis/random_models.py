"""Models with random weights, and pictures for them."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.models import AE, VAE, Model, Net
from unwarp.models.latent import Latent
from unwarp.warps import Affine2d, Chain, Displacement2d, Warp

SMALL = Net("mlp", (16,), (16,))
X = smooth_noise(9, (12, 12))
CHAIN = Chain(Displacement2d(3), Affine2d())


def random_model(recipe: type[AE] | type[VAE] = AE, warp: Warp = CHAIN) -> Model:
    """A model with random weights: no two samples have the same code or deformation."""
    model = recipe(warp=warp, n_content=4, net=SMALL).build((1, 12, 12))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=generator)
    model.centre(X)
    return model.eval()


def reconstruct(model: Model, x: Tensor) -> tuple[Latent, Tensor]:
    """The latents of samples, and their reconstructions."""
    with torch.no_grad():
        latent = model.embed(x)
        return latent, model.reconstruct(latent)


def constant_decoder(model: Model, picture: Tensor) -> Any:
    """A context in which the model decodes every code to `picture`."""
    return patch.object(
        model, "decode", side_effect=lambda content: picture.expand(len(content), -1, -1, -1)
    )
