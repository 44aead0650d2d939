"""IDX files, the format of MNIST, plain or packed by gzip.

A file begins with two zero bytes, the type of its numbers, the number of axes and their lengths.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.registry import reader
from unwarp.data.limits import check_size
from unwarp.data.source import Source, describe
from unwarp.errors import DataError

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Types of NumPy by their number in the file."""

MAX_AXES = 4
BYTES_OF_START = 4


def encode_idx(output: Output) -> bytes:
    """Samples as the content of an IDX file.

    Args:
        output: The samples.

    Raises:
        DataError: The format has no such type of numbers.
    """
    x = output.x
    codes = {np.dtype(name).newbyteorder("="): code for code, name in TYPES.items()}
    code = codes.get(x.dtype.newbyteorder("="))
    if code is None:
        raise DataError(f"an .idx file has no numbers of type {x.dtype}; write them as .npy")
    start = struct.pack(">HBB", 0, code, x.ndim) + struct.pack(f">{x.ndim}I", *x.shape)
    return start + bytes(x.astype(TYPES[code]).tobytes())


def encode_packed_idx(output: Output) -> bytes:
    """Samples as the content of an IDX file packed by gzip.

    Args:
        output: The samples.
    """
    return gzip.compress(encode_idx(output), mtime=0)


def is_idx(path: Path) -> bool:
    """Whether a file begins as an IDX file.

    Args:
        path: The file.
    """
    with path.open("rb") as file:
        start = file.read(BYTES_OF_START)
    is_start = len(start) == BYTES_OF_START and start[:2] == b"\0\0"
    return is_start and start[2] in TYPES and 1 <= start[3] <= MAX_AXES


@reader(
    ".idx",
    ".ubyte",
    ".idx3-ubyte",
    ".idx4-ubyte",
    description="an array of samples (IDX)",
    accepts=is_idx,
    encode=encode_idx,
)
def read_idx(path: Path) -> Source:
    """Map an array of samples from an IDX file, without loading it.

    Args:
        path: The file.

    Returns:
        The samples (N, ...), a memory map unless the numbers have several bytes each.

    Raises:
        DataError: The file is damaged or cut short.
    """
    with path.open("rb") as file:
        shape, dtype, offset = _read_start(path, file)
    if path.stat().st_size != offset + math.prod(shape) * dtype.itemsize:
        raise DataError(f"{path} is cut short or too long for its shape {shape}; get it again")
    return _source(np.memmap(path, dtype, "r", offset, shape))


def read_packed_idx(path: Path) -> Source:
    """Read an array of samples from an IDX file packed by gzip.

    Args:
        path: The file.

    Returns:
        The samples (N, ...).

    Raises:
        DataError: The file is damaged or holds something else.
    """
    try:
        with gzip.open(path) as file:
            shape, dtype, _ = _read_start(path, file)
            n_bytes = math.prod(shape) * dtype.itemsize
            check_size(n_bytes, f"{path}: its array of shape {shape}")
            content = file.read(n_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or not packed: {error}; get it again") from error
    if len(content) != n_bytes:
        raise DataError(f"{path} is cut short or too long for its shape {shape}; get it again")
    return _source(np.frombuffer(content, dtype).reshape(shape))


def _read_start(path: Path, file: BinaryIO | Any) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape, type and offset of the numbers in an opened file."""
    start = file.read(BYTES_OF_START)
    is_start = len(start) == BYTES_OF_START and start[:2] == b"\0\0" and start[2] in TYPES
    if not is_start or not 1 <= start[3] <= MAX_AXES:
        raise DataError(f"{path} is no IDX file: it begins with {start!r}; unpack or convert it")
    lengths = file.read(4 * start[3])
    if len(lengths) != 4 * start[3]:
        raise DataError(f"{path} is cut short; get it again")
    shape = struct.unpack(f">{start[3]}I", lengths)
    if not math.prod(shape):
        raise DataError(f"{path} holds an array of shape {shape}, without numbers; get it again")
    return shape, np.dtype(TYPES[start[2]]), BYTES_OF_START + len(lengths)


def _source(x: Array) -> Source:
    """Samples in the byte order of the machine."""
    if not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder("="))
    domain = "image" if x.ndim > 2 else "auto"
    return Source(x, None, None, describe(x, domain=domain), domain)
