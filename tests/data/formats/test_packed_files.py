"""Packed text files are read as if they were not packed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.files import read
from unwarp.errors import DataError

Pack = Callable[[bytes], bytes]
TEXT = "label,t0,t1\na,0.5,1.5\nb,2.5,3\n"


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_packed_tables_are_read(tmp_path: Path, suffix: str, pack: Pack) -> None:
    """A packed file gives the same source; a damaged one is named."""
    plain = read(write_file(tmp_path, "a.csv", TEXT))
    path = tmp_path / f"a.csv.{suffix}"
    path.write_bytes(pack(TEXT.encode()))
    assert (read(path).x == plain.x).all() and read(path).description == plain.description
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"a\.csv\."):
        read(path)
    (tmp_path / "a.npy.xz").write_bytes(lzma.compress(b"x"))
    with pytest.raises(DataError, match=r"a\.npy\.xz packs a file 'a\.npy'"):
        read(tmp_path / "a.npy.xz")
