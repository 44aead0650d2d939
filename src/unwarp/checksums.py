"""Checksums, which reveal damaged files and other data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.disk.sharded import ShardedArray

DIGEST_BYTES = 16
"""Length of a checksum in bytes; two different values share one with probability 2**-128."""

BYTES_PER_BLOCK = 1 << 24
"""Greatest number of bytes of an array that are copied at once."""


def checksum(value: Any) -> str:
    """The checksum of a value and its type.

    It is the BLAKE2 digest (Saarinen and Aumasson 2015) as 32 hexadecimal digits. The order of rows
    counts, that of the keys of a mapping does not.

    Args:
        value: An array, a tensor, a number, a text, None, or lists, mappings and dataclasses of
            them.

    >>> checksum([1, 2]) == checksum([1, 2]), checksum([1, 2]) == checksum([2, 1])
    (True, False)
    """
    total = blake2b(digest_size=DIGEST_BYTES)
    for part in _parts(value):
        total.update(part)
    return total.hexdigest()


def _parts(value: Any) -> Iterator[bytes | memoryview]:
    """The bytes of a value, each part with its type and its length before it."""
    if isinstance(value, Tensor):
        yield f"tensor {value.dtype} {tuple(value.shape)};".encode()
        flat = value.detach().cpu().contiguous().reshape(-1)
        yield flat.view(torch.uint8).numpy().data if flat.numel() else b""
    elif isinstance(value, np.ndarray | ShardedArray) and value.dtype != object:
        yield f"array {value.dtype.str} {value.shape};".encode()
        yield from _blocks(value)
    elif isinstance(value, list | tuple | np.ndarray):
        yield f"list {len(value)};".encode()
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Mapping):
        yield b"mapping;"
        yield from _parts(sorted(value.items()))
    elif is_dataclass(value):
        yield f"{type(value).__name__};".encode()
        yield from _parts([getattr(value, field.name) for field in fields(value)])
    else:
        text = repr(value).encode()
        yield f"{type(value).__name__} {len(text)};".encode() + text


def _blocks(array: Array | ShardedArray) -> Iterator[bytes]:
    """The bytes of an array in the order of its values, in blocks of rows."""
    if not array.ndim or not array.size:
        yield np.asarray(array).tobytes()
        return
    rows = max(1, BYTES_PER_BLOCK * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        yield array[start : start + rows].tobytes()
