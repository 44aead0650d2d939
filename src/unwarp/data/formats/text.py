"""Text files as strings and numbered lines.

Each line comes with its location, such as `a.tsv, line 3`, for error messages.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unwarp.data.limits import BYTES_PER_CELL, check_size, max_bytes
from unwarp.errors import DataError

MAX_QUOTED_CHARACTERS = 40
SEPARATORS = (b",", b";", b"\t", b" ", b"\n", b":")
"""Bytes between the cells of a text file, in any of the formats."""

BYTES_OF_BLOCK = 1 << 20
"""Bytes that are unpacked at once."""

OPENERS: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
"""Functions that open packed files, by suffix."""

LINE_END = re.compile("\r\n|\r|\n")


def read_text(path: Path) -> str:
    """Read the text of a file, plain or packed.

    It is read as UTF-8, or UTF-16 if it begins with that mark. If it is not valid UTF-8, it is read
    as Windows-1252, which spreadsheets of older systems use, or else as Latin-1, which can decode
    any bytes. A byte order mark is removed.

    Args:
        path: A text file; `.gz`, `.bz2` and `.xz` files are unpacked.

    Returns:
        The whole text, with its line ends unchanged.

    Raises:
        DataError: The file cannot be opened or unpacked, contains only white space, or is too large
            for the memory.
    """
    try:
        check_size(path.stat().st_size, f"{path}")
        raw = _read_bytes(path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be read: {error}; check it, or pack it again") from error
    n_cells = sum(raw.count(separator) for separator in SEPARATORS)
    check_size(n_cells * BYTES_PER_CELL + 2 * len(raw), f"{path}: its {n_cells:,} cells")
    text = _decode(raw)
    if not text.strip():
        raise DataError(f"{path} is empty; a file of series contains at least one series")
    return text


def _read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked if it is packed; no more than fits in the memory."""
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        return path.read_bytes()
    bound, blocks, n_bytes = max_bytes(), list[bytes](), 0
    with opener(path) as file:
        while n_bytes <= bound and (block := file.read(BYTES_OF_BLOCK)):
            blocks.append(block)
            n_bytes += len(block)
    check_size(n_bytes, f"{path}")
    return b"".join(blocks)


def _decode(raw: bytes) -> str:
    """The text of bytes."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def numbered_lines(path: Path) -> list[tuple[str, str]]:
    r"""Read the lines of a file, each with its location.

    Blank lines are left out, but they are counted, so that the line numbers are those of a text
    editor. A line ends with `\n`, `\r\n` or `\r`.

    Args:
        path: A text file.

    Returns:
        Pairs of a location in words, such as `a.tsv, line 3` (the first line is 1), and a line
        without spaces at its ends. Tabs at its ends stay, because they separate empty cells.

    Raises:
        DataError: The file cannot be opened, or contains only white space.
    """
    lines = enumerate(LINE_END.split(read_text(path)), 1)
    return [(f"{path}, line {number}", line.strip(" ")) for number, line in lines if line.strip()]


def quote(text: str) -> str:
    """Quote a cell for a message, shortened to 40 characters.

    >>> quote("x" * 50)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"
    """
    is_short = len(text) <= MAX_QUOTED_CHARACTERS
    return repr(text if is_short else text[:MAX_QUOTED_CHARACTERS] + "...")
