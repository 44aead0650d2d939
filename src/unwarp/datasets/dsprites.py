"""dSprites: its published file, read without pickle, and a rendered, dSprites-equivalent set where that is not at hand.

Source: Matthey, Higgins, Hassabis, Lerchner (2017), dSprites: Disentanglement testing Sprites dataset. White squares,
ellipses and hearts on black, 64 x 64, over a full grid of colour (1), shape (3), scale (6), orientation (40), position x
(32) and y (32). The renderer draws the same grid. Held against real pictures, none of its frames differs by more than 7
of 4,096 pixels, and the average by less than one; so it is called rendered, dSprites-equivalent.

Convention:
    Orientation is positive counter-clockwise as seen, and the true map of a frame moves the shape's canonical sprite
    (scale 1, upright, in the middle) to where it is seen: `p_obs = R s p_sprite + t`. The first and the last of the 40
    orientations are the same picture; both count as 0 degrees. Positions are in pixels from the middle, right and down.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.lib import format as npy

from unwarp.core import Array, Factor
from unwarp.data.dataset import Dataset
from unwarp.errors import DataError
from unwarp.warps import AffineMap, Similarity2d

SIZE = 64
GRID = (1, 3, 6, 40, 32, 32)
"""Number of values of colour, shape, scale, orientation, position x and position y; the last varies fastest."""

SHAPES = ("square", "ellipse", "heart")
SYMMETRY = {0: 4, 1: 2, 2: 1}
"""How many turns of the full circle leave each shape as it was, by label."""

FACTORS = (
    Factor("shape", "class", 0, 2),
    Factor("scale", "factor", 0.5, 1.0),
    Factor("orientation_deg", "deg", 0.0, 360.0, periodic=True),
    Factor("position_x_px", "px", -16.0, 16.0),
    Factor("position_y_px", "px", -16.0, 16.0),
)
RENDERED = "rendered, dSprites-equivalent"
LICENCE = "Apache-2.0 (dSprites)"
URL = "https://github.com/google-deepmind/dsprites-dataset"

HALF_SIDE = 9.6
HALF_AXES = (12.76, 7.22)
HEART = """
53239 53239 56118 62027 64710 65441 72444 72444 75166 77134 80443 80443 82557 83956 86022 90614 90614 90614
94068 95654 98071 98071 98222 101033 102191 103518 103518 105119 106303 106535 107686 107686 108854 108854
110226 110496 110626 110626 112019 112304 111982 112106 112225 112274 112019 112019 112019 112876 112451 112451
112403 112304 112019 112123 111280 111280 111834 110226 110226 109075 108519 107809 107809 107834 106706 105907
105488 104580 104193 102580 101830 101215 100916 98490 96831 96831 96520 95131 94600 92465 91241 91241 90262
88600 88600 86313 84664 84664 83889 82397 80911 80911 79057 77581 77581 77134 75433 75433 73824 72444 72444
71090 70801 70643 69357 68663 67821 67821 67334 65950 65950 65767 64405 64405 64724 64416 62730 62954 62344
62344 61649 61967 62027 61455 60658 60243 60243 60002 59353 59626 59359 59359 58236 58712 58712 58712 58712
58712 58236 59149 59149 59626 59353 59458 59458 59458 58712 58712 62027 61967 61649 61341 61747 61747 61747
62763 63503 63651 63651 64416 64416 65950 66708 67639 67639 67639 69357 71116 71274 71274 72444 75798 75798
77134 78419 80911 84342 85120 88032 95002 95002
"""
"""Radius of the heart at scale 1, in 1e-4 pixels, from -90 (up) to 90 degrees (down), its left like its right."""

WINDOW = 32
BLOCK = 1000


def load(part: str = "train", n: int | None = None, seed: int = 0) -> Dataset:
    """Rendered, dSprites-equivalent frames (N, 1, 64, 64), 0 or 1: a random sample of the grid.

    Args:
        part: `train` or `test`; no picture of one is in the other, whatever the seeds.
        n: Number of frames; None for 20,000 or 4,000.
        seed: Which sample of the part.

    Raises:
        DataError: An unknown part, or more frames than it has.
    """
    chosen = classes(rows(part, n, seed))
    return _dataset(render(values(chosen)), chosen, RENDERED, f"{RENDERED} (Matthey et al. 2017)")


def rows(part: str, n: int | None = None, seed: int = 0) -> Array:
    """Rows (n,) of the published file that `load` draws: a tenth of the pictures is kept for `test`.

    The last orientation, which repeats the first, is left out.
    """
    sizes = {"train": 20_000, "test": 4_000}
    if part not in sizes:
        raise DataError(f"part={part!r} is unknown; choose train or test")
    every = np.arange(math.prod(GRID)).reshape(GRID)[:, :, :, :-1].ravel()
    order = np.random.default_rng(0).permutation(every)
    pool = order[: len(order) // 10] if part == "test" else order[len(order) // 10 :]
    n = sizes[part] if n is None else n
    if not 0 < n <= len(pool):
        raise DataError(f"n={n} frames cannot be drawn for {part}; give 1 to {len(pool)}")
    return np.random.default_rng(seed).choice(pool, n, replace=False)


def classes(rows: Array) -> Array:
    """Grid indices (N, 6) of rows (N,) of the published file, as its `latents_classes`."""
    return np.stack(np.unravel_index(rows, GRID), 1)


def values(classes: Array) -> Array:
    """Values (N, 6) of grid indices (N, 6), as the published `latents_values`: orientation in radians, positions 0 to 1."""
    start, step = (
        np.array([1.0, 1.0, 0.5, 0.0, 0.0, 0.0]),
        np.array([0.0, 1.0, 0.1, 2 * np.pi / 39, 1 / 31, 1 / 31]),
    )
    found: Array = start + step * classes
    return found


def render(values: Array) -> Array:
    """Rendered, dSprites-equivalent frames (N, 64, 64) uint8, 0 or 1, of `values` (N, 6) as published, on the grid or off.

    A pixel is 1 where its centre lies within the shape; nothing is smoothed.
    """
    frames = np.zeros((len(values), SIZE, SIZE), np.uint8)
    for start in range(0, len(values), BLOCK):
        _draw(np.asarray(values[start : start + BLOCK], float), frames[start : start + BLOCK])
    return frames


def _draw(values: Array, frames: Array) -> None:
    """Draw into the empty `frames` (n, 64, 64), within the 32 x 32 pixels around each sprite that hold all of it."""
    shape, scale, angle = values[:, 1], values[:, 2, None, None], values[:, 3, None, None]
    centre = 16 + 32 * values[:, 4:]
    first = np.floor(centre).astype(int) - WINDOW // 2
    pixel = first[:, :, None] + np.arange(WINDOW)
    offset = pixel + 0.5 - centre[:, :, None]
    right, down = offset[:, 0, None, :], offset[:, 1, :, None]
    u = (right * np.cos(angle) - down * np.sin(angle)) / scale
    v = (right * np.sin(angle) + down * np.cos(angle)) / scale
    inside = np.zeros(u.shape, bool)
    for label, within in enumerate((_square, _ellipse, _heart), start=1):
        inside[shape == label] = within(u[shape == label], v[shape == label])
    sample = np.arange(len(values))[:, None, None]
    frames[sample, pixel[:, 1, :, None], pixel[:, 0, None, :]] = inside


def _square(u: Array, v: Array) -> Array:
    return (np.abs(u) < HALF_SIDE) & (np.abs(v) < HALF_SIDE)


def _ellipse(u: Array, v: Array) -> Array:
    return (u / HALF_AXES[0]) ** 2 + (v / HALF_AXES[1]) ** 2 < 1


def _heart(u: Array, v: Array) -> Array:
    outline = np.array(HEART.split(), float) / 1e4
    return np.hypot(u, v) < np.interp(
        np.arctan2(v, np.abs(u)), np.deg2rad(np.arange(-90, 91)), outline
    )


def true_maps(classes: Array) -> AffineMap:
    """The deformation of each frame of grid indices (N, 6), relative to the canonical sprite of its shape."""
    pose = values(classes)
    theta = np.stack(
        [pose[:, 3] % (2 * np.pi), np.log(pose[:, 2]), pose[:, 4] - 0.5, pose[:, 5] - 0.5], 1
    )
    return Similarity2d(size=(SIZE, SIZE)).map(torch.from_numpy(theta.astype(np.float32)))


def sprites() -> Array:
    """The canonical sprites (3, 64, 64) uint8, 0 or 1: each shape at scale 1, upright, in the middle."""
    return render(np.array([[1.0, shape, 1.0, 0.0, 0.5, 0.5] for shape in (1, 2, 3)]))


def read(path: str | Path, rows: Array, unpacked: str | Path | None = None) -> Dataset:
    """Some frames (N, 1, 64, 64) of the published `.npz` file; its pickled `metadata` is never touched.

    The frames are 3 GB, so they are streamed from the compressed file, whose checksum is thereby checked, or mapped from
    the file that `unpack` writes.

    Args:
        path: `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`.
        rows: Which rows (N,), such as `rows("train")`, in any order.
        unpacked: What `unpack` wrote; None streams.

    Raises:
        DataError: An absent, damaged or different file, or rows that it does not have.
    """
    path = Path(path).expanduser()
    with _members(path) as archive:
        table = _latents(archive, path)
        rows = np.asarray(rows)
        if (
            rows.ndim != 1
            or rows.dtype.kind not in "iu"
            or not rows.size
            or not 0 <= rows.min() <= rows.max() < len(table)
        ):
            raise DataError(
                f"rows must be whole numbers (N,) of 0 to {len(table) - 1}, got {rows.dtype} {rows.shape}"
            )
        frames = (
            _streamed(archive, path, rows, len(table))
            if unpacked is None
            else _mapped(unpacked, len(table))[rows]
        )
    if frames.max() > 1:
        raise DataError(
            f"{path} has pixels of {frames.max()}, they should be 0 or 1; fetch it again from {URL}"
        )
    return _dataset(frames, table[rows], "dsprites", "dSprites (Matthey et al. 2017)")


def unpack(path: str | Path, to: str | Path) -> Path:
    """Write the frames of the published `.npz` file uncompressed into the `.npy` file `to` (3 GB), for `read` to map.

    Raises:
        DataError: An absent, damaged or different file.
    """
    path, to = Path(path).expanduser(), Path(to).expanduser()
    partial = to.with_name(to.name + ".partial")
    with _members(path) as archive:
        shape = (len(_latents(archive, path)), SIZE, SIZE)
        try:
            with partial.open("wb") as file:
                npy.write_array_header_1_0(
                    file, {"descr": "|u1", "fortran_order": False, "shape": shape}
                )
                for block in _blocks(archive, path, shape[0]):
                    file.write(block.data)
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)
    return to


def _dataset(frames: Array, classes: Array, name: str, source: str) -> Dataset:
    pose = values(classes)
    turn = classes[:, 3] % 39 * (360 / 39)
    factor_values = np.stack(
        [classes[:, 1], pose[:, 2], turn, 32 * pose[:, 4] - 16, 32 * pose[:, 5] - 16], 1
    )
    x = torch.from_numpy(frames.astype(np.float32))[:, None]
    return Dataset(
        x,
        name,
        source,
        LICENCE,
        labels=classes[:, 1].astype(np.int64),
        maps=true_maps(classes),
        factors=FACTORS,
        factor_values=factor_values,
        orders=SYMMETRY,
    )


@contextmanager
def _members(path: Path) -> Iterator[zipfile.ZipFile]:
    """The opened file; whatever a damaged one makes of itself becomes one typed error."""
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; fetch dSprites' .npz file from {URL}, or use load() to render the like"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is damaged or not dSprites ({error or type(error).__name__}); fetch it again from {URL}"
        ) from error


def _latents(archive: zipfile.ZipFile, path: Path) -> Array:
    """Grid indices (N, 6), held against the latents' values and against their place in the file."""
    with archive.open("latents_classes.npy") as one, archive.open("latents_values.npy") as two:
        table, given = (npy.read_array(file, allow_pickle=False) for file in (one, two))
    if (
        table.ndim != 2
        or table.shape[1] != 6
        or table.dtype.kind not in "iu"
        or given.shape != table.shape
    ):
        raise DataError(
            f"{path}: latents_classes {table.dtype} {table.shape} should be whole numbers (N, 6) with values"
        )
    on_grid = (
        (table >= 0).all()
        and (table < GRID).all()
        and np.abs(values(table) - given).max(initial=0) < 1e-4
    )
    whole = len(table) == math.prod(GRID)
    if not on_grid or (whole and not np.array_equal(table, classes(np.arange(len(table))))):
        raise DataError(
            f"{path}: latents are not on dSprites' grid, or out of order; fetch it again from {URL}"
        )
    return table


