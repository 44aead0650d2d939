"""Short runs of small models."""

from __future__ import annotations

from dataclasses import replace

import torch

from unwarp.data.dataset import Dataset
from unwarp.models import AE, VAE, Model, Net, Recipe
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History
from unwarp.warps import Affine2d

SMALL = Net("mlp", (16,), (16,))
AUTO = AE(warp=Affine2d(), n_content=3, net=SMALL)
CIRCLE = AE(
    warp=Affine2d(rotation=180), n_content=3, net=SMALL, starts=4, pose_clusters=2, pose_updates=4
)
VARIATIONAL = VAE(warp=Affine2d(), n_content=3, net=SMALL, rate_warmup=10)


def pictures(n: int = 40) -> Dataset:
    """Noise (n, 1, 10, 10) with more noise drawn afresh."""
    x = torch.rand(n, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    return Dataset(
        x,
        draw=lambda x, generator: (x + 0.1 * torch.rand(x.shape, generator=generator)).clamp(0, 1),
    )


def fit(
    recipe: Recipe, callbacks: tuple[Callback, ...] = (), steps: int = 30, seed: int = 0
) -> tuple[Model, History]:
    """A trained model and its history; averaged weights replace its own."""
    model = recipe.build((1, 10, 10), seed=0)
    players = tuple(replace(p, ema=0.9) for p in recipe.players(model))
    history = train(
        model,
        players,
        pictures(),
        steps=steps,
        batch_size=16,
        seed=seed,
        device="cpu",
        callbacks=callbacks,
    )
    return model, history
