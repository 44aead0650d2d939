"""Folders of shards, made from any collection that Unwarp reads.

make_shards("scans/", "shards/")          pictures of a folder, never all in memory
make_shards("x.npy", "shards/", shard_mb=256)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unwarp.checksums import checksum
from unwarp.core import Array
from unwarp.data.array_likes import as_dense
from unwarp.data.collections import SizedPictures
from unwarp.data.formats.files import picture_places
from unwarp.data.formats.numpy_files import pad_series, pad_times
from unwarp.data.formats.picture_rows import lazy_pictures
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.opening import as_source
from unwarp.data.part_folder import PartFolder, announce, opened_parts
from unwarp.data.shards import COMPANIONS, CONTENT
from unwarp.data.source import Source, describe
from unwarp.data.time_stamps import as_times
from unwarp.disk.files import Write
from unwarp.disk.paths import exists, files_of
from unwarp.errors import DataError
from unwarp.range_kinds import Real, Whole
from unwarp.ranges import check_value

BYTES_OF_MEBIBYTE, DEFAULT_SHARD_MB = 1 << 20, 64
"""Bytes of a mebibyte, and size of a shard in mebibytes that is used by default."""


class Blocks(Protocol):
    """Samples (N, ...) that are read block by block."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, ...)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""

    def __len__(self) -> int:
        """Number of samples N."""

    def __getitem__(self, rows: slice) -> Array:
        """Samples (M, ...) of some rows."""


@dataclass(frozen=True, eq=False)
class Collection:
    """Samples on their way to shards.

    Attributes:
        x: The samples (N, ...), read block by block.
        source: Their names, labels, times and form.
        identity: Checksum by which an interrupted call knows its samples again.
        hints: The user's hints, by which they are read.
    """

    x: Blocks
    source: Source
    identity: str
    hints: Hints = NO_HINTS

    @cached_property
    def companions(self) -> dict[str, Array]:
        """Names, labels and times of the samples, as far as known."""
        times = self.source.times
        stamps = None if times is None else pad_times(as_times(times), self.x.shape[-1])
        return companions_of(self.source, stamps)

    @property
    def row_bytes(self) -> int:
        """Size of a sample in bytes."""
        return max(1, int(np.prod(self.x.shape[1:])) * self.x.dtype.itemsize)

    def plan(self, rows_per_shard: int) -> dict[str, Any]:
        """Facts that decide the content of each shard, as JSON values.

        Args:
            rows_per_shard: Number of samples in a shard.
        """
        shape = self.source.image_shape
        return {
            "content": CONTENT,
            "n_samples": len(self.x),
            "shape": list(self.x.shape[1:]),
            "dtype": self.x.dtype.newbyteorder("<").str,
            "rows_per_part": rows_per_shard,
            "domain": self.source.domain,
            "layout": self.source.layout,
            "image_shape": None if shape is None else list(shape),
            "source": self.identity,
            "names_labels_times": checksum(self.companions),
            "hints": self.hints.record(),
        }


