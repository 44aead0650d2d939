"""Folders that are written whole, held by one process, or brought back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from safetensors.torch import save
from torch import Tensor

from unwarp.disk.files import (
    clean_leftovers,
    delete,
    flush_folder,
    read_plain,
    rename,
    temporary,
    write_new,
)
from unwarp.disk.locks import hold
from unwarp.errors import CheckpointError
from unwarp.storage.files import expand, explanation, is_present, make_folder, writing_error

Content = bytes | str | Mapping[str, Tensor]
"""Content of a file: bytes, text, or tensors by name."""

MARK, MARK_KEYS = "config.json", {"format_version", "unwarp"}
"""The file that marks a model folder, and the keys that only Unwarp's own one has."""

LOCK_NAME = "unwarp.lock"
"""Name of the lock in a folder that a process works in."""

DESKTOP_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that a desktop adds to any folder that it shows; nobody misses them."""


def write_folder(folder: str | Path, files: Mapping[str, Content]) -> None:
    """Write a model folder completely or not at all.

    The files are written to a temporary folder next to it, which then takes its name. An existing
    model folder is replaced; if writing fails, it stays unchanged. If `folder` is a link to a model
    folder, that folder is replaced and the link stays.

    Args:
        folder: Folder to write; `~` is the home folder. If it exists, it must be empty, or a model
            folder of Unwarp without other files.
        files: Content by file name: bytes, text (written as UTF-8), or tensors by name, which are
            written in the safetensors format. `config.json` is the mark of a model folder.

    Raises:
        CheckpointError: `folder` exists and is not a model folder, so that replacing it would
            delete files of the user; another process writes it; or it cannot be written.
    """
    contents = {name: _encode(content) for name, content in files.items()}
    link = expand(folder)
    if link.name in ("", ".."):  # the current folder cannot be exchanged
        raise CheckpointError(f"{link} is no name of a folder; write the name of a new folder")
    folder = _target(link)
    try:
        if not link.is_symlink():
            folder.parent.mkdir(parents=True, exist_ok=True)
        with hold(_lock_of(folder)):
            _settle_backup(folder, contents)
            _check_replaceable(link, contents)
            clean_leftovers(folder.parent)
            _write_and_swap(folder, contents)
    except OSError as error:
        raise CheckpointError(f"cannot write {link}: {explanation(error)}") from error


def write_tree(
    folder: str | Path,
    files: Iterable[tuple[str, bytes]] | None,
    inputs: Iterable[str | Path] = (),
) -> None:
    """Write a folder of results, with subfolders, completely or not at all.

    Args:
        folder: A new or empty folder; `~` is the home folder.
        files: Path in the folder, and content, of each file; None to check the folder only.
        inputs: Files and folders that the content was made from, which stay as they are.

    Raises:
        ConfigError: The folder holds files, is a part of an input, or cannot be written; or a path
            leads out of the folder.
    """
    folder = expand(folder)
    _check_tree(folder, inputs)
    if files is None:
        return
    staging = temporary(folder)
    try:
        for name, content in files:
            path = staging / name
            if not path.resolve().is_relative_to(staging.resolve()):
                raise writing_error(folder / name, "the name leads out of the folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_new(path, content)
        flush_folder(staging)
        if folder.exists():
            clear_desktop_files(folder)
            folder.rmdir()
        rename(staging, folder)
    except OSError as error:
        raise writing_error(folder, error) from error
    finally:
        rmtree(staging, ignore_errors=True)
        delete(staging)


def clear_desktop_files(folder: Path) -> None:
    """Delete the files that a desktop adds to any folder.

    Args:
        folder: The folder.
    """
    for name in DESKTOP_FILES:
        (folder / name).unlink(missing_ok=True)


def _check_tree(folder: Path, inputs: Iterable[str | Path]) -> None:
    """Refuse a folder that holds files, or is a part of an input; make the one above it."""
    if folder.is_symlink():
        raise writing_error(folder, f"it is a link to {os.readlink(folder)}")  # noqa: PTH115
    if is_present(folder) and not folder.is_dir():
        raise writing_error(folder, "it is a file")
    for source in map(expand, inputs):
        if is_present(source) and folder.resolve().is_relative_to(source.resolve()):
            raise writing_error(folder, f"it is a part of {source}, which is read")
    if folder.is_dir() and not _is_empty(folder):
        raise writing_error(folder, "it holds files")
    make_folder(folder.parent)


def _encode(content: Content) -> bytes:
    """Content as the bytes of a file."""
    if isinstance(content, Mapping):
        return save({name: value.contiguous() for name, value in content.items()})
    return content.encode() if isinstance(content, str) else bytes(memoryview(content))


def _write_and_swap(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write a new folder next to the old one, then exchange them.

    Between the two renames only the backup exists; `recover_folder` brings it back.
    """
    staging, backup = temporary(folder), _backup_of(folder)
    try:
        staging.mkdir()
        for name, content in contents.items():
            write_new(staging / name, content)
        flush_folder(staging)
        if folder.exists():
            rename(folder, backup)
            _check_entries(backup, folder, contents)  # a file may be new since the first check
        rename(staging, folder)
    finally:
        with suppress(OSError):
            _settle_backup(folder, contents)
        delete(staging)


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a folder during a `with` statement.

    The folder gets a file `unwarp.lock`, which names the process and its host. That of a process
    that has ended is replaced.

    Args:
        folder: An existing folder; `~` is the home folder.

    Raises:
        CheckpointError: Another process holds the folder, or the file cannot be written.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(expand(folder) / LOCK_NAME))
        except OSError as error:
            raise CheckpointError(f"cannot work in {folder}: {explanation(error)}") from error
        yield


