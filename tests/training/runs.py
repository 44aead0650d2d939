"""Short training runs of small models, shared by the tests of this folder."""

from __future__ import annotations

from dataclasses import replace

import torch

from unwarp.core import DivergencePolicy
from unwarp.data.dataset import Dataset
from unwarp.models import AE, VAE, Model, Net, Recipe
from unwarp.training.callbacks import Callback
from unwarp.training.loop import train
from unwarp.training.state import History
from unwarp.warps import Affine2d

SMALL_NET = Net("mlp", (16,), (16,))
AUTOENCODER = AE(warp=Affine2d(), n_content=3, net=SMALL_NET)
FULL_CIRCLE = AE(
    warp=Affine2d(rotation=180),
    n_content=3,
    net=SMALL_NET,
    starts=4,
    pose_clusters=2,
    pose_updates=4,
)
VARIATIONAL = VAE(warp=Affine2d(), n_content=3, net=SMALL_NET, rate_warmup=10)


def pictures(n: int = 40) -> Dataset:
    """Pictures of noise (n, 1, 10, 10), with new noise in each batch."""
    x = torch.rand(n, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    return Dataset(
        x,
        draw=lambda x, generator: (x + 0.1 * torch.rand(x.shape, generator=generator)).clamp(0, 1),
    )


def fit(
    recipe: Recipe,
    callbacks: tuple[Callback, ...] = (),
    steps: int = 30,
    seed: int = 0,
    on_divergence: DivergencePolicy = "stop",
) -> tuple[Model, History]:
    """A model trained on `pictures`, with averaged weights, and its history."""
    model = recipe.build((1, 10, 10), seed=0)
    players = tuple(replace(player, ema=0.9) for player in recipe.players(model))
    history = train(
        model,
        players,
        pictures(),
        steps=steps,
        batch_size=16,
        seed=seed,
        device="cpu",
        on_divergence=on_divergence,
        callbacks=callbacks,
    )
    return model, history
