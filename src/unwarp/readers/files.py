"""A path of a user as arrays: a folder of pictures, `.npy` or `.npz`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.lib.format import MAGIC_PREFIX as MAGIC
from numpy.typing import NDArray

from unwarp.readers.arrays import blocks
from unwarp.readers.images import SUFFIXES, class_names, read_folder
from unwarp.readers.layout import oriented
from unwarp.types import DataError

Array = NDArray[Any]

DATA_KEYS = ("x", "X", "images", "data")
"""Names under which an `.npz` file may hold its samples, the first found counts."""

LABEL_KEYS = ("labels", "y")
"""Names under which an `.npz` file may hold its classes."""


@dataclass(frozen=True, eq=False)
class Source:
    """What a path holds.

    Attributes:
        x: The samples as stored, N first; `as_samples` brings them to the house's layout.
        names: File of each sample (N), for folders.
        labels: Class of each sample (N,), where known; metrics alone use it.
        found: The samples in words, such as `1,203 pictures, 64 x 64, 3 channels, uint8 0 to 255`.
    """

    x: Array
    names: list[str] | None
    labels: Array | None
    found: str


def read(source: str | Path) -> Source:
    """The samples at `source`: a folder of pictures, an `.npy` file (mapped from disk) or an `.npz` file.

    Raises:
        DataError: Nothing there, an unknown or damaged file, Python objects in it, or arrays that do not fit together.
    """
    path = Path(source).expanduser()
    if not str(source) or not path.exists():
        raise DataError(f"{str(source)!r} does not exist; give a folder of pictures or a file: {', '.join(READERS)}")
    if path.is_dir():
        x, names = read_folder(path)
        return Source(x, names, class_names(names), describe(x, x.shape[1:]))
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        mend = "for pictures, give their folder" if path.suffix.lower() in SUFFIXES else "convert it"
        raise DataError(f"{path} is not of a known kind; known are a folder, {', '.join(READERS)}: {mend}")
    return reader(path)


def describe(x: Array, image_shape: tuple[int, ...] | None = None) -> str:
    """Samples (N, ...) in one line: how many, of what size, their dtype and range.

    >>> describe(np.eye(3))
    '3 series, 3 time steps, 1 channel, float64 0 to 1'
    """
    numbers = f"{x.dtype}{_range(x)}" if x.dtype.kind in "biuf" else f"{x.dtype}"
    try:
        samples, found = oriented(x, image_shape=image_shape)
    except DataError:
        return f"array of shape {x.shape}, {numbers}"
    if found == "series":
        return (
            f"{len(x):,} series, {_count(x.shape[-1], 'time step')}, {_count(samples.shape[1], 'channel')}, {numbers}"
        )
    _, channels, height, width = samples.shape
    size = f"{height} x {width}" if height == width else f"{height} high x {width} wide"
    return f"{_count(len(x), 'picture')}, {size}, {_count(channels, 'channel')}, {numbers}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _range(x: Array) -> str:
    """The range of the finite numbers of `x`, and how many are not finite."""
    low, high, bad = np.inf, -np.inf, 0
    for rows in blocks(x):
        good = x[rows][np.isfinite(x[rows])]
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
        bad += x[rows].size - good.size
    return (f" {low:g} to {high:g}" if low <= high else "") + (f", {bad:,} NaN or infinite" if bad else "")


def _read_npy(path: Path) -> Source:
    with _undamaged(path):
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start != MAGIC:
            raise DataError(f"{path} is not an .npy file: it starts with {start!r}; write it with numpy.save")
        x = _samples(np.load(path, mmap_mode="r", allow_pickle=False), path)
        return Source(x, None, None, describe(x))


def _read_npz(path: Path) -> Source:
    with _undamaged(path):
        if not is_zipfile(path):
            raise DataError(f"{path} is not an .npz file, or its end is missing; write it with numpy.savez")
        # opened here, for NumPy leaves a damaged file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            key, label_key = _keys(path, archive.files)
            x = _samples(archive[key], path)
            labels = None if label_key is None else archive[label_key]
    if labels is not None and labels.shape != x.shape[:1]:
        raise DataError(
            f"{path}: {label_key} has shape {labels.shape}, {key} has {len(x)} samples; give one label each"
        )
    return Source(x, None, labels, describe(x))


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Turns whatever NumPy makes of a damaged file into one typed error."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        if "Object arrays" in str(error) or "Python objects" in str(error):
            raise DataError(
                f"{path} holds Python objects, which are never loaded because they can run code; "
                "save numbers, all samples of one size"
            ) from error
        raise DataError(f"{path} is damaged or cut short: {error or type(error).__name__}; write it again") from error


def _keys(path: Path, keys: list[str]) -> tuple[str, str | None]:
    """The keys of the samples and of the labels, if any."""
    labels = next((key for key in LABEL_KEYS if key in keys), None)
    others = [key for key in keys if key not in LABEL_KEYS]
    found = [key for key in DATA_KEYS if key in keys] or (others if len(others) == 1 else [])
    if not found:
        raise DataError(f"{path} holds {', '.join(keys) or 'no array'}; name the samples {' or '.join(DATA_KEYS)}")
    return found[0], labels


def _samples(x: Array, path: Path) -> Array:
    if x.ndim == 0 or x.size == 0:
        raise DataError(f"{path} holds an array of shape {x.shape}; the first axis must count one or more samples")
    return x


READERS: dict[str, Callable[[Path], Source]] = {".npy": _read_npy, ".npz": _read_npz}
"""Kinds of files that are read, and by what."""
