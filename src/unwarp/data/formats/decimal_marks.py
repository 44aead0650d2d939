"""Numbers with decimal commas or digit groups, as spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from unwarp.data.formats.text import quote
from unwarp.errors import DataError

EXPONENT = r"(?:[eE][+\-\u2212]?\d+)?"
GROUP = r"\d{1,3}(?:[ \u00a0\u202f']\d{3})+"
"""Digits in groups of three, separated by blanks or apostrophes."""

COMMA = re.compile(rf"\s*[+\-\u2212]?(?:\d*|{GROUP}|\d{{1,3}}(?:\.\d{{3}})+),\d+{EXPONENT}\s*")
"""A number with a decimal comma."""

GROUPED = re.compile(rf"\s*[+\-\u2212]?[1-9]\d{{0,2}}(?:,\d{{3}})+(?:\.\d*)?{EXPONENT}\s*")
"""A number whose digits are grouped by commas."""

POINT = re.compile(rf"\s*[+\-\u2212]?\d*\.\d+{EXPONENT}\s*")
"""A number with a decimal point."""

SPACED = re.compile(rf"\s*[+\-\u2212]?{GROUP}(?:\.\d*)?\s*")
"""A number whose digits are grouped by blanks or apostrophes, without a comma."""

MARKS = re.compile(r"[,' \u00a0\u202f]")
"""Marks of notations other than a decimal point alone."""

UNSPACED = {ord(mark): None for mark in " \u00a0\u202f'"}
Row = tuple[str, list[str]]
"""Location of a line in words, and its cells."""


def is_any_number(cell: str) -> bool:
    """Whether a cell looks like a number in one of the notations.

    Args:
        cell: The cell.

    >>> is_any_number("1,5"), is_any_number("1 234.5"), is_any_number("x")
    (True, True, False)
    """
    return any(p.fullmatch(cell) for p in (COMMA, GROUPED, SPACED))


def with_points(path: Path, rows: list[Row]) -> tuple[list[Row], str]:
    """Rows of numbers with decimal points and without digit groups.

    If numbers with decimal commas and with decimal points are mixed, the rows stay unchanged, so
    that the conversion to numbers refuses them.

    Args:
        path: The file, for errors.
        rows: Location and cells of each row.

    Returns:
        The rows, and the decision in words; empty if nothing had to be decided.

    Raises:
        DataError: A comma may be a decimal comma or separate groups of digits.
    """
    if not any(MARKS.search("".join(cells)) for _, cells in rows):
        return rows, ""
    commas, grouped, points, first = _count(cells for _, cells in rows)
    if first and not commas and not grouped:
        raise DataError(
            f"{path}: {quote(first)} reads two ways, a decimal comma or a group of digits; write "
            "numbers without groups of digits and with decimal points"
        )
    if commas and (grouped or points):
        return rows, ""
    if commas:
        return [(place, [_comma_to_point(cell) for cell in cells]) for place, cells in rows], (
            "decimal commas"
        )
    has_spaces = any(SPACED.fullmatch(cell) for _, cells in rows for cell in cells if len(cell) > 4)
    if not grouped and not has_spaces:
        return rows, ""
    return [(place, [_ungroup(cell) for cell in cells]) for place, cells in rows], "digit groups"


def _count(rows: Iterable[list[str]]) -> tuple[int, int, int, str]:
    """Numbers that are surely with decimal commas, with groups, with points; an unsure one."""
    commas = grouped = points = 0
    unsure = ""
    for cells in rows:
        for cell in cells:
            if "," not in cell:
                points += "." in cell and POINT.fullmatch(cell) is not None
                continue
            is_comma, is_grouped = COMMA.fullmatch(cell), GROUPED.fullmatch(cell)
            commas += bool(is_comma and not is_grouped)
            grouped += bool(is_grouped and not is_comma)
            unsure = unsure or (cell if is_comma and is_grouped else "")
    return commas, grouped, points, unsure


def _comma_to_point(cell: str) -> str:
    """A cell with a decimal point, if it is a number with a decimal comma."""
    if "," in cell and COMMA.fullmatch(cell):
        return cell.translate(UNSPACED).replace(".", "").replace(",", ".")
    return cell.translate(UNSPACED) if len(cell) > 4 and SPACED.fullmatch(cell) else cell


def _ungroup(cell: str) -> str:
    """A cell without groups of digits, if it is such a number."""
    if "," in cell and GROUPED.fullmatch(cell):
        return cell.replace(",", "")
    return cell.translate(UNSPACED) if len(cell) > 4 and SPACED.fullmatch(cell) else cell
