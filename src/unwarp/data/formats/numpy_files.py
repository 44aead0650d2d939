"""NumPy's `.npy` and `.npz` files: samples, with labels, lengths and time stamps.

No file can run code, because Python objects are never unpickled. Files are written, for example, by

    np.save("images.npy", x)  # (N, H, W), (N, C, H, W) or another array of samples
    np.savez("walks.npz", x=x, labels=labels, times=np.arange(200) / 50)
    np.savez("padded.npz", x=padded, lengths=lengths)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.lib.format import MAGIC_PREFIX

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.registry import reader
from unwarp.data.limits import check_expansion, check_size
from unwarp.data.source import Source, describe
from unwarp.disk.files import Write
from unwarp.errors import DataError

DATA_KEYS = ("x", "X", "images", "data", "aligned")
"""Names of the array of samples in an `.npz` file; the first one that exists is read."""

LABEL_KEYS = ("labels", "y")
"""Names of the array of labels in an `.npz` file; the first one that exists is read."""

HEADER_READERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Functions that read shape, order and dtype of an array, by the version of its format."""

NAME_KEY = "sample"
"""Name of the array with the names of samples in an `.npz` file."""

SERIES_KEYS = ("times", "lengths")
"""Names of two more arrays in an `.npz` file.

`times` holds time stamps (T,) or (N, T), `lengths` the number of time steps of each series (N,).
"""


def write_npz(path: Path, x: Array) -> None:
    """Write samples under the name `x`.

    Args:
        path: The file to write.
        x: Samples (N, ...).
    """
    np.savez(path, x=x)


def encode_npy(output: Output) -> Write:
    """A function that writes samples as an `.npy` file.

    Args:
        output: The samples.
    """
    return lambda file: np.save(file, output.x)


def encode_npz(output: Output) -> Write:
    """A function that writes samples as an `.npz` file.

    Args:
        output: The samples; series of unequal lengths are padded with NaN.
    """
    x, facts = output.x, dict[str, Any]()
    if isinstance(x, list) and len({row.shape for row in x}) > 1:
        facts["lengths"] = np.array([np.shape(row)[-1] for row in x])
        x = pad_series(x)
    if output.times is not None:
        facts["times"] = pad_times(output.times, np.shape(x)[-1])
    return lambda file: np.savez_compressed(file, sample=output.names, x=x, **facts)


