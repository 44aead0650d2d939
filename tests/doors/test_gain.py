"""Contrast of pictures as a part of their deformation."""

from __future__ import annotations

import numpy as np

from unwarp import Unwarper
from unwarp.core import Array


def spots(n: int = 60, size: int = 20) -> tuple[Array, Array]:
    """Spots (N, H, W) anywhere on a dark ground, and their contrasts (N,) from 0.5 to 1."""
    random = np.random.default_rng(0)
    grid = np.mgrid[:size, :size]
    centres = random.uniform(7, size - 7, (n, 2))[:, :, None, None]
    gains = random.uniform(0.5, 1.0, n)
    x = gains[:, None, None] * np.exp(-((grid - centres) ** 2).sum(1) / 8)
    return x.astype(np.float32), gains


def test_contrast_is_found() -> None:
    """The column `gain` follows the contrast, and aligned spots are equally bright."""
    x, gains = spots()
    model = Unwarper(
        warp="translation+gain",
        overrides={"prior": 1.0},  # the default prior draws contrasts towards their mean
        content="joint",
        n_content=2,
        max_steps=200,
        random_state=0,
    ).fit(x)
    assert not model.schema_.scaled_per_sample
    found = model.transform_params(x)["gain"]
    assert np.corrcoef(np.log(found), np.log(gains))[0, 1] > 0.95
    before, after = (part.reshape(len(x), -1).max(1) for part in (x, model.align(x)))
    assert after.std() / after.mean() < 0.3 * before.std() / before.mean()
