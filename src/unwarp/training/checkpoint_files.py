"""Files of snapshots and decisions, with checksums.

The checksums cover every tensor and every record. A snapshot is a safetensors file with its JSON
values in the metadata. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unwarp.checksums import checksum
from unwarp.disk.files import read_plain
from unwarp.errors import CheckpointError, ConfigError
from unwarp.storage.files import write_file
from unwarp.training.snapshot import SNAPSHOT_VERSION, DamageError, Snapshot

RECORD = "record"
"""Name of the checksum of the JSON values, beside the names of the tensors."""


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot to a file, completely or not at all.

    Args:
        path: The file; an existing one is replaced.
        snapshot: The snapshot.

    Raises:
        CheckpointError: The file cannot be written, for example because the disk is full.
    """
    record = {"format_version": SNAPSHOT_VERSION, **snapshot.record()}
    state = json.dumps(record, default=str)
    tensors = snapshot.all_tensors()
    sums = {RECORD: checksum(state)} | _checksums(tensors)
    metadata = {"state": state, "checksums": json.dumps(sums)}
    _write(path, save(tensors, metadata))


def _write(path: Path, content: str | bytes) -> None:
    """Write a file; every failure is a `CheckpointError`."""
    try:
        write_file(path, content)
    except (ConfigError, OSError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise CheckpointError(
            f"{path} cannot be written: {(reason or str(cause)).lower()}; make space or make "
            "the folder writable, then start again: the run continues from its last checkpoint"
        ) from error


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file, checked value by value.

    Args:
        path: The file.

    Raises:
        DamageError: The file is damaged; the message says where.
        CheckpointError: The file cannot be read, is no checkpoint, or has another format version.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except (SafetensorError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise DamageError(str(error)) from error
    record = _verify(metadata, tensors)
    _check_version(path, record)
    return Snapshot.of(record, tensors)


def _verify(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The JSON values of a file, after all checksums were compared.

    Raises:
        DamageError: A checksum or a tensor is missing, or differs.
    """
    try:
        text = metadata["state"]
        record = json.loads(text)
        sums = json.loads(metadata["checksums"]) if "checksums" in metadata else None
    except (KeyError, ValueError, RecursionError) as error:
        raise DamageError(f"it has no valid {error}") from error
    if not isinstance(record, dict):
        raise DamageError("its values are not a record")
    if sums is None and record.get("format_version") != SNAPSHOT_VERSION:
        return record  # of an earlier version, which is refused by its number
    actual = {RECORD: checksum(text)} | _checksums(tensors)
    if sums != actual:
        stored = sums if isinstance(sums, dict) else {}
        names = [name for name in {**stored, **actual} if stored.get(name) != actual.get(name)]
        raise DamageError(f"the checksum of {(names or [RECORD])[0]} differs")
    return record


def _checksums(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The checksum of every tensor, by `tensor.` and its name."""
    return {f"tensor.{name}": checksum(value) for name, value in tensors.items()}


def _check_version(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse a record of another format version."""
    version = record.get("format_version")
    if version != SNAPSHOT_VERSION:
        raise CheckpointError(
            f"{path} has format version {version!r}, but this version of unwarp continues only "
            f"from version {SNAPSHOT_VERSION}; continue with the version that wrote it, or delete "
            "the file to start from the first step"
        )


def write_decision(path: Path, facts: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Write a decision and its facts to a JSON file.

    Args:
        path: The file; an existing one is replaced.
        facts: The fingerprint of data and settings.
        answer: The decision as JSON values by name.

    Raises:
        CheckpointError: The file cannot be written.
    """
    record = {"format_version": SNAPSHOT_VERSION, "facts": dict(facts), "answer": dict(answer)}
    text = json.dumps(record, default=str)
    _write(path, json.dumps({"record": text, "checksum": checksum(text)}))


def read_decision(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts and the answer of a decision.

    Args:
        path: A file that `write_decision` wrote.

    Raises:
        DamageError: The file is damaged.
        CheckpointError: The file cannot be read, or has another format version.
    """
    try:
        file = json.loads(read_plain(path))
        text = file["record"]
        if file["checksum"] != checksum(text):
            raise DamageError("its checksum differs")
        record = json.loads(text)
        _check_version(path, record)
        return dict(record["facts"]), dict(record["answer"])
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise DamageError(f"it is no decision ({error})") from error
