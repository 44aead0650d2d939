"""Cells of text files: numbers, time stamps and labels, refused with their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats import text
from unwarp.errors import DataError


def place(k: int) -> str:
    """The place of a cell in words."""
    return f"cell {k}"


def test_numbers_agree_with_float32() -> None:
    """As Python reads them, but for missing values, digit groups, and what float32 cannot hold."""
    texts = ["1", "-1.5e2", " 0.25 ", "nan"]
    np.testing.assert_array_equal(text.numbers(texts, place), [1, -150, 0.25, np.nan])
    np.testing.assert_array_equal(text.numbers(["2", "?", ""], place), [2, np.nan, np.nan])
    for cell in ("1_000", "1e39", "inf", "x"):
        assert not text.is_number(cell)
        with pytest.raises(DataError, match=rf"cell 1: '{cell}' is not a number that float32"):
            text.numbers(["0", cell], place)


def test_stamps_do_not_depend_on_the_zone() -> None:
    """A date without a zone is one of UTC; numbers stand as they are."""
    dates = ["1970-01-02", "1970-01-02T01:00:00+01:00", "1970-01-02 00:00:00"]
    assert text.stamps([*dates, "86400"], place).tolist() == [86400.0] * 4
    for cell in ("noon", "inf", "", "1_0"):
        with pytest.raises(DataError, match=r"cell 1: .* is neither a number nor an ISO date"):
            text.stamps(["0", cell], place)


def test_labels_keep_their_kind() -> None:
    """Whole numbers, other numbers and words; a series without one is named."""
    cells = (["1.0", "-2"], ["1", ".5"], ["1", " b "])
    whole, parts, words = (text.classes(row, place) for row in cells)
    assert (whole.tolist(), whole.dtype) == ([1, -2], np.int64)
    assert parts.tolist() == [1.0, 0.5] and words.tolist() == ["1", "b"]
    with pytest.raises(DataError, match="cell 1 has no label; label every series or none"):
        text.classes(["a", "?"], place)


def test_lines_have_their_numbers(tmp_path: Path) -> None:
    """Blank lines count but are left out, whatever ends a line; cells of tabs stay."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\n\n  b\t\rc")
    expected = [(1, "a"), (3, "b\t"), (4, "c")]
    assert text.placed_lines(path) == [(f"{path}, line {n}", line) for n, line in expected]
    path.write_text(" \n")
    with pytest.raises(DataError, match="is empty"):
        text.placed_lines(path)


def test_padding_is_missing_in_each_channel() -> None:
    """Steps that are missing in every channel are cut, gaps before them stay."""
    row = np.array([[1, np.nan, np.nan, np.nan], [2, np.nan, 3, np.nan]], np.float32)
    np.testing.assert_array_equal(text.without_tail(row, "line 1"), row[:, :3])
    with pytest.raises(DataError, match="line 1 holds no value"):
        text.without_tail(row[:, 3:], "line 1")
    assert len(text.shown("x" * 100)) < 50
