"""Paths, and single files that are written whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from unwarp.disk.files import Write, clean_leftovers, delete, rename, temporary, write_new
from unwarp.errors import ConfigError
from unwarp.values import brief


def expand(path: str | Path) -> Path:
    """A path with `~` replaced by the home folder.

    Args:
        path: A path.

    Raises:
        ConfigError: The path is neither a text nor a `Path`, the home folder, or that of the user
            after `~`, is unknown, or the path holds a zero byte.

    >>> expand("runs/digits").as_posix()
    'runs/digits'
    """
    if not (isinstance(path, str | os.PathLike) and isinstance(os.fspath(path), str)):
        raise ConfigError(f"{brief(path)} is no path; give a text or a pathlib.Path")
    if "\0" in str(path):
        raise ConfigError(f"{str(path)!r} holds a zero byte, which no path has; write another path")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{path}: the home folder of '~' is unknown; write the whole path"
        ) from None


def write_file(path: Path, content: str | bytes | Write, inputs: Iterable[str | Path] = ()) -> None:
    """Write a file completely or not at all.

    Folders above it are created. A plain file with this name is replaced.

    Args:
        path: File to write; `~` is the home folder.
        content: Bytes; text, which is written as UTF-8; or a function that writes to a file.
        inputs: Files and folders that the content was made from, which stay as they are.

    Raises:
        ConfigError: The path cannot be written to, it is a link or an input, or the disk is full.
    """
    path = expand(path)
    check_writable(path, inputs)
    clean_leftovers(path.parent)
    partial = temporary(path)
    try:
        write_new(partial, content.encode() if isinstance(content, str) else content)
        rename(partial, path)
    except OSError as error:
        raise writing_error(path, error) from error
    finally:
        delete(partial)


def check_writable(path: Path, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse a path that cannot be written to.

    Call it before a long computation, so that the result can be saved afterwards. The parent
    folders of the path are created.

    Args:
        path: File that will be written at the end of the work; `~` is the home folder.
        inputs: Files and folders that the work reads: no file of them may be written.

    Raises:
        ConfigError: `path` is a folder, a link, a device or an input, one of its parents is a
            file, or writing is not permitted.
    """
    path = expand(path)
    try:
        _check_absent_or_plain(path)
    except OSError as error:  # such as a name that is too long
        raise writing_error(path, error) from error
    for source in map(expand, inputs):
        if _is_part(path, source):
            raise writing_error(path, f"it is read as a part of {source}")
    make_folder(path.parent)


def _check_absent_or_plain(path: Path) -> None:
    """Refuse a link, a folder and a device."""
    if path.is_symlink():
        raise writing_error(path, f"it is a link to {os.readlink(path)}")  # noqa: PTH115
    if path.is_dir():
        raise writing_error(path, "it is a folder")
    if path.exists() and not path.is_file():
        raise writing_error(path, "it is no plain file")


def is_present(path: Path) -> bool:
    """Whether a path exists; False if the system refuses to say.

    Args:
        path: The path.
    """
    try:
        return path.exists()
    except OSError:
        return False


def _is_part(path: Path, source: Path) -> bool:
    """Whether an existing file is a source, or lies in the folder of a source."""
    if not (is_present(path) and is_present(source)):
        return False
    return path.samefile(source) or path.resolve().is_relative_to(source.resolve())


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, unless they exist.

    Args:
        folder: Folder to create; `~` is the home folder.

    Raises:
        ConfigError: The folder or one of its parents is a file, or writing is not permitted.
    """
    folder = expand(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_error(folder, error) from error


def writing_error(path: Path, reason: OSError | str) -> ConfigError:
    """An error with the reason why a path cannot be written.

    Args:
        path: The path.
        reason: The error of the system, or a reason in words.

    Returns:
        The error, to be raised. Its text says to choose another place with `--out`.

    >>> print(writing_error(Path("table.csv"), "it is a folder"))
    cannot write table.csv: it is a folder; choose another place with --out
    """
    return ConfigError(f"cannot write {path}: {explanation(reason)} with --out")


def explanation(reason: OSError | str) -> str:
    """A reason in words, and what to do about it.

    A place to choose may follow the text.

    Args:
        reason: The error of the system, or a reason in words.

    >>> explanation(OSError(errno.ENOSPC, "No space left on device"))
    'no space left on device; free some space, or choose another place'
    """
    if isinstance(reason, str):
        return f"{reason}; choose another place"
    text = reason.strerror or str(reason) or "it is refused"
    if reason.errno in (errno.EAGAIN, errno.EEXIST) and ";" in text:  # of a lock
        return text
    words = text.lower()
    if reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{words}; free some space, or choose another place"
    return f"{words}; choose another place"
