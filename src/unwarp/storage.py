"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from unwarp.errors import CheckpointError, ConfigError


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, and the folders above it.

    Raises:
        ConfigError: Nothing can be written there.
    """
    check_writable(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _unwritable(path, error.strerror) from error


def check_writable(path: Path) -> None:
    """Make the folders above a file that will be written, so that a wrong path is known before work begins.

    Raises:
        ConfigError: `path` is a folder, or one above it is a file or must not be written to.
    """
    if path.is_dir():
        raise _unwritable(path, "it is a folder")
    make_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        ConfigError: One of them is a file, or must not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error


def _unwritable(path: Path, why: str | None) -> ConfigError:
    return ConfigError(
        f"cannot write {path}: {(why or 'it is refused').lower()}; choose another place with --out"
    )


def write_folder(folder: Path, files: Mapping[str, bytes | str | dict[str, Tensor]]) -> None:
    """Write a folder whole or not at all: files are made beside it, then the folder changes its name.

    Raises:
        CheckpointError: `folder` exists and is not a folder that this function wrote.
    """
    if (
        folder.exists()
        and not (folder / "config.json").is_file()
        and any(folder.iterdir() if folder.is_dir() else [1])
    ):
        raise CheckpointError(
            f"{folder} exists and is not a model folder; choose another place or move it away"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            if isinstance(content, dict):
                save_file({k: v.contiguous() for k, v in content.items()}, fresh / name)
            else:
                (fresh / name).write_bytes(
                    content.encode() if isinstance(content, str) else content
                )
            (fresh / name).chmod(0o644)
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        if folder.exists():
            folder.rename(old / "old")
        fresh.chmod(0o755)
        fresh.rename(folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
