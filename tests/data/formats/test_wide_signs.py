"""Names of steps are signs of a row per series."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import VALUES, table_of
from unwarp.data.formats.layout_signs import FAIR, STRONG
from unwarp.data.formats.table import Roles
from unwarp.data.formats.wide_signs import signs_of_wide


@pytest.mark.parametrize(
    ("head", "strength"),
    [
        ("who,t0,t1", STRONG),
        ("id,0.5,1.5", STRONG),
        ("who,2024-01-01,2024-01-02", STRONG),
        ("who,left,right", FAIR),
    ],
)
def test_names_of_steps_are_wide(tmp_path: Path, head: str, strength: int) -> None:
    """Numbered steps, numbers and dates name steps; unique words beside them name the rows."""
    candidate = signs_of_wide(table_of(tmp_path, head, [*"uvwxyz"], VALUES, VALUES), Roles())
    assert candidate is not None and candidate.strength == strength
    assert candidate.roles.ids == (0,) and candidate.roles.values == [1, 2]
