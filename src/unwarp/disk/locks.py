"""Locks, files that keep two programs from writing at once.

A lock holds the process and the host of its owner. The operating system releases it when the owner
ends, however it ends, so that the lock of a dead process is taken over.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if os.name == "posix":
    import fcntl

LOCK_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
MAX_RECORD_BYTES = 4096

_holders: dict[Path, Owner] = {}
"""Owners, inside this process, of all locks that it holds."""


@dataclass(frozen=True)
class Owner:
    """The thread of a process on a host that holds a lock.

    Attributes:
        pid: Number of the process.
        host: Name of the computer.
        thread: Number of the thread.

    >>> Owner.current().is_alive
    True
    """

    pid: int
    host: str
    thread: int = 0

    @classmethod
    def current(cls) -> Owner:
        """This thread."""
        return cls(os.getpid(), socket.gethostname(), threading.get_ident())

    @property
    def is_alive(self) -> bool:
        """Whether the process may still run; always True on another host."""
        if self.host != socket.gethostname() or os.name != "posix":
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except (OSError, OverflowError):  # it runs, and belongs to another user
            return True
        return True


@contextmanager
def hold(lock: Path) -> Iterator[None]:
    """Hold a lock while the body of a `with` statement runs.

    A thread may hold the same lock several times.

    Args:
        lock: File of the lock, in an existing folder; it is deleted at the end.

    Raises:
        BlockingIOError: Another process or thread holds the lock; the error names it.
        OSError: The file cannot be written.
    """
    lock, owner = lock.parent.resolve() / lock.name, Owner.current()
    if _holders.get(lock) == owner:
        yield
        return
    descriptor = _acquire(lock, owner)
    _holders[lock] = owner
    try:
        yield
    finally:
        del _holders[lock]
        _release(lock, descriptor)


def _acquire(lock: Path, owner: Owner) -> int:
    """Descriptor of the open lock file, held by this owner."""
    while True:
        descriptor = os.open(lock, LOCK_FLAGS, 0o666)
        try:
            _check_free(lock, descriptor)
            if _is_current(lock, descriptor):
                _write_record(lock, descriptor, owner)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner has just deleted it


def _check_free(lock: Path, descriptor: int) -> None:
    """Refuse a lock that somebody else holds, and a file that is no lock."""
    is_locked = _lock_file(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    record = os.read(descriptor, MAX_RECORD_BYTES)
    try:
        previous = _owner(json.loads(record)) if record else None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise FileExistsError(
            errno.EEXIST, f"{lock} is in the way and is no lock of Unwarp; move it away"
        ) from None
    if is_locked is False or (previous and _may_hold(previous, is_locked)):
        holder = f"process {previous.pid} on {previous.host}" if previous else "another process"
        raise BlockingIOError(
            errno.EAGAIN,
            f"in use by {holder}; wait until it ends, or delete {lock} if it no longer runs",
        )


def _owner(record: Any) -> Owner:
    """The owner in the record of a lock."""
    return Owner(int(record["pid"]), str(record["host"]), int(record["thread"]))


def _may_hold(previous: Owner, is_locked: bool | None) -> bool:
    """Whether an owner may hold a lock that the operating system does not refuse."""
    if previous.host != socket.gethostname():
        return True
    if is_locked:
        return False
    return previous.is_alive and (previous.pid != os.getpid() or previous in _holders.values())


def _lock_file(descriptor: int) -> bool | None:
    """Whether the operating system grants the lock; None if it has no locks for this file."""
    if os.name != "posix":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_current(lock: Path, descriptor: int) -> bool:
    """Whether the path still leads to the open file."""
    try:
        return os.path.samestat(lock.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _write_record(lock: Path, descriptor: int, owner: Owner) -> None:
    """Write the owner to the lock file; a file without an owner is deleted."""
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps(asdict(owner)).encode())
    except BaseException:
        with suppress(OSError):
            os.unlink(lock)  # noqa: PTH108
        raise


def _release(lock: Path, descriptor: int) -> None:
    """Delete the lock file and close it; one that cannot be deleted holds nobody up."""
    is_current = _is_current(lock, descriptor)
    if os.name != "posix":  # an open file cannot be deleted
        os.close(descriptor)
    try:
        if is_current:
            os.unlink(lock)  # noqa: PTH108
    except OSError:
        pass
    finally:
        if os.name == "posix":
            os.close(descriptor)