def _blocks(archive: zipfile.ZipFile, path: Path, n: int) -> Iterator[Array]:
    """The frames in order, (1000, 64, 64) uint8 at a time."""
    with archive.open("imgs.npy") as file:
        _check_header(file, path, n)
        for start in range(0, n, BLOCK):
            count = min(BLOCK, n - start)
            raw = file.read(count * SIZE * SIZE)
            if len(raw) < count * SIZE * SIZE:
                raise DataError(
                    f"{path} ends within frame {start + len(raw) // SIZE**2} of {n}; fetch it again from {URL}"
                )
            yield np.frombuffer(raw, np.uint8).reshape(count, SIZE, SIZE)
        if file.read(1):
            raise DataError(
                f"{path} holds more than the {n} frames that it announces; fetch it again from {URL}"
            )


def _check_header(file: IO[bytes], path: Path, n: int) -> None:
    version = npy.read_magic(file)
    shape, fortran, dtype = (
        npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    )(file)
    if shape != (n, SIZE, SIZE) or fortran or dtype != np.uint8:
        raise DataError(
            f"{path}: imgs should be uint8 ({n}, 64, 64) row by row, it is {dtype} {shape}"
        )


def _streamed(archive: zipfile.ZipFile, path: Path, rows: Array, n: int) -> Array:
    frames = np.empty((len(rows), SIZE, SIZE), np.uint8)
    for start, block in zip(range(0, n, BLOCK), _blocks(archive, path, n), strict=True):
        here = np.flatnonzero((rows >= start) & (rows < start + len(block)))
        frames[here] = block[rows[here] - start]
    return frames


def _mapped(path: str | Path, n: int) -> Array:
    try:
        frames: Array = np.load(Path(path).expanduser(), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be mapped ({error}); write it with unpack()") from error
    if frames.shape != (n, SIZE, SIZE) or frames.dtype != np.uint8:
        raise DataError(
            f"{path} should be uint8 ({n}, 64, 64), it is {frames.dtype} {frames.shape}; unpack it again"
        )
    return frames