def make_shards(
    X: Any,
    folder: str | Path,
    *,
    rows_per_shard: int | None = None,
    shard_mb: float = DEFAULT_SHARD_MB,
    times: Any = None,
    hints: Hints = NO_HINTS,
    on_message: Callable[[str], None] = lambda line: None,
) -> int:
    """Write samples as a folder of shards.

    `as_source` opens the folder without loading it. Shards have the type of the samples. Pictures
    of a folder or a pattern are decoded shard by shard, so they may exceed the memory; other files
    are read as `as_source` reads them. Series of unequal lengths are padded with NaN at their ends.
    After an interruption, the same call goes on: shards whose checksums agree are kept. A complete
    folder of the same samples is left as it is. Other samples, labels, times or hints are refused.

    Args:
        X: Samples in any form that `as_source` takes: a folder, a pattern, a file, an array, ...
        folder: A new or empty folder, or one of an interrupted call; `~` is the home folder.
        rows_per_shard: Number of samples in a shard; None to decide by `shard_mb`.
        shard_mb: Size of a shard in mebibytes, at most; a shard has one sample or more.
        times: Time stamps of series, as for `as_source`.
        hints: What the user knows about pictures that read two ways or differ in size.
        on_message: Function that shows a line to people.

    Returns:
        Number of samples.

    Raises:
        DataError: The samples cannot be read, hold no numbers or differ in shape; or a shard of a
            complete folder is missing.
        ConfigError: The folder holds other files or other shards, or cannot be written.
        CheckpointError: Another process writes to the folder.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     n = make_shards(np.zeros((5, 8, 8), np.uint8), folder, rows_per_shard=2)
    ...     n, as_source(folder).x.shape, len(list(Path(folder).glob("*.npy")))
    (5, (5, 8, 8), 3)
    """
    check_value("rows_per_shard", rows_per_shard, Whole(1, is_optional=True))
    check_value("shard_mb", shard_mb, Real(0.0))
    collection = as_collection(X, times, hints)
    rows = rows_per_shard or max(1, int(shard_mb * BYTES_OF_MEBIBYTE) // collection.row_bytes)
    with opened_parts(folder, collection.plan(rows), _inputs(X)) as parts:
        if parts.manifest is None:
            write_shards(parts, collection, rows, on_message)
    return len(collection.x)


def write_shards(
    parts: PartFolder, collection: Collection, rows: int, on_message: Callable[[str], None]
) -> None:
    """Write the missing shards of a collection, and the manifest.

    Args:
        parts: The folder.
        collection: The samples.
        rows: Number of samples in a shard.
        on_message: Function that shows a line to people.
    """
    for name, values in collection.companions.items():
        parts.write(f"{name}.npy", len(values), encode_array(values))
    starts = range(0, len(collection.x), rows)
    names = [shard_name(k) for k in range(len(starts))]
    for k, start in enumerate(starts):
        if names[k] not in parts.parts:
            block = collection.x[start : start + rows]
            parts.write(names[k], len(block), encode_array(block))
        announce(k + 1, len(names), on_message)
    parts.finish(names, description=collection.source.description)


def shard_name(number: int) -> str:
    """Name of the file of a shard.

    Args:
        number: Number of the shard, from 0.

    >>> shard_name(12)
    'samples-00012.npy'
    """
    return f"samples-{number:05d}.npy"


def encode_array(values: Array) -> Write:
    """A function that writes an array as a little-endian `.npy` file.

    Args:
        values: The array.
    """
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return lambda file: np.save(file, plain, allow_pickle=False)


def as_collection(X: Any, times: Any = None, hints: Hints = NO_HINTS) -> Collection:
    """Samples of any form, to be read block by block.

    Args:
        X: Samples, as for `make_shards`.
        times: Time stamps of series; None for those of `X`.
        hints: The user's hints.

    Raises:
        DataError: The samples cannot be read, or hold no numbers.
    """
    places = picture_places(X) if isinstance(X, str | Path) else None
    if places is not None:
        x, source = lazy_pictures(*places, hints)
        files = sorted({place.path for place in places[0]})
        channels = "1 channel" if x.shape[1] == 1 else f"{x.shape[1]} channels"
        words = f"{len(x):,} pictures, {x.shape[2]} x {x.shape[3]}, {channels}, {x.dtype}"
        words = "; ".join(filter(None, [words, source.description]))
        identity = identity_of(files, Path(places[1]))
        return Collection(x, replace(source, description=words), identity, hints)
    source = as_source(X, times, hints)
    if source.dataset is not None and source.dataset.draw is not None:
        raise DataError(
            f"{source.name} draws new samples at every step, so they cannot be stored; give arrays"
        )
    array, source = _one_array(source)
    return Collection(array, source, _identity_of_source(X, array, source), hints)


def _one_array(source: Source) -> tuple[Array, Source]:
    """The samples of a source as one array of numbers, and the source with a description of it."""
    x = source.x
    if isinstance(x, SizedPictures):
        x = x.x
    if isinstance(x, list) and len({np.shape(row) for row in x}) > 1:
        shapes = {np.shape(row)[:-1] for row in x}
        if len(shapes) > 1 or len(shapes.pop()) > 1:
            raise DataError(
                "X holds samples of several shapes, which fit in no array; bring pictures to one "
                "size by sizes='pad', 'crop' or 'HxW'"
            )
        x, source = pad_series(x), replace(source, domain="series")
    array = as_dense(x)
    if array.dtype.kind not in "biuf" or not array.size or array.ndim < 2:
        raise DataError(
            f"X is {array.dtype} of shape {array.shape}; shards hold samples (N, ...) of numbers"
        )
    words = source.description or describe(array, source.image_shape, source.domain, source.layout)
    return array, replace(source, description=words)


def _identity_of_source(X: Any, array: Array, source: Source) -> str:
    """The checksum of the files of a path, or of samples in memory."""
    if isinstance(X, str | Path) and exists(str(X)) and Path(X).expanduser().is_file():
        path = Path(X).expanduser()
        return identity_of([path], path.parent)
    return checksum([array, source.times])


def identity_of(files: Sequence[Path], root: Path) -> str:
    """A checksum of the names, sizes and times of change of files.

    Args:
        files: The files.
        root: Folder of the collection; names include the folders below it.
    """
    facts = ((os.path.relpath(path, root), path.stat()) for path in files)
    return checksum([[name, stat.st_size, stat.st_mtime_ns] for name, stat in facts])


def _inputs(X: Any) -> list[str | Path]:
    """Files and folders that samples are read from."""
    paths = X if isinstance(X, list | tuple) else [X]
    return [file for path in paths if isinstance(path, str | Path) for file in files_of(str(path))]


def companions_of(source: Source, times: Array | None) -> dict[str, Array]:
    """Names, labels and times of samples, as far as known.

    Args:
        source: The samples.
        times: Times of the steps of series (T,) or (N, T); None if unknown.

    Returns:
        Arrays by the names of the fields of `Source`.
    """
    fields = {"names": source.names, "labels": source.labels, "times": times}
    return {name: _plain(fields[name]) for name in COMPANIONS if fields[name] is not None}


def _plain(values: Any) -> Array:
    """An array of numbers or of texts."""
    array = np.asarray(values)
    return array.astype(np.str_) if array.dtype == object else array
