"""Ids that repeat and times that restart are signs of long tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import VALUES, table_of
from unwarp.data.formats.layout_signs import FAIR, STRONG
from unwarp.data.formats.long_signs import signs_of_long
from unwarp.data.formats.table import Roles


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


def test_restarting_times_are_long(tmp_path: Path) -> None:
    """Times that restart at the same value tell where series begin."""
    table = table_of(tmp_path, "t,x", [0, 1, 2, 0, 1, 2], VALUES)
    candidate = signs_of_long(table, Roles())
    assert candidate is not None and not candidate.roles.ids
    assert candidate.evidence == "'t' restarts 1 times"
