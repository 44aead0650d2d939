"""Operations on a disk that survive an interruption or a power failure.

Temporary files and folders carry the host and the process of their writer in their names, so that
those of an interrupted program can be told from those of a program that is still writing.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from socket import gethostname
from typing import BinaryIO

from unwarp.disk.locks import Owner

TEMPORARY_NAME = re.compile(r"\..+\.unwarp-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-\d+")
"""Name of a temporary file or folder; it ends in host, process and a counter."""

OLDER_TEMPORARY_NAME = ".run.json.partial"
"""The temporary name of a run's record in earlier versions."""

MAX_SECONDS_OF_A_WRITE = 24 * 3600.0
"""Age at which a temporary file of any process is left over from an interruption."""

Write = Callable[[BinaryIO], object]
"""Function that writes the content of a file, so that it is never in memory as a whole."""

WRITE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

NOT_FOR_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES}
"""Errors of file systems and folders that do not let folders be forced to the disk."""

_counter = itertools.count(time.time_ns())
"""Numbers that no earlier process with the same number of its own has used."""

_active: set[str] = set()
"""Temporary names that this process is using."""


def temporary(path: Path) -> Path:
    """A new temporary name next to a path.

    It is in use until `delete` is called, which is needed after a rename, too.

    Args:
        path: Final name of the file or folder.
    """
    name = f".{path.name}.unwarp-{_host()}-{os.getpid()}-{next(_counter)}"
    _active.add(name)
    return path.with_name(name)


def _host() -> str:
    """This computer, as 8 hexadecimal digits."""
    return sha256(gethostname().encode()).hexdigest()[:8]


def write_new(path: Path, content: bytes | Write) -> None:
    """Write a new file and force it to the disk.

    The umask decides who may read the file.

    Args:
        path: The file, in an existing folder.
        content: All of its bytes, or a function that writes them to the opened file.

    Raises:
        OSError: The file exists or cannot be written; it may then be incomplete.
    """
    descriptor = os.open(path, WRITE_FLAGS, 0o666)
    try:
        if callable(content):
            with path.open("r+b") as file:
                content(file)
        else:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_plain(path: Path) -> bytes:
    """The bytes of a plain file, or of one behind a link.

    Args:
        path: The file.

    Raises:
        OSError: It is absent, it cannot be read, or it is a folder, a pipe or a device.
    """
    check_plain(path)
    return path.read_bytes()


def check_plain(path: Path) -> None:
    """Refuse all but plain files.

    A pipe or a device could be read without end.

    Args:
        path: The file.

    Raises:
        OSError: It is absent, or no plain file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no plain file", str(path))


def rename(path: Path, name: Path) -> None:
    """Give a file or folder its final name, also on the disk.

    Args:
        path: File, or folder.
        name: New name in the same folder. A file with this name is replaced.

    Raises:
        OSError: The file system refuses.
    """
    os.replace(path, name)  # noqa: PTH105
    flush_folder(name.parent)


def flush_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where possible.

    Args:
        folder: The folder.

    Raises:
        OSError: The disk fails.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NOT_FOR_FOLDERS:
            raise


def delete(path: Path) -> None:
    """Delete a file, or a folder of files; an error leaves it.

    Folders inside the folder are kept, and so is the folder then.

    Args:
        path: The file or folder; it may be absent.
    """
    _active.discard(path.name)
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            for entry in path.iterdir():
                os.unlink(entry)  # noqa: PTH108
            path.rmdir()
        elif path.exists() or path.is_symlink():
            os.unlink(path)  # noqa: PTH108


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is temporary and its writer has ended.

    Args:
        path: File or folder.

    >>> is_leftover(Path("results.csv"))
    False
    """
    match = TEMPORARY_NAME.fullmatch(path.name)
    if match is None:
        return path.name == OLDER_TEMPORARY_NAME
    if match["host"] == _host():
        pid = int(match["pid"])
        if pid == os.getpid():
            return path.name not in _active
        if not Owner(pid, gethostname()).is_alive:
            return True
    try:
        return time.time() - path.lstat().st_mtime > MAX_SECONDS_OF_A_WRITE
    except OSError:
        return False


def clean_leftovers(folder: Path) -> None:
    """Delete temporary files and folders of interrupted writes; an error leaves them.

    Args:
        folder: The folder with results.
    """
    with suppress(OSError):
        for path in filter(is_leftover, list(folder.iterdir())):
            delete(path)
