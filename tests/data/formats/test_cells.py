"""Cells of text files: numbers, times and labels, with errors that name the cell."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.data.formats import cells
from unwarp.errors import DataError


def locate(k: int) -> str:
    """The location of a cell in words."""
    return f"cell {k}"


def test_numbers_agree_with_float32() -> None:
    """As Python reads them, but for missing values, digit groups and numbers beyond float32."""
    texts = ["1", "-1.5e2", " 0.25 ", "nan"]
    np.testing.assert_array_equal(cells.parse_numbers(texts, locate), [1, -150, 0.25, np.nan])
    np.testing.assert_array_equal(cells.parse_numbers(["2", "?", ""], locate), [2, np.nan, np.nan])
    for cell in ("1_000", "1e39", "inf", "x"):
        assert not cells.is_number(cell)
        with pytest.raises(DataError, match=rf"cell 1: '{cell}' is not a number that float32"):
            cells.parse_numbers(["0", cell], locate)


def test_times_ignore_the_local_zone() -> None:
    """A date without a time zone is in UTC; numbers stay as they are."""
    dates = ["1970-01-02", "1970-01-02T01:00:00+01:00", "1970-01-02 00:00:00"]
    assert cells.parse_times([*dates, "86400"], locate).tolist() == [86400.0] * 4
    for cell in ("noon", "inf", "", "1_0"):
        with pytest.raises(DataError, match=r"cell 1: .* is neither a number nor an ISO date"):
            cells.parse_times(["0", cell], locate)


def test_labels_keep_their_type() -> None:
    """Integers, other numbers and words; a missing label is refused by its location."""
    columns = (["1.0", "-2"], ["1", ".5"], ["1", " b "])
    integers, numbers, words = (cells.parse_labels(column, locate) for column in columns)
    assert (integers.tolist(), integers.dtype) == ([1, -2], np.int64)
    assert numbers.tolist() == [1.0, 0.5] and words.tolist() == ["1", "b"]
    with pytest.raises(DataError, match="cell 1 has no label; label every series or none"):
        cells.parse_labels(["a", "?"], locate)


def test_minus_signs_are_hyphens() -> None:
    """The minus sign of Unicode, in numbers, exponents, labels, times and missing cells."""
    texts = ["\u22120.5", "1e\u22122", "\u2212", "2"]
    np.testing.assert_array_equal(cells.parse_numbers(texts, locate), [-0.5, 0.01, np.nan, 2])
    assert cells.is_number(texts[0]) and cells.NUMBER_START.match(texts[0])
    assert cells.parse_labels(["\u22121", "1"], locate).tolist() == [-1, 1]
    assert cells.parse_times(["\u22121", "2024-01-01"], locate)[0] == -1
