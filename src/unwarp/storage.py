"""Atomic writing of files and folders.

Each is written completely or not at all, even if the program is interrupted or the disk is full.
New content is written under a temporary name in the same folder, then renamed to its final name.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from unwarp.errors import CheckpointError, ConfigError

Content = bytes | str | Mapping[str, Tensor]
"""Content of a file: bytes, text, or tensors by name."""


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file completely or not at all.

    Its parent folders are created. An existing file is replaced.

    Args:
        path: File to write.
        content: Bytes, or text, which is written as UTF-8.

    Raises:
        ConfigError: The path cannot be written to, or the disk is full.
    """
    check_writable(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _write_error(path, error.strerror) from error


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written to.

    Call it before a long computation, so that the result can be saved afterwards. The parent
    folders of the path are created.

    Args:
        path: File that will be written.

    Raises:
        ConfigError: `path` is a folder, one of its parents is a file, or writing is not permitted.
    """
    if path.is_dir():
        raise _write_error(path, "it is a folder")
    make_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, unless they exist.

    Args:
        folder: Folder to create.

    Raises:
        ConfigError: The folder or one of its parents is a file, or writing is not permitted.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _write_error(folder, error.strerror) from error


def _write_error(path: Path, reason: str | None) -> ConfigError:
    return ConfigError(
        f"cannot write {path}: {(reason or 'it is refused').lower()}; choose another place with "
        "--out"
    )


def write_folder(folder: Path, files: Mapping[str, Content]) -> None:
    """Write a model folder completely or not at all.

    The files are written to a temporary folder beside `folder`, which is then renamed to `folder`.
    An existing model folder is replaced; if writing fails, it stays unchanged.

    Args:
        folder: Folder to write. If it exists, it must be empty or hold a `config.json`.
        files: Content of each file, by file name. Text is written as UTF-8, tensors are written in
            the safetensors format.

    Raises:
        CheckpointError: `folder` exists and is not a model folder, so that replacing it would
            delete files of the user.
    """
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write_content(staging / name, content)
        # a folder cannot be replaced in one step: move the old one away before the rename
        backup = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        if folder.exists():
            folder.rename(backup / "old")
        staging.chmod(0o755)
        staging.rename(folder)
        shutil.rmtree(backup)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_replaceable(folder: Path) -> None:
    """Refuse a path that exists, unless it is an empty folder or a model folder."""
    is_model = (folder / "config.json").is_file()
    if not folder.exists() or is_model or (folder.is_dir() and not any(folder.iterdir())):
        return
    raise CheckpointError(
        f"{folder} exists and is not a model folder; choose another place or move it away"
    )


def _write_content(path: Path, content: Content) -> None:
    """Write one file of a model folder, readable for everybody."""
    if isinstance(content, Mapping):
        save_file({name: value.contiguous() for name, value in content.items()}, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o644)
