"""The separator of cells is the one that leaves numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.data.formats.separators import find_separator, split_rows
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["probe a;b c", "1,5;2", "1,6;3"], ";"),
        (["0,00 1,2", "0,01 1,3"], " "),
        (["step 0\tstep 1", "1 000,5\t2"], "\t"),
        (["2024-05-01 10:00:00,1.5", "2024-05-01 10:00:01,2"], ","),
        (["1|2", "3|4"], "|"),
    ],
)
def test_separator_leaves_numbers(lines: list[str], separator: str) -> None:
    """Blanks in names and commas in numbers separate nothing."""
    assert find_separator(lines) == separator


def test_comments_are_set_aside() -> None:
    """Comments count as lines; a quotation mark that is not closed is refused."""
    rows, comments = split_rows(Path("a.csv"), "# by a logger\na,b\n% later\n1,2\n,\n")
    assert rows == [("line 2", ["a", "b"]), ("line 4", ["1", "2"])]
    assert comments == ["by a logger"]
    with pytest.raises(DataError, match="damaged or cut short"):
        split_rows(Path("a.csv"), 'a,b\n1,"2\n')
