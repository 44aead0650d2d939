"""Folders of shards: collections that may be larger than the memory.

A shard is an `.npy` file of some of the samples. The file `manifest.json` lists the shards with
their sizes and checksums, and says how their samples are read. Names, labels and times lie in files
of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np

from unwarp.core import Array, Domain, LayoutName
from unwarp.data.part_folder import (
    MANIFEST,
    PLAN,
    check_parts,
    damaged_record,
    parts_of,
    read_record,
)
from unwarp.data.source import Source
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import DataError
from unwarp.storage.files import expand

CONTENT = "samples"
"""Value of the key `content` of a manifest whose parts are shards."""

COMPANIONS = ("names", "labels", "times")
"""Fields of a `Source` that lie in `.npy` files of their own."""


def read_shards(folder: str | Path) -> Source:
    """Open a folder of shards, without loading it.

    Args:
        folder: A folder that `make_shards` wrote.

    Returns:
        The samples (N, ...) as one array over memory maps, with their names, labels and times.

    Raises:
        DataError: The folder is not complete, holds something else, or a shard is missing, has
            another size, shape or type than the manifest says.
    """
    folder = expand(folder)
    record = _manifest(folder)
    try:
        check_parts(folder, parts_of(record) + parts_of(record, "companions"), has_checksum=False)
        shards = [_open_shard(folder, part.name, part.rows, record) for part in parts_of(record)]
        names, labels, times = (_companion(folder, name, record) for name in COMPANIONS)
        shape = record["image_shape"]
        if not shards or sum(map(len, shards)) != record["n_samples"]:
            lists = f"it lists {sum(map(len, shards)):,} of {record['n_samples']} samples"
            raise damaged_record(folder / MANIFEST, lists)
        if mistake := _mistake(record):
            raise damaged_record(folder / MANIFEST, mistake)
        return Source(
            ShardedArray(tuple(shards)),
            names,
            labels,
            times=times,
            description=record["description"],
            domain=record["domain"],
            name=folder.name,
            layout=record["layout"],
            image_shape=None if shape is None else tuple(shape),
        )
    except DataError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise damaged_record(folder / MANIFEST, reason) from error


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a complete folder of shards."""
    record = read_record(folder / MANIFEST)
    if record is None:
        state = "is not complete" if read_record(folder / PLAN) else "holds no shards"
        raise DataError(f"{folder} {state}; run 'unwarp data make' with --out {folder} to its end")
    if record.get("content") != CONTENT:
        raise DataError(
            f"{folder} holds parts of a {record.get('content')}, not samples; give one of its "
            "files, or a folder of samples"
        )
    return record


def _mistake(record: Mapping[str, Any]) -> str:
    """A fact of a manifest that no shards have, in words; empty if there is none."""
    shape, domain, layout = (record[name] for name in ("image_shape", "domain", "layout"))
    is_allowed = {
        "image_shape": shape is None
        or (isinstance(shape, list) and all(isinstance(n, int) and n > 0 for n in shape)),
        "domain": domain == "auto" or domain in Domain.registry,
        "layout": layout in get_args(LayoutName),
        "description": isinstance(record["description"], str),
    }
    return next((f"{k}={record[k]!r} is not allowed" for k, ok in is_allowed.items() if not ok), "")


def _open_shard(folder: Path, name: str, rows: int, record: Mapping[str, Any]) -> Array:
    """The memory map of a shard, checked against the manifest."""
    shard = _map(folder / name)
    shape, dtype = (rows, *record["shape"]), np.dtype(record["dtype"])
    if shard.shape != shape or shard.dtype != dtype:
        raise DataError(
            f"{folder / name} holds {shard.dtype} of shape {shard.shape}, the manifest says "
            f"{dtype} of shape {shape}; make the shards again"
        )
    return shard


def _companion(folder: Path, name: str, record: Mapping[str, Any]) -> Array | None:
    """Names, labels or times of the samples; None if there are none."""
    file = f"{name}.npy"
    names = [part.name for part in parts_of(record, "companions")]
    return _map(folder / file) if file in names else None


def _map(path: Path) -> Array:
    """An array in a file, not loaded."""
    try:
        values: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}; make the shards again") from error
    return values


def check_shards(folder: str | Path) -> int:
    """Compare the checksums of all files of a folder of parts.

    Args:
        folder: A folder that `make_shards`, `unwarp align` or `unwarp embed` wrote in parts.

    Returns:
        Number of files.

    Raises:
        DataError: The folder is not complete, or files are damaged or missing; the message names
            the first one.
    """
    folder = expand(folder)
    record = read_record(folder / MANIFEST)
    if record is None:
        record = _manifest(folder)
    parts = parts_of(record) + parts_of(record, "companions")
    return check_parts(folder, parts, has_checksum=True)
