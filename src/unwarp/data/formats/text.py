"""Text files as strings and numbered lines.

Each line comes with its location, such as `a.tsv, line 3`, for error messages.
"""

from __future__ import annotations

import re
from pathlib import Path

from unwarp.data.limits import BYTES_PER_CELL, check_size
from unwarp.errors import DataError

MAX_QUOTED_CHARACTERS = 40
SEPARATORS = (b",", b";", b"\t", b" ", b"\n", b":")
"""Bytes between the cells of a text file, in any of the formats."""

LINE_END = re.compile("\r\n|\r|\n")


def read_text(path: Path) -> str:
    """Read the text of a file, as UTF-8 or else as Latin-1.

    A byte order mark is removed. If the file is not valid UTF-8, it is read as Latin-1, which some
    files of older archives use and which can decode any bytes.

    Args:
        path: A text file.

    Returns:
        The whole text, with its line ends unchanged.

    Raises:
        DataError: The file cannot be opened, contains only white space, or is too large for the
            memory.
    """
    try:
        size = path.stat().st_size
        check_size(size, f"{path}")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    n_cells = sum(raw.count(separator) for separator in SEPARATORS)
    check_size(n_cells * BYTES_PER_CELL + 2 * size, f"{path}: its {n_cells:,} cells")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text.strip():
        raise DataError(f"{path} is empty; a file of series contains at least one series")
    return text


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
