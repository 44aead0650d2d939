"""Lines of a text table split into cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from unwarp.data.formats.cells import is_missing, is_number
from unwarp.data.formats.dates import is_date
from unwarp.data.formats.decimal_marks import Row, is_any_number
from unwarp.data.formats.text import LINE_END
from unwarp.errors import DataError

SEPARATORS = ("\t", ";", "|", ",", " ")
"""Separators of cells; of two that fit equally well, the first one is used."""

COMMENT = re.compile(r"\s*(#(?![,;\t|]|\s*$)|%|//)")
"""Start of a line that is a comment."""

SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
"""First line of a file in which Excel names the separator."""

SHARE_OF_BLANKS = 0.8
"""Weight of blanks, which names also contain."""

SAMPLED_LINES = 60
"""Lines at the end of a file that tell the separator."""


def split_rows(path: Path, text: str) -> tuple[list[Row], list[str]]:
    """Location and cells of each row, without blank lines and comments.

    Args:
        path: The file, for errors.
        text: Its text.

    Returns:
        The rows, and the comments above the first row, without their marks.

    Raises:
        DataError: A quotation mark is not closed.
    """
    lines = LINE_END.split(text)
    comments: list[str] = []
    for k, line in enumerate(lines):
        if COMMENT.match(line):
            comments.append(line.strip().lstrip("#%/ "))
            lines[k] = ""
        elif line.strip() and not SEPARATOR_LINE.fullmatch(line):
            break
    head = next((line for line in lines if line.strip()), "")
    separator = SEPARATOR_LINE.fullmatch(head)
    if separator:
        lines[lines.index(head)] = ""
    lines = ["" if COMMENT.match(line) else line for line in lines]
    mark = separator[1] if separator else find_separator([line for line in lines if line.strip()])
    rows = _split(path, lines, mark)
    while rows and not any(cell.strip() for cell in rows[-1][1]):  # as spreadsheets write them
        rows.pop()
    return rows, [line for line in comments if line]


def split_line(line: str, separator: str) -> list[str]:
    """The cells of a line.

    Args:
        line: The line.
        separator: Separator of cells; a blank stands for any white space.
    """
    if separator == " ":
        return line.split()
    return next(csv.reader([line], delimiter=separator), [])


def find_separator(lines: list[str]) -> str:
    """The separator that splits most lines into equally many cells of numbers.

    Args:
        lines: Lines that are not blank.

    >>> find_separator(["a b;c", "1,5;2", "1,5;3"]), find_separator(["1 2.5", "3 4"])
    (';', ' ')
    """
    sample = lines[-SAMPLED_LINES:]
    scores = {separator: _score(sample, separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: scores[separator])
    return best if scores[best] else ","


def _score(lines: list[str], separator: str) -> float:
    """Share of lines with the same number of cells, times the share of numbers among these."""
    try:
        rows = [split_line(line, separator) for line in lines]
    except csv.Error:
        return 0.0
    width, count = most_common(len(cells) for cells in rows)
    if width < 2:
        return 0.0
    cells = [cell for row in rows if len(row) == width for cell in row]
    plain = sum(
        is_number(c) or is_missing(c) or is_any_number(c) or ((":" in c or "-" in c) and is_date(c))
        for c in cells
    )
    share = count / len(rows) * (plain + 0.1) / len(cells)
    return share * (SHARE_OF_BLANKS if separator == " " else 1.0)


def most_common(numbers: Iterable[int]) -> tuple[int, int]:
    """The most common number, and its count.

    Args:
        numbers: The numbers.
    """
    return Counter(numbers).most_common(1)[0]


def _split(path: Path, lines: list[str], separator: str) -> list[Row]:
    """Location and cells of each line that is not blank."""
    if separator == " ":
        return [(f"line {k}", line.split()) for k, line in enumerate(lines, 1) if line.strip()]
    text = io.StringIO("\n".join(lines), newline="")
    parser = csv.reader(text, delimiter=separator, strict=True)
    try:
        return [
            (f"line {parser.line_num}", cells)
            for cells in parser
            if len(cells) > 1 or (cells and cells[0].strip())
        ]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {parser.line_num}: {error}; the file is damaged or cut short"
        ) from error
