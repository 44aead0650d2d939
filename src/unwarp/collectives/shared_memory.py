"""Memory through which the processes of one computer exchange tensors.

A sender wakes a receiver in tens to thousands of microseconds, depending on the operating system.
Here nobody sleeps: each process writes its tensor, then its counter, and reads the counters of the
others until they are as great. On processors of the x86 family other cores see the two writes in
their order.
"""

from __future__ import annotations

import mmap
import os
import platform
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, distributed

if sys.platform != "win32":
    import fcntl

SLOT_BYTES = 1 << 20
"""Greatest size of a tensor in an exchange."""

HEADER_BYTES = 1 << 16
"""Bytes before the first slot, with the counters of at most 1,024 processes."""

LINE_BYTES = 64
"""Bytes of a line of the processor's cache, which holds the counter of one process."""

SPINS = 200_000
"""Number of looks at a counter before a process pauses between looks (about 10 milliseconds)."""

PAUSE_SECONDS = 1e-4
"""Time between looks at a counter of a process that is late."""

PAUSES_PER_CHECK = 1_000
"""Number of pauses before a process checks whether a late one is alive."""


class SharedMemory:
    """Memory of the processes of one computer.

    Each process has a counter and two slots. The slots take turns. Nobody writes into a slot before
    all have read it, since the others count an exchange only when they have read the one before.

    Args:
        descriptor: Open file of at least `size_of(n)` bytes, the same in all processes. It must
            stay open: closing any descriptor of the file would give up the lock of this process.
        index: Number of this process, from 0.
        n: Number of processes.

    >>> with tempfile.TemporaryFile() as file:
    ...     os.truncate(file.fileno(), size_of(1))
    ...     SharedMemory(file.fileno(), index=0, n=1).gather(torch.tensor([2.0, 3.0]))
    tensor([[2., 3.]])
    """

    def __init__(self, descriptor: int, index: int, n: int) -> None:
        self._descriptor, self._index, self._n = descriptor, index, n
        memory = mmap.mmap(descriptor, size_of(n))
        self._counters = memoryview(memory).cast("q")
        slots = torch.frombuffer(memory, dtype=torch.uint8, offset=HEADER_BYTES)
        self._slots = slots[: 2 * n * SLOT_BYTES].view(2, n, SLOT_BYTES)
        self._count = 0
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, index)  # lost when the process ends

    def gather(self, x: Tensor) -> Tensor:
        """The tensors of all processes, stacked.

        Args:
            x: A contiguous tensor on the CPU, of at most `SLOT_BYTES` bytes, of the same shape and
                type in each process.

        Returns:
            Tensors (number of processes, *x.shape), equal in all processes.

        Raises:
            DistError: Another process ended.
        """
        values = x.reshape(-1).view(torch.uint8)
        self._count += 1
        slots = self._slots[self._count % 2, :, : len(values)]
        slots[self._index] = values
        self._counters[_place(self._index)] = self._count
        for other in range(self._n):
            self._wait(other)
        return slots.clone().view(x.dtype).view(self._n, *x.shape)

    def _wait(self, other: int) -> None:
        """Wait until a process has written its tensor of this exchange."""
        counters, place, count = self._counters, _place(other), self._count
        for _ in range(SPINS):
            if counters[place] >= count:
                return
        while counters[place] < count:
            for _ in range(PAUSES_PER_CHECK):
                time.sleep(PAUSE_SECONDS)
                if counters[place] >= count:
                    return
            if self._has_ended(other) and counters[place] < count:
                raise distributed.DistError(f"process {other} has ended")

    def _has_ended(self, other: int) -> bool:
        """Whether a process has ended, and so given up its lock."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, other)
        except OSError:
            return False
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, other)  # for the other processes
        return True


def _place(index: int) -> int:
    """Place of the counter of a process among the numbers of the header."""
    return index * LINE_BYTES // 8


def size_of(n: int) -> int:
    """Bytes of the memory of `n` processes.

    >>> size_of(2) == 2**16 + 4 * 2**20
    True
    """
    return HEADER_BYTES + 2 * n * SLOT_BYTES


@cache
def shared_memory() -> SharedMemory | None:
    """The memory of the connected processes; None if they cannot share one.

    They can on Linux, on processors of the x86 family, on one computer, if each has a core of its
    own. All processes call this together.
    """
    rank, n = distributed.get_rank(), distributed.get_world_size()
    path = _new_file(n) if rank == 0 and _can_share(n) else None
    paths: list[str | None] = [path]
    distributed.broadcast_object_list(paths, src=0)
    memory = _open(paths[0], rank, n)  # no other descriptor is closed from here on: see the lock
    is_open: list[bool] = [False] * n
    distributed.all_gather_object(is_open, memory is not None)
    if path:
        Path(path).unlink()  # open files remain
    return memory if all(is_open) else None


def _can_share(n: int) -> bool:
    """Whether this computer suits `n` processes that look at counters."""
    is_suited = sys.platform == "linux" and platform.machine() == "x86_64"
    return is_suited and n <= min(len(os.sched_getaffinity(0)), HEADER_BYTES // LINE_BYTES)


def _new_file(n: int) -> str | None:
    """Path of a file in memory with room for `n` processes; None if there is no room."""
    try:
        with tempfile.NamedTemporaryFile(prefix="unwarp-", dir="/dev/shm", delete=False) as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size_of(n))
            except OSError:
                Path(file.name).unlink()
                return None
    except OSError:
        return None
    return file.name


def _open(name: str | None, index: int, n: int) -> SharedMemory | None:
    """The memory in the file of a name; None if there is no file, as on another computer."""
    try:
        return SharedMemory(os.open(name, os.O_RDWR), index, n) if name else None
    except OSError:
        return None
