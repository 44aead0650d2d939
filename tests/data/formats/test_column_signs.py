"""Times that increase are signs of a column per series."""

from __future__ import annotations

from pathlib import Path

from tests.data.formats.text_files import VALUES, table_of
from unwarp.data.formats.column_signs import signs_of_columns
from unwarp.data.formats.layout_signs import STRONG
from unwarp.data.formats.long_signs import signs_of_long
from unwarp.data.formats.table import Roles


def test_increasing_times_are_columns(tmp_path: Path) -> None:
    """Times that increase down the rows are a sign of columns, and no sign of a long table."""
    table = table_of(tmp_path, "Time (s),S0,S1", [0, 0.1, 0.2, 0.3, 0.4, 0.5], VALUES, VALUES[::-1])
    candidate = signs_of_columns(table, Roles())
    assert candidate is not None and (candidate.strength, candidate.roles.time) == (STRONG, 0)
    assert signs_of_long(table, Roles()) is None
