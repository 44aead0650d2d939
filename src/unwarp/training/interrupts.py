"""Requests of the system to end, handled like Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Context in which SIGTERM has the effect of Ctrl-C.

    Batch systems and containers send SIGTERM before they end a process. Inside the context, the
    handler of Ctrl-C is called, so that `Checkpoint` finishes the step and writes its file; without
    such a handler, `KeyboardInterrupt` is raised. If the program has a handler of SIGTERM itself,
    or outside the main thread, nothing changes.

    >>> try:
    ...     with terminate_as_interrupt():
    ...         signal.raise_signal(signal.SIGTERM)
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    interrupted
    """
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    try:
        signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:  # Python lets only the main thread set handlers
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Call the present handler of Ctrl-C, or raise `KeyboardInterrupt` if there is none."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # background processes of shells ignore Ctrl-C
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)
