"""NumPy's `.npy` and `.npz` files: samples, with labels, lengths and time stamps beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
from numpy.lib.format import MAGIC_PREFIX as MAGIC

from unwarp.core import Array
from unwarp.data.formats.registry import reader
from unwarp.data.formats.text import gathered
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

DATA_KEYS = ("x", "X", "images", "data")
"""Names under which an `.npz` file may hold its samples, the first found counts."""


LABEL_KEYS = ("labels", "y")
"""Names under which an `.npz` file may hold its classes."""


SERIES_KEYS = ("times", "lengths")
"""Names in an `.npz` file of time stamps (T,) or (N, T), and of the lengths of series (N,)."""


def write_npz(path: Path, x: Array) -> None:
    """Write samples (N, ...) under the name `x`."""
    np.savez(path, x=x)


@reader(".npy", description="an array of samples", writer=np.save)
def read_npy(path: Path) -> Source:
    """An array (N, ...), mapped from disk.

    Raises:
        DataError: Damaged, of Python objects, or without samples.
    """
    with _undamaged(path):
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start != MAGIC:
            raise DataError(
                f"{path} is not an .npy file: it starts with {start!r}; write it with numpy.save"
            )
        x = _samples(np.load(path, mmap_mode="r", allow_pickle=False), path)
        return Source(x, None, None, describe(x))


@reader(".npz", description="arrays of samples, labels, lengths and times", writer=write_npz)
def read_npz(path: Path) -> Source:
    """Samples (N, ...) with labels, or series with lengths and time stamps.

    Raises:
        DataError: Damaged, of Python objects, without samples, or arrays that do not fit together.
    """
    with _undamaged(path):
        if not is_zipfile(path):
            raise DataError(
                f"{path} is not an .npz file, or its end is missing; write it with numpy.savez"
            )
        # opened here, for NumPy leaves a damaged file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            key, label_key = _keys(path, archive.files)
            x = _samples(archive[key], path)
            labels = None if label_key is None else archive[label_key]
            extra = {name: archive[name] for name in SERIES_KEYS if name in archive.files}
    if labels is not None and labels.shape != x.shape[:1]:
        raise DataError(
            f"{path}: {label_key} has shape {labels.shape}, {key} has {len(x)} samples; give one label each"
        )
    return _series(path, x, labels, **extra) if extra else Source(x, None, labels, describe(x))


def _series(
    path: Path,
    x: Array,
    labels: Array | None,
    times: Array | None = None,
    lengths: Array | None = None,
) -> Source:
    """Series (N, T) or (N, C, T) cut to their lengths, with their time stamps."""
    if x.ndim not in (2, 3) or x.dtype.kind not in "biuf":
        raise DataError(
            f"{path} holds times or lengths, which series have; x is {x.dtype} of shape {x.shape}"
        )
    count, steps = len(x), x.shape[-1]
    kept = np.full(count, steps) if lengths is None else lengths
    if (
        kept.shape != (count,)
        or kept.dtype.kind not in "iu"
        or kept.min() < 1
        or kept.max() > steps
    ):
        raise DataError(
            f"{path}: lengths must be {count} whole numbers from 1 to {steps}, one a series"
        )
    if times is not None and (
        times.shape not in ((steps,), (count, steps)) or times.dtype.kind not in "iuf"
    ):
        raise DataError(
            f"{path}: times are {times.dtype} of shape {times.shape}; give numbers, {(count, steps)}"
        )
    rows = [np.atleast_2d(row)[:, :n].astype(np.float32) for row, n in zip(x, kept, strict=True)]
    stamps = (
        None if times is None else list(np.broadcast_to(times, (count, steps)).astype(np.float64))
    )
    cut = None if stamps is None else [row[:n] for row, n in zip(stamps, kept, strict=True)]
    return gathered(rows, labels, ".npz" if cut is None else ".npz, time stamps", times=cut)


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
        raise DataError(
            f"{path} is damaged or cut short: {error or type(error).__name__}; write it again"
        ) from error


def _keys(path: Path, keys: list[str]) -> tuple[str, str | None]:
    """The keys of the samples and of the labels, if any."""
    labels = next((key for key in LABEL_KEYS if key in keys), None)
    others = [key for key in keys if key not in LABEL_KEYS + SERIES_KEYS]
    found = [key for key in DATA_KEYS if key in keys] or (others if len(others) == 1 else [])
    if not found:
        raise DataError(
            f"{path} holds {', '.join(keys) or 'no array'}; name the samples {' or '.join(DATA_KEYS)}"
        )
    return found[0], labels


def _samples(x: Array, path: Path) -> Array:
    if x.ndim == 0 or x.size == 0:
        raise DataError(
            f"{path} holds an array of shape {x.shape}; the first axis must count one or more samples"
        )
    return x
