"""Bounds on the memory of samples, checked before anything is allocated.

A small file can describe an array that is far larger than the memory. Readers compute its size from
the header and refuse it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from unwarp.errors import ConfigError, DataError

VARIABLE = "UNWARP_MAX_BYTES"
"""Environment variable with the largest size in bytes that is accepted."""

SHARE_OF_MEMORY = 0.5
"""Share of the available memory that the samples of a source may fill."""

BYTES_IF_UNKNOWN = 8 << 30
"""Available memory that is assumed if the operating system does not tell it."""

MIN_BYTES_CHECKED = 1 << 20
"""Size from which samples are compared with the available memory, which takes .2 ms to read."""

MAX_EXPANSION, MIN_BYTES_OF_BOMB = 300, 1 << 28
"""Greatest size of samples over that in the file, and size below which any ratio is accepted.

The pictures of dSprites, black and white and smooth, are stored in a hundredth of their size.
"""

BYTES_PER_CELL = 80
"""Memory of a cell of a table as text, as a reference to it and as a number."""


def check_size(n_bytes: int, noun: str, share: float = SHARE_OF_MEMORY) -> None:
    """Refuse samples that do not fit in the memory.

    Args:
        n_bytes: Memory that the samples need.
        noun: The samples in words, the start of the message.
        share: Share of the available memory that they may fill, unless the environment variable
            sets the bound.

    Raises:
        DataError: The samples need more.
        ConfigError: The environment variable is not a positive whole number.

    >>> check_size(1000, "an array of 1000 bytes")
    """
    if n_bytes < MIN_BYTES_CHECKED and VARIABLE not in os.environ:
        return
    bound = max_bytes(share)
    if n_bytes > bound:
        raise DataError(
            f"{noun} would fill {_in_words(n_bytes)} of memory, the bound is {_in_words(bound)}; "
            f"use fewer or smaller samples, or raise the bound: {VARIABLE}={n_bytes}"
        )


def check_expansion(n_bytes: int, n_stored: int, noun: str) -> None:
    """Refuse large samples that a file stores in far fewer bytes.

    Compression shrinks numbers that vary by a factor of at most about a hundred. A greater factor
    is a constant array, or a file that is made to fill the memory and to take long.

    Args:
        n_bytes: Memory that the samples need.
        n_stored: Bytes of the file that hold them.
        noun: The samples in words, the start of the message.

    Raises:
        DataError: Both bounds are exceeded, and the environment variable does not allow as much.
        ConfigError: The environment variable is not a positive whole number.

    >>> check_expansion(1000, 1, "a small array")
    """
    is_allowed = bool(os.environ.get(VARIABLE, "").strip()) and n_bytes <= max_bytes()
    if n_bytes > MIN_BYTES_OF_BOMB and n_bytes > MAX_EXPANSION * n_stored and not is_allowed:
        raise DataError(
            f"{noun} would fill {_in_words(n_bytes)} of memory, but the file stores only "
            f"{_in_words(n_stored)}; check the file, or allow it: {VARIABLE}={n_bytes}"
        )


def stored_bytes(stream: BinaryIO) -> int:
    """Number of bytes of an opened file, whose position stays."""
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return size


def max_bytes(share: float = SHARE_OF_MEMORY) -> int:
    """Largest size of samples in bytes.

    Args:
        share: Share of the available memory.

    Returns:
        The value of the environment variable, else a share of the available memory.

    Raises:
        ConfigError: The environment variable is not a positive whole number.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return int(share * available_bytes())
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"{VARIABLE}={text} is not a number of bytes; give one, or unset it")
    return int(text)


def available_bytes(root: Path = Path("/")) -> int:
    """Memory in bytes that a process can still use.

    Args:
        root: Folder of `proc/meminfo` and of the limits of a container, for tests.

    Returns:
        The smaller one of the machine's available memory and that of the container, if any.
    """
    memory = _numbers(root / "proc/meminfo").get("MemAvailable:", BYTES_IF_UNKNOWN >> 10) << 10
    group = root / "sys/fs/cgroup"
    try:
        limit, usage = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
    except (OSError, ValueError):  # no container, or one without a limit
        return memory
    return min(memory, max(0, limit - usage))


def _numbers(path: Path) -> dict[str, int]:
    """Numbers by the word before them, one in each line; empty if there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)
    return {pair[0]: int(pair[1]) for pair in words if len(pair) > 1 and pair[1].isdigit()}


def _in_words(n_bytes: int) -> str:
    """A number of bytes in the unit that suits it, such as `69.8 GiB`."""
    power = min(4, max(0, n_bytes.bit_length() - 1) // 10)
    unit = ("bytes", "KiB", "MiB", "GiB", "TiB")[power]
    return f"{n_bytes / (1 << 10 * power):,.{min(power, 1)}f} {unit}"
