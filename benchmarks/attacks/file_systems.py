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
def watched_calls(watch: Callable[[int, str], None], is_dead: bool = False) -> Iterator[None]:
    """Call a function before each call of the file system.

    Args:
        watch: Function of the number of the call, counted from 1, and its name. Its own calls are
            not counted; an error that it raises takes the place of the call.
        is_dead: Whether files carry the number of a process that does not exist.
    """
    count, is_watching = 0, False

    def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*args: Any, **keywords: Any) -> Any:
            nonlocal count, is_watching
            if not is_watching:
                count, is_watching = count + 1, True
                try:
                    watch(count, name)
                finally:
                    is_watching = False
            return call(*args, **keywords)

        return replacement

    patches = {name: wrap(name, getattr(os, name)) for name in CALLS}
    patches |= {"getpid": lambda: DEAD_PID} if is_dead else {}
    with mock.patch.multiple(os, **patches):
        yield


def full_disk() -> OSError:
    """The error of a disk without space."""
    return OSError(errno.ENOSPC, "No space left on device")


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

    def watch(number: int, name: str) -> None:
        nonlocal count
        count = number
        if dies and number >= n:
            raise Death
        if number == n:
            raise full_disk()

    with watched_calls(watch, is_dead=dies):
        yield lambda: count
