"""File systems that fail: the n-th call is refused, or the process dies at it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

CALLS = ("open", "write", "fsync", "ftruncate", "replace", "mkdir", "unlink", "rmdir")
DEAD_PID = 2**30
"""A process that does not exist: the system counts up to 2**22."""


class Death(BaseException):
    """The end of a process: nothing that it does afterwards reaches the disk."""


@contextmanager
def failing_call(n: int, dies: bool = False) -> Iterator[Callable[[], int]]:
    """Refuse the n-th call of the file system, counted from 1.

    Args:
        n: Number of the call.
        dies: Whether the process dies at the call, so that all further calls fail, too.

    Yields:
        A function that counts the calls so far.
    """
    count = 0

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*args: Any, **keywords: Any) -> Any:
            nonlocal count
            count += 1
            if dies and count >= n:
                raise Death
            if count == n:
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*args, **keywords)

        return replacement

    patches = {name: wrap(getattr(os, name)) for name in CALLS}
    patches |= {"getpid": lambda: DEAD_PID} if dies else {}
    with mock.patch.multiple(os, **patches):
        yield lambda: count
