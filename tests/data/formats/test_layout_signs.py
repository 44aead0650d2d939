"""Signs that several layouts share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import VALUES, table_of
from unwarp.data.formats.layout_signs import are_surely_steps, axis_of
from unwarp.data.formats.table import Roles
from unwarp.data.formats.table_layouts import find_layout
from unwarp.errors import DataError


def test_axis_increases_evenly(tmp_path: Path) -> None:
    """A first column is an axis if it increases evenly, or has the name of a counter."""
    for head, axis in (("q,x", [0, 2, 4, 6, 8, 10]), ("frame,x", [0, 1, 5, 6, 8, 10])):
        assert axis_of(table_of(tmp_path, head, axis, VALUES), Roles()) == 0
    assert axis_of(table_of(tmp_path, "q,x", [0, 1, 5, 6, 8, 10], VALUES), Roles()) is None


def test_steps_are_told_by_names() -> None:
    """Numbers, dates and words for steps; other numbered names may be series."""
    assert are_surely_steps(["t0", "t1"]) and are_surely_steps(["0.5", "2"])
    assert not are_surely_steps(["S0", "S1"])


def test_one_recording_is_refused(tmp_path: Path) -> None:
    """Few columns of words beside a time may be channels of one series."""
    table = table_of(tmp_path, "time,left,right", [0, 1, 2, 3, 4, 5], VALUES, VALUES)
    with pytest.raises(DataError, match=r"2 series of 6 steps .* one recording of 2 channels"):
        find_layout(table)
