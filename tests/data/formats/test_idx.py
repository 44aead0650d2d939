"""IDX: all types, packed and plain, lengths checked before anything is read."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from unwarp.data.form import Form, Output
from unwarp.data.formats.files import read
from unwarp.data.formats.idx import encode_idx
from unwarp.errors import DataError


@pytest.mark.parametrize("name", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_types_of_numbers_are_kept(tmp_path: Path, name: str) -> None:
    """Each type of the format comes back, in the byte order of the machine."""
    x = (np.arange(5 * 9 * 8).reshape(5, 9, 8) % 100).astype(name)
    (tmp_path / "a.idx").write_bytes(encode_idx(Output(x, None, np.arange(5), Form())))
    source = read(tmp_path / "a.idx")
    assert source.x.dtype == np.dtype(name) and source.domain == "image"
    np.testing.assert_array_equal(source.x, x)


def test_published_names_are_read(tmp_path: Path) -> None:
    """Files without a suffix, as MNIST has them, and packed ones are recognised."""
    x = np.arange(3 * 9 * 9, dtype=np.uint8).reshape(3, 9, 9)
    content = encode_idx(Output(x, None, np.arange(3), Form()))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    assert isinstance(read(tmp_path / "train-images-idx3-ubyte").x, np.memmap)
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read(path).x, x)


def test_huge_shapes_are_refused(tmp_path: Path) -> None:
    """A small file that announces a huge array is refused before it is read."""
    start = struct.pack(">HBB3I", 0, 8, 3, 1 << 30, 1 << 10, 1 << 10)
    (tmp_path / "a.gz").write_bytes(gzip.compress(start + bytes(100)))
    with pytest.raises(DataError, match=r"a\.gz: its array.*would fill"):
        read(tmp_path / "a.gz")
    (tmp_path / "a.idx").write_bytes(start + bytes(100))
    with pytest.raises(DataError, match="cut short or too long"):
        read(tmp_path / "a.idx")
