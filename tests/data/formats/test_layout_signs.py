"""Signs of layouts: what is clear is read, two readings are refused with both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.layout_signs import FAIR, STRONG, signs_of_columns, signs_of_long
from unwarp.data.formats.table import Roles
from unwarp.data.formats.text_tables import read_text_table


def table_of(folder: Path, head: str, *columns: list[object]):  # type: ignore[no-untyped-def]
    """A table of columns below a line of names."""
    rows = (",".join(map(str, row)) for row in zip(*columns, strict=True))
    return read_text_table(write_file(folder, "a.csv", "\n".join([head, *rows]) + "\n"))


VALUES: list[object] = [0.5, 1.25, 7.5, 0.25, 3.5, 9.75]


@pytest.mark.parametrize(
    ("head", "ids", "strength"),
    [
        ("rat,x", [1, 1, 1, 2, 2, 2], STRONG),
        ("rat,x", [1, 2, 1, 2, 1, 2], STRONG),
        ("q,x", [1, 1, 1, 2, 2, 2], STRONG),
        ("colour,x", ["r", "r", "r", "g", "g", "g"], FAIR),
    ],
)
def test_repeated_ids_are_long(tmp_path: Path, head: str, ids: list[object], strength: int) -> None:
    """An id that repeats, in blocks or in turn, is a sign of a long table."""
    candidate = signs_of_long(table_of(tmp_path, head, ids, VALUES), Roles())
    assert candidate is not None and candidate.roles.ids == (0,)
    assert candidate.strength == strength and "repeats 3 times each" in candidate.evidence


def test_increasing_times_are_columns(tmp_path: Path) -> None:
    """Times that increase down the rows are a sign of columns, and no sign of a long table."""
    table = table_of(tmp_path, "Time (s),S0,S1", [0, 0.1, 0.2, 0.3, 0.4, 0.5], VALUES, VALUES[::-1])
    candidate = signs_of_columns(table, Roles())
    assert candidate is not None and (candidate.strength, candidate.roles.time) == (STRONG, 0)
    assert signs_of_long(table, Roles()) is None
