"""Packed files: tables and other text files of series, and IDX files.

recordings.csv.gz     a table, as in recordings.csv
images-idx3-ubyte.gz  an array of samples
"""

from __future__ import annotations

from pathlib import Path

from unwarp.core import Array
from unwarp.data.formats.csv_files import write_csv
from unwarp.data.formats.idx import encode_packed_idx, read_packed_idx
from unwarp.data.formats.registry import formats, hinted_reader
from unwarp.data.formats.text import OPENERS
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.source import Source
from unwarp.errors import DataError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".ts", ".arff")
"""Suffixes of text files, which are unpacked while they are read."""


@hinted_reader(
    ".gz", description="a packed text file (.csv.gz ...), or IDX file", encode=encode_packed_idx
)
def read_gzip(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a text file or an IDX file packed by gzip.

    Args:
        path: The file; the suffix before `.gz` tells its format.
        hints: The user's hints.

    Returns:
        The samples.

    Raises:
        DataError: The file is damaged or holds something else.
    """
    is_text = bool(Path(path.stem).suffix) and _inner_suffix(path) in TEXT_SUFFIXES
    return read_packed(path, hints) if is_text else read_packed_idx(path)


def write_packed(path: Path, x: Array) -> None:
    """Write series as a packed table.

    Args:
        path: The file to write, `.gz`, `.bz2` or `.xz`.
        x: Series (N, T).
    """
    with OPENERS[path.suffix](path, "wt") as file:
        write_csv(file, x)


@hinted_reader(
    ".bz2",
    ".xz",
    description="a packed text file (.csv.bz2, .csv.xz ...)",
    writer=write_packed,
)
def read_packed(path: Path, hints: Hints = NO_HINTS) -> Source:
    """Read a packed text file.

    Args:
        path: The file; the suffix before the last one tells its format.
        hints: The user's hints.

    Returns:
        The samples, as from the file before it was packed.

    Raises:
        DataError: The file is damaged, or the packed file has another format.
    """
    suffix = _inner_suffix(path)
    if suffix not in TEXT_SUFFIXES:
        raise DataError(
            f"{path} packs a file {path.stem!r}; only {', '.join(TEXT_SUFFIXES)} files are read "
            "packed, so unpack it"
        )
    return formats()[suffix].read(path, hints)


def _inner_suffix(path: Path) -> str:
    """The suffix of the packed file, that of tables if its name has none."""
    return Path(path.stem).suffix.lower() or ".csv"