def recover_folder(folder: Path) -> None:
    """Bring back a model folder that an interrupted write moved away.

    Call it before a model folder is read. Usually there is nothing to do.

    Args:
        folder: The folder; `~` is the home folder.

    Raises:
        CheckpointError: Another process is writing the folder, or it cannot be brought back.
    """
    folder = _target(expand(folder))
    if is_present(folder) or not is_present(_backup_of(folder)):
        return
    try:
        with hold(_lock_of(folder)):
            if not folder.exists():
                rename(_backup_of(folder), folder)
    except OSError as error:
        raise CheckpointError(
            f"cannot move {_backup_of(folder)} back to {folder}: {explanation(error)}"
        ) from error


def clear_lock(folder: Path) -> None:
    """Delete the lock that an interrupted write of a model folder left.

    The lock of a process that is writing stays, and so does any lock that cannot be deleted.

    Args:
        folder: The model folder, in a folder that only Unwarp writes to.
    """
    lock = _lock_of(expand(folder))
    if is_present(lock):
        with suppress(OSError), hold(lock):
            pass


def _target(folder: Path) -> Path:
    """The folder behind a link; the path itself if it is none, or leads nowhere."""
    try:
        return folder.resolve() if folder.is_symlink() else folder
    except (OSError, RuntimeError):  # a name that is too long, or a circle of links
        return folder


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _backup_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.unwarp-backup")


def _settle_backup(folder: Path, names: Iterable[str]) -> None:
    """Move the backup of a folder back if the folder is gone; otherwise delete the backup."""
    backup = _backup_of(folder)
    if not backup.exists():
        return
    if not folder.exists():
        rename(backup, folder)
        return
    _check_entries(backup, backup, names)
    waste = temporary(folder)  # a half-deleted backup must never come back
    try:
        rename(backup, waste)
    finally:
        delete(waste)


def _check_replaceable(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Refuse a folder, or a file, that is neither empty nor purely a model folder."""
    if not (folder.exists() or folder.is_symlink()):
        return
    if folder.is_dir() and not folder.is_symlink() and _is_empty(folder):
        return
    if not _has_mark(folder):
        raise CheckpointError(
            f"{folder} exists and is not a model folder of Unwarp; choose another place or move "
            "it away"
        )
    _check_entries(folder, folder, contents, contents.get("README.md"))


def _is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing that anybody would miss."""
    return all(entry.name in DESKTOP_FILES for entry in folder.iterdir())


def _has_mark(folder: Path) -> bool:
    """Whether the configuration in a folder was written by Unwarp."""
    try:
        config = json.loads(read_plain(folder / MARK))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and config.keys() >= MARK_KEYS


def _check_entries(
    folder: Path, place: Path, names: Iterable[str], readme: bytes | None = None
) -> None:
    """Refuse a folder that holds something that is not of a model.

    Args:
        folder: The model folder.
        place: Its name in the message.
        names: Names of the files of a model.
        readme: Its `README.md`. One with another heading is the text of a user; None for any.
    """
    for entry in sorted(folder.iterdir()):
        is_own = entry.name in names and entry.is_file() and not entry.is_symlink()
        if is_own and entry.name == "README.md" and readme is not None:
            is_own = entry.read_bytes().startswith(readme.partition(b"\n")[0])
        if not is_own and entry.name not in DESKTOP_FILES:
            raise CheckpointError(
                f"{place} holds {entry.name}, which is not of the model; choose another place or "
                "move it away"
            )