def pad_series(series: list[Array]) -> Array:
    """Series as one array, padded with NaN.

    Args:
        series: N arrays (T_i,) or (C, T_i).

    Returns:
        The series (N, C, T); shorter ones end in NaN.

    >>> pad_series([np.array([1.0, 2.0]), np.array([3.0])])[:, 0].tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    rows = [np.atleast_2d(row) for row in series]
    shape = (len(rows), len(rows[0]), max(row.shape[1] for row in rows))
    x = np.full(shape, np.nan, np.result_type(*rows, np.float32))
    for padded, row in zip(x, rows, strict=True):
        padded[:, : row.shape[1]] = row
    return x


def pad_times(times: Array | list[Array], length: int) -> Array:
    """Times (T,) or (N, T); those of shorter series go on evenly.

    Args:
        times: Times (T,) of all series, or a list of N arrays (T_i,).
        length: Number of time steps T.
    """
    if isinstance(times, np.ndarray):
        return times
    rows = [np.asarray(row, np.float64) for row in times]
    steps = [row[-1] - row[-2] if len(row) > 1 else 1.0 for row in rows]
    return np.stack(
        [
            np.concatenate([row, row[-1] + step * np.arange(1, length - len(row) + 1)])
            for row, step in zip(rows, steps, strict=True)
        ]
    )


@reader(".npy", description="an array of samples", writer=np.save, encode=encode_npy)
def read_npy(path: Path) -> Source:
    """Map an array of samples from disk, without loading it.

    Args:
        path: The file.

    Returns:
        The samples (N, ...) as a memory map with the dtype of the file.

    Raises:
        DataError: The file is damaged, contains Python objects, or has no samples.
    """
    with _damage_as_data_error(path):
        with path.open("rb") as file:
            start = file.read(len(MAGIC_PREFIX))
        if start != MAGIC_PREFIX:
            raise DataError(
                f"{path} is not an .npy file: it starts with {start!r}; write it with numpy.save"
            )
        x = _check_samples(np.load(path, mmap_mode="r", allow_pickle=False), path)
        return Source(x, None, None, describe(x))


@reader(
    ".npz",
    description="arrays of samples, labels, lengths and times",
    writer=write_npz,
    encode=encode_npz,
)
def read_npz(path: Path) -> Source:
    """Read samples with their labels, or series with lengths and time stamps.

    The samples are the array `x`, `X`, `images`, `data` or `aligned`. If none of these exists, they
    are the only array with a name not mentioned here. The file may also contain `labels` or `y`
    (N,) and, for series (N, T) or (N, C, T), `lengths` (N,) and `times` (T,) or (N, T). Others are
    never loaded.

    Args:
        path: The file.

    Returns:
        The samples (N, ...) with the dtype of the file. If the file has lengths or times, series
        as `series_source` returns them, cut to their lengths.

    Raises:
        DataError: The file is damaged, contains Python objects, has no samples, or has arrays that
            do not fit together.
    """
    with _damage_as_data_error(path):
        if not is_zipfile(path):
            raise DataError(
                f"{path} is not an .npz file, or its end is missing; write it with numpy.savez"
            )
        # opened by `open`, because np.load does not close a damaged file that it opened itself
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            key, label_key = _find_keys(path, archive.files)
            keys_to_read = (key, label_key, NAME_KEY, *SERIES_KEYS)
            keys = [name for name in archive.files if name in keys_to_read]
            n_bytes = sum(_size_of_member(archive.zip, name) for name in keys)
            noun = f"{path}: its {len(keys)} array(s)"
            check_size(n_bytes, noun)
            check_expansion(n_bytes, path.stat().st_size, noun)
            x = _check_samples(archive[key], path)
            labels = None if label_key is None else archive[label_key]
            names = _names(archive[NAME_KEY], len(x)) if NAME_KEY in archive.files else None
            facts = {name: archive[name] for name in SERIES_KEYS if name in archive.files}
    if labels is not None and labels.shape != x.shape[:1]:
        raise DataError(
            f"{path}: {label_key} has shape {labels.shape}, {key} has {len(x)} samples; "
            "give one label for each sample"
        )
    if facts:
        return replace(_cut_series(path, x, labels, **facts), names=names)
    return Source(x, names, labels, describe(x))


def _names(values: Array, count: int) -> Array | None:
    """Names of samples; None for numbers, or for another number of them."""
    is_named = values.shape == (count,) and values.dtype.kind == "U"
    return values if is_named else None


def _size_of_member(archive: ZipFile, key: str) -> int:
    """Memory in bytes of an array in an `.npz` file, from its header and from the index."""
    member = archive.getinfo(f"{key}.npy" if f"{key}.npy" in archive.namelist() else key)
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = HEADER_READERS.get(version)
        if read_header is None:  # NumPy refuses other versions, or reads field names only
            return member.file_size
        shape: tuple[int, ...]
        shape, _, dtype = read_header(file)
    return max(member.file_size, math.prod(shape) * int(dtype.itemsize))


def _cut_series(
    path: Path,
    x: Array,
    labels: Array | None,
    times: Array | None = None,
    lengths: Array | None = None,
) -> Source:
    """Series (N, T) or (N, C, T) cut to their lengths, with their time stamps."""
    if x.ndim not in (2, 3) or x.dtype.kind not in "biuf":
        raise DataError(
            f"{path} has times or lengths, but its samples are {x.dtype} of shape {x.shape}; "
            "give series of numbers, (N, T) or (N, C, T), or remove times and lengths"
        )
    count, steps = len(x), x.shape[-1]
    lengths = np.full(count, steps) if lengths is None else lengths
    _check_lengths(path, lengths, count, steps)
    series = [
        np.atleast_2d(row)[:, :length].astype(np.result_type(row, np.float32))
        for row, length in zip(x, lengths, strict=True)
    ]
    if times is None:
        return series_source(series, labels, ".npz")
    _check_times(path, times, count, steps)
    stamps = np.broadcast_to(times, (count, steps)).astype(np.float64)
    cut_stamps = [row[:length] for row, length in zip(stamps, lengths, strict=True)]
    return series_source(series, labels, ".npz, time stamps", times=cut_stamps)


def _check_lengths(path: Path, lengths: Array, count: int, steps: int) -> None:
    """Refuse lengths that are not N integers from 1 to the number of time steps."""
    if (
        lengths.shape != (count,)
        or lengths.dtype.kind not in "iu"
        or lengths.min() < 1
        or lengths.max() > steps
    ):
        raise DataError(
            f"{path}: lengths must be {count} whole numbers from 1 to {steps}, one for each series"
        )


def _check_times(path: Path, times: Array, count: int, steps: int) -> None:
    """Refuse times that are not numbers (T,) or (N, T)."""
    if times.shape not in ((steps,), (count, steps)) or times.dtype.kind not in "iuf":
        raise DataError(
            f"{path}: times are {times.dtype} of shape {times.shape}; "
            f"give numbers of shape {(steps,)} or {(count, steps)}"
        )


@contextmanager
def _damage_as_data_error(path: Path) -> Iterator[None]:
    """Convert the various errors that NumPy raises for a damaged file to `DataError`."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        if "Object arrays" in str(error) or "Python objects" in str(error):
            raise DataError(
                f"{path} contains Python objects, which are never loaded because they can run "
                "code; save numbers, all samples of one size"
            ) from error
        raise DataError(
            f"{path} is damaged or cut short: {error or type(error).__name__}; write it again"
        ) from error


def _find_keys(path: Path, keys: list[str]) -> tuple[str, str | None]:
    """The names of the samples and of the labels, if any."""
    label_key = next((key for key in LABEL_KEYS if key in keys), None)
    reserved = (*LABEL_KEYS, *SERIES_KEYS, NAME_KEY)
    unreserved = [key for key in keys if key not in reserved]
    only = unreserved if len(unreserved) == 1 else []
    candidates = [key for key in DATA_KEYS if key in keys] or only
    if not candidates:
        raise DataError(
            f"{path} contains {', '.join(keys) or 'no array'}; "
            f"name the samples {' or '.join(DATA_KEYS)}"
        )
    return candidates[0], label_key


def _check_samples(x: Array, path: Path) -> Array:
    """Refuse an array without samples or without values."""
    if x.ndim == 0 or x.size == 0:
        raise DataError(
            f"{path} contains an array of shape {x.shape}; "
            "the first axis must count one or more samples"
        )
    return x
