"""Tables in `.csv` files: the header is told from values, damage is named by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.files import read
from unwarp.errors import DataError

ERRORS = {
    "a first line that counts": (
        "0,1,2\n3,4,5\n",
        r"first line counts 0, 1, \.\.\. and could be column names",
    ),
    "a first line that counts, with a label": (
        "walk,1,2\nrun,4,5\n",
        r"first line counts 1, 2, \.\.\.",
    ),
    "a header alone": ("label,a,b\n", "has column names but no row"),
    "a ragged row": ("a,b\n1,2\n3\n", "line 3 has 1 cells, line 1 has 2"),
    "an open quote": ('a,b\n1,"2\n', "damaged or cut short"),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_csv_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    """A header that could be values, and rows that differ in length, are refused."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, "a.csv", text))


@pytest.mark.parametrize(
    ("text", "n_series"), [("a,b\n1,2\n", 1), ("1.5,2\n3,4\n", 2), ("1.5,id\n3,4\n", 1)]
)
def test_header_is_told_from_values(tmp_path: Path, text: str, n_series: int) -> None:
    """Words are column names, numbers are values, unless a name of a role is among them."""
    assert len(read(write_file(tmp_path, "a.csv", text)).x) == n_series
