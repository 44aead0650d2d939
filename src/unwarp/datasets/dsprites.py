"""dSprites: equivalent rendered frames, and the published file.

White squares, ellipses and hearts on black, 64 x 64, over a full grid of colour (1), shape (3),
scale (6), orientation (40), position x (32) and position y (32). The renderer draws the same grid,
so that experiments need no download.

Convention:
    See `unwarp.datasets.sprites.grid`.

Reference:
    Matthey, Higgins, Hassabis, Lerchner (2017), dSprites: Disentanglement testing Sprites dataset.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.datasets.sprites.archive import read_frames, unpack
from unwarp.datasets.sprites.grid import (
    FACTORS,
    GRID_SHAPE,
    SHAPES,
    SYMMETRY,
    factor_values,
    latent_classes,
    latent_values,
    true_maps,
)
from unwarp.datasets.sprites.renderer import render
from unwarp.errors import DataError

__all__ = ["FACTORS", "SHAPES", "SYMMETRY", "load", "read", "rows", "unpack"]

RENDERED = "rendered, dSprites-equivalent"
LICENCE = "Apache-2.0 (dSprites)"
SAMPLE_SIZES = {"train": 20_000, "test": 4_000}


def load(part: str = "train", n: int | None = None, seed: int = 0) -> Dataset:
    """Render a random sample of the grid.

    Args:
        part: `train` or `test`; the two share no picture, for any seeds.
        n: Number of frames; None for 20,000 or 4,000.
        seed: Seed of the sample within the part.

    Returns:
        Frames (N, 1, 64, 64), 0 or 1. Labels are shapes, `factors` are shape, scale, orientation
        and position, `maps` are relative to the canonical sprite of each shape.

    Raises:
        DataError: The part is unknown, or has fewer than `n` frames.

    >>> load("test", n=5).x.shape
    torch.Size([5, 1, 64, 64])
    """
    classes = latent_classes(rows(part, n, seed))
    frames = render(latent_values(classes))
    return _dataset(frames, classes, RENDERED, f"{RENDERED} (Matthey et al. 2017)")


def rows(part: str, n: int | None = None, seed: int = 0) -> Array:
    """Draw the rows of the published file that `load` renders.

    The last orientation, which repeats the first, is left out. A fixed tenth of the other rows
    (71,884) is for `test`, the others (646,964) are for `train`.

    Args:
        part: `train` or `test`.
        n: Number of rows; None for 20,000 or 4,000.
        seed: Seed of the sample within the part.

    Returns:
        Different row numbers (n,), in random order.

    Raises:
        DataError: The part is unknown, or has fewer than `n` rows.
    """
    if part not in SAMPLE_SIZES:
        raise DataError(f"part={part!r} is unknown; choose train or test")
    distinct = np.arange(math.prod(GRID_SHAPE)).reshape(GRID_SHAPE)[:, :, :, :-1].ravel()
    order = np.random.default_rng(0).permutation(distinct)
    n_test = len(order) // 10
    pool = order[:n_test] if part == "test" else order[n_test:]
    n = SAMPLE_SIZES[part] if n is None else n
    if not 0 < n <= len(pool):
        raise DataError(f"n={n} frames cannot be drawn for {part}; give 1 to {len(pool)}")
    return np.random.default_rng(seed).choice(pool, n, replace=False)


def read(path: str | Path, rows: Array, unpacked: str | Path | None = None) -> Dataset:
    """Read some frames of the published file.

    All frames take 3 GB, so they are streamed from the compressed file, which also checks its
    checksum, or mapped from the file that `unpack` writes.

    Args:
        path: `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.
        rows: Row numbers (N,), such as `rows("train")`, in any order.
        unpacked: The file that `unpack` wrote; None to stream.

    Returns:
        Frames (N, 1, 64, 64), with the labels, factors and maps that `load` gives.

    Raises:
        DataError: The file is absent, damaged or another one, or has no such rows.
    """
    frames, classes = read_frames(path, rows, unpacked)
    return _dataset(frames, classes, "dsprites", "dSprites (Matthey et al. 2017)")


def _dataset(frames: Array, classes: Array, name: str, source: str) -> Dataset:
    """Frames (N, 64, 64) as a data set, with the facts that follow from their grid indices."""
    return Dataset(
        torch.from_numpy(frames.astype(np.float32))[:, None],
        name,
        source,
        LICENCE,
        labels=classes[:, 1].astype(np.int64),
        maps=true_maps(classes),
        factors=FACTORS,
        factor_values=factor_values(classes),
        orders=SYMMETRY,
    )
