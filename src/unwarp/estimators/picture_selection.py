"""Selection of a warp for pictures: none or affine.

Pictures that stand upright and in place already, such as photographs of clothes for a shop, are
harmed by a warp that turns and squeezes them: a narrow thing of one kind becomes a wide one of
another. As for series (`unwarp.estimators.selection`), two variational autoencoders with equally
many latents are compared, with an affine warp and without. The warp must reduce the description
length of a held-out picture by `MIN_SAVED_NATS`, averaged over folds; if it does not, no warp is
selected. Without a trial, the affine warp is selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.core import IMAGES, DivergencePolicy
from unwarp.estimators.choices import MIN_SAVED_NATS, Selection
from unwarp.estimators.selection import STEPS_OF_TRIAL, saved_nats
from unwarp.estimators.trials import Trials, folds
from unwarp.models import VAE
from unwarp.planning.defaults import infer_padding
from unwarp.warps import Affine2d

MIN_PICTURES_FOR_TRIAL, MAX_PICTURES_FOR_TRIAL = 200, 1500
"""Bounds of the number of pictures of a trial; two thirds are for training, the rest is held out.
"""

MAX_SIDE_IN_TRIAL = 32
"""Longest side of a picture in a trial, in pixels; larger ones are reduced, to save time."""

TRIALS_PER_FOLD = 2
"""Number of trials of a fold."""

DESCRIBING_RECIPE = VAE(warp=Affine2d(), prior="learned")
"""Recipe of the variational autoencoder with a warp."""


def select_for_pictures(
    x: Tensor,
    *,
    seed: int = 0,
    steps: int = STEPS_OF_TRIAL,
    seconds: float | None = None,
    device: str = "cpu",
    on_divergence: DivergencePolicy = "stop",
    on_message: Callable[[str], None] = lambda message: None,
) -> Selection:
    """Select whether to warp pictures, by trials on held-out pictures.

    Args:
        x: Training pictures (N, C, H, W), scaled for a model.
        seed: Seed of the choice of pictures, folds, weights and batches.
        steps: Training steps of a trial.
        seconds: Longest time of all trials together, in seconds; None for no limit.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_divergence: Reaction to a trial that diverges, as in `train`.
        on_message: Function that shows a line to people. It is called before each fold.

    Returns:
        The selected warp with its measurements.
    """
    affine = Selection("affine", domain=IMAGES.name)
    if len(x) < MIN_PICTURES_FOR_TRIAL or steps < STEPS_OF_TRIAL:
        return affine
    x = pictures_for_trial(x, seed)
    rows = list(folds(len(x), seed))
    share = None if seconds is None else seconds / (TRIALS_PER_FOLD * len(rows))
    options = {"seed": seed, "device": device, "on_divergence": on_divergence}
    trials = Trials(x, STEPS_OF_TRIAL, share, options, on_message, IMAGES.batch_size)
    saved = saved_nats(trials, rows, infer_padding(DESCRIBING_RECIPE, x, IMAGES))
    if trials.cut:  # a model that was hardly trained says nothing
        return replace(affine, cut=True)
    return replace(
        affine, choice="affine" if mean(saved) >= MIN_SAVED_NATS else "none", saved=saved
    )


def pictures_for_trial(x: Tensor, seed: int) -> Tensor:
    """A random part of the pictures, reduced in size.

    Args:
        x: Pictures (N, C, H, W).
        seed: Seed of the choice.

    Returns:
        At most 1,500 pictures, with at most 32 pixels along their longest side.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    x = x[order[:MAX_PICTURES_FOR_TRIAL]]
    factor = -(-max(x.shape[2:]) // MAX_SIDE_IN_TRIAL)
    return x if factor == 1 else F.avg_pool2d(x, factor, ceil_mode=True)
