"""Frames (images) of the published dSprites file.

The file is `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`. Its 737,280 frames take 3 GB when
decompressed, so they are read in blocks. The array `metadata` in it is pickled and never loaded,
because a pickle can run code.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from unwarp.core import Array
from unwarp.datasets.sprites.grid import GRID_SHAPE, SIZE, latent_classes, latent_values
from unwarp.errors import DataError

URL = "https://github.com/google-deepmind/dsprites-dataset"
FRAMES_PER_BLOCK = 1000
"""Number of frames that are decompressed at once."""

FRAME_BYTES = SIZE * SIZE
MAX_LATENT_ERROR = 1e-4
"""Largest difference between a latent value in the file and its value on the grid."""


def read_frames(
    path: str | Path, rows: Array, unpacked: str | Path | None = None
) -> tuple[Array, Array]:
    """Read some frames of the published file.

    Without `unpacked`, all frames are decompressed, which also verifies the checksum of the file.

    Args:
        path: The published `.npz` file.
        rows: Row numbers (N,), in any order; they may repeat.
        unpacked: The file that `unpack` wrote; its frames are memory-mapped. None to decompress the
            frames of `path`.

    Returns:
        Frames (N, 64, 64), uint8, 0 or 1, and the indices of their factor values (N, 6), as
        `latent_classes` returns them.

    Raises:
        DataError: The file does not exist, is damaged or is not dSprites, or has no such rows.
    """
    path = Path(path).expanduser()
    with _open_archive(path) as archive:
        classes = _read_classes(archive, path)
        rows = _check_rows(rows, len(classes))
        if unpacked is None:
            frames = _stream_frames(archive, path, rows, len(classes))
        else:
            frames = _map_frames(unpacked, len(classes))[rows]
    if frames.max() > 1:
        raise DataError(
            f"{path} has pixels of {frames.max()}, they should be 0 or 1; fetch it again from {URL}"
        )
    return frames, classes[rows]


def unpack(path: str | Path, destination: str | Path) -> Path:
    """Write all frames of the published file into an uncompressed `.npy` file.

    Args:
        path: The published `.npz` file.
        destination: The file to write, 3 GB, for the argument `unpacked` of `read`. It is written
            completely or not at all.

    Returns:
        The path of the written file.

    Raises:
        DataError: The published file does not exist, is damaged or is not dSprites.
    """
    path, destination = Path(path).expanduser(), Path(destination).expanduser()
    partial = destination.with_name(destination.name + ".partial")
    with _open_archive(path) as archive:
        shape = (len(_read_classes(archive, path)), SIZE, SIZE)
        try:
            with partial.open("wb") as file:
                npy.write_array_header_1_0(
                    file, {"descr": "|u1", "fortran_order": False, "shape": shape}
                )
                for block in _blocks(archive, path, shape[0]):
                    file.write(block.data)
            partial.replace(destination)
        finally:
            partial.unlink(missing_ok=True)
    return destination


@contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the published file, and convert the errors of a damaged one to `DataError`."""
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; fetch dSprites' .npz file from {URL}, "
            "or render equivalent frames with unwarp.datasets.dsprites.load()"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} is damaged or not dSprites ({error or type(error).__name__}); "
            f"fetch it again from {URL}"
        ) from error


