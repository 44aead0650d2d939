"""dSprites: rendered images and the published file.

The images, called frames, show a white square, ellipse or heart on black, 64 x 64 pixels. There is
one frame for each combination of colour (1 value), shape (3), scale (6), orientation (40),
position x (32) and position y (32); these combinations are the grid. `load` renders frames of this
grid without a download, `read` reads the published file.

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
from unwarp.range_kinds import Choice

__all__ = ["FACTORS", "SHAPES", "SYMMETRY", "load", "read", "rows", "unpack"]

RENDERED = "rendered, dSprites-equivalent"
"""Name of the rendered frames in reports, to tell them from the published ones."""

LICENCE = "Apache-2.0 (dSprites)"
SAMPLE_SIZES = {"train": 20_000, "test": 4_000}
"""Default number of frames of each part."""


def load(part: str = "train", n: int | None = None, seed: int = 0) -> Dataset:
    """Render a random subset of the frames.

    Args:
        part: `train` or `test`; they have no frame in common, whatever the seeds.
        n: Number of frames; None for 20,000 (`train`) or 4,000 (`test`).
        seed: Seed of the random choice within the part.

    Returns:
        Frames (n, 1, 64, 64), 0 or 1. Labels are the shapes; `factors` are shape, scale,
        orientation and position; `maps` are the deformations of the sprite of each shape at scale
        1, upright and in the middle.

    Raises:
        DataError: The part is unknown, or has fewer than `n` frames.

    >>> load("test", n=5).x.shape
    torch.Size([5, 1, 64, 64])
    """
    classes = latent_classes(rows(part, n, seed))
    frames = render(latent_values(classes))
    return _dataset(frames, classes, RENDERED, f"{RENDERED} (Matthey et al. 2017)")


def rows(part: str, n: int | None = None, seed: int = 0) -> Array:
    """Random row numbers of the published file, for `load` and `read`.

    Frames of the last orientation are left out, because it repeats the first. A fixed tenth of the
    other rows (71,884) belongs to `test`, all others (646,964) belong to `train`.

    Args:
        part: `train` or `test`.
        n: Number of rows; None for 20,000 (`train`) or 4,000 (`test`).
        seed: Seed of the random choice within the part.

    Returns:
        Row numbers without repetition (n,), in random order.

    Raises:
        DataError: The part is unknown, or has fewer than `n` rows.
    """
    if not Choice(tuple(SAMPLE_SIZES)).allows(part):
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

    All frames together take 3 GB. They are therefore decompressed block by block, which also
    verifies the checksum of the file. For repeated reads, `unpack` writes a file without
    compression, which is memory-mapped.

    Args:
        path: Path of `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.
        rows: Row numbers (N,), such as `rows("train")`, in any order.
        unpacked: The file that `unpack` wrote; None to decompress the frames.

    Returns:
        Frames (N, 1, 64, 64), with the same labels, factors and maps as `load` returns.

    Raises:
        DataError: The file does not exist, is damaged or is not dSprites, or has no such rows.
    """
    frames, classes = read_frames(path, rows, unpacked)
    return _dataset(frames, classes, "dsprites", "dSprites (Matthey et al. 2017)")


def _dataset(frames: Array, classes: Array, name: str, source: str) -> Dataset:
    """Frames (N, 64, 64) as a data set; labels, maps and factors follow from `classes` (N, 6)."""
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
