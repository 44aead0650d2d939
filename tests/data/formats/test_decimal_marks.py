"""Decimal commas and digit groups: told by the whole file, refused if they read two ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.data.formats.decimal_marks import with_points
from unwarp.errors import DataError


def convert(*cells: str) -> list[str]:
    """Cells of one row after the conversion."""
    return with_points(Path("a.csv"), [("line 1", [*cells])])[0][0][1]


def test_notation_is_that_of_the_file() -> None:
    """One cell that is clear decides for those that are not."""
    assert convert("1,234", "0,5", "1.234,5") == ["1.234", "0.5", "1234.5"]
    assert convert("1,234", "1,234.5") == ["1234", "1234.5"]
    assert convert("1 234,5", "12\u00a0000,25", "x") == ["1234.5", "12000.25", "x"]
    assert convert("1'234.5", "-2") == ["1234.5", "-2"]


def test_mixed_marks_stay_unchanged() -> None:
    """Decimal commas beside decimal points are left to the error that names the cell."""
    assert convert("1,5", "2.5") == ["1,5", "2.5"]
    with pytest.raises(DataError, match=r"a\.csv: '1,234' reads two ways"):
        convert("1,234", "5,678")