def _read_classes(archive: zipfile.ZipFile, path: Path) -> Array:
    """The array `latents_classes` (N, 6), checked.

    It must agree with `latents_values` and, if the file has all frames, be in the order of the
    grid.
    """
    with (
        archive.open("latents_classes.npy") as classes_file,
        archive.open("latents_values.npy") as values_file,
    ):
        classes = npy.read_array(classes_file, allow_pickle=False)
        values = npy.read_array(values_file, allow_pickle=False)
    is_table = classes.ndim == 2 and classes.shape[1] == 6 and classes.dtype.kind in "iu"
    if not is_table or values.shape != classes.shape:
        raise DataError(
            f"{path}: latents_classes should be whole numbers (N, 6) with as many values, "
            f"it is {classes.dtype} {classes.shape}; fetch it again from {URL}"
        )
    is_on_grid = (
        (classes >= 0).all()
        and (classes < GRID_SHAPE).all()
        and np.abs(latent_values(classes) - values).max(initial=0) < MAX_LATENT_ERROR
    )
    is_complete = len(classes) == math.prod(GRID_SHAPE)
    expected = latent_classes(np.arange(len(classes))) if is_complete else classes
    if not is_on_grid or not np.array_equal(classes, expected):
        raise DataError(
            f"{path}: latents are not on dSprites' grid, or out of order; fetch it again from {URL}"
        )
    return classes


def _check_rows(rows: Array, n_frames: int) -> Array:
    """Return the row numbers as an array; refuse them unless they are rows of the file (N,)."""
    rows = np.asarray(rows)
    is_list = rows.ndim == 1 and rows.dtype.kind in "iu" and rows.size > 0
    if not is_list or not 0 <= rows.min() <= rows.max() < n_frames:
        raise DataError(
            f"rows must be whole numbers (N,) of 0 to {n_frames - 1}, "
            f"got {rows.dtype} {rows.shape}; see unwarp.datasets.dsprites.rows()"
        )
    return rows


def _stream_frames(archive: zipfile.ZipFile, path: Path, rows: Array, n_frames: int) -> Array:
    """Frames (N, 64, 64) of `rows`, from a single pass through the compressed file."""
    frames = np.empty((len(rows), SIZE, SIZE), np.uint8)
    starts = range(0, n_frames, FRAMES_PER_BLOCK)
    for start, block in zip(starts, _blocks(archive, path, n_frames), strict=True):
        in_block = np.flatnonzero((rows >= start) & (rows < start + len(block)))
        frames[in_block] = block[rows[in_block] - start]
    return frames


def _blocks(archive: zipfile.ZipFile, path: Path, n_frames: int) -> Iterator[Array]:
    """Blocks of up to 1,000 frames (n, 64, 64), uint8, that cover all frames in order."""
    with archive.open("imgs.npy") as file:
        _check_header(file, path, n_frames)
        for start in range(0, n_frames, FRAMES_PER_BLOCK):
            count = min(FRAMES_PER_BLOCK, n_frames - start)
            raw = file.read(count * FRAME_BYTES)
            if len(raw) < count * FRAME_BYTES:
                raise DataError(
                    f"{path} ends within frame {start + len(raw) // FRAME_BYTES} of {n_frames}; "
                    f"fetch it again from {URL}"
                )
            yield np.frombuffer(raw, np.uint8).reshape(count, SIZE, SIZE)
        if file.read(1):
            raise DataError(
                f"{path} has more than the {n_frames} frames that its header announces; "
                f"fetch it again from {URL}"
            )


def _check_header(file: IO[bytes], path: Path, n_frames: int) -> None:
    """Read the header of the frames, and refuse another shape, order or dtype."""
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran_order, dtype = read_header(file)
    if shape != (n_frames, SIZE, SIZE) or is_fortran_order or dtype != np.uint8:
        raise DataError(
            f"{path}: imgs should be uint8 ({n_frames}, 64, 64) row by row, "
            f"it is {dtype} {shape}; fetch it again from {URL}"
        )


def _map_frames(path: str | Path, n_frames: int) -> Array:
    """A memory map (n_frames, 64, 64) of the file that `unpack` wrote."""
    try:
        frames: Array = np.load(Path(path).expanduser(), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be mapped ({error}); write it with unpack()") from error
    if frames.shape != (n_frames, SIZE, SIZE) or frames.dtype != np.uint8:
        raise DataError(
            f"{path} should be uint8 ({n_frames}, 64, 64), it is {frames.dtype} {frames.shape}; "
            "unpack it again"
        )
    return frames
