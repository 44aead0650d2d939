"""Text files as tables: names, units, preambles, packed files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.text_tables import read_text_table
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"]),
        ("Device,X7\nRate,100\na,b\n1,2\n3,4\n", ["a", "b"]),
        ("a b\n1 2 3\n4 5 6\n", ["", "a", "b"]),
        ("a,b\n(s),(mV)\n1,2\n3,4\n", ["a", "b"]),
        ("0.0,0.1,0.2,0.3,0.4\n3,1,4,1,5\n9,2,6,5,3\n", ["0.0", "0.1", "0.2", "0.3", "0.4"]),
        ("x,\n1,\n2,\n", ["x"]),
        ("1.5,2\n3,4\n", None),
    ],
)
def test_names_are_told(tmp_path: Path, text: str, names: list[str] | None) -> None:
    """Names stand right above the values, whatever stands above them."""
    table = read_text_table(write_file(tmp_path, "a.csv", text))
    assert table.has_names == (names is not None)
    assert names is None or table.names == names
    assert table.n_rows == 2


def test_rows_above_a_cut_are_kept(tmp_path: Path) -> None:
    """A row that is cut short is damage, not the end of a preamble."""
    text = "a,1,2\nb,3\nc,4,5\nd,6,7\ne,8,9\n"
    with pytest.raises(DataError, match="line 2 has 2 cells, line 1 has 3"):
        read_text_table(write_file(tmp_path, "a.csv", text))
    table = read_text_table(write_file(tmp_path, "a.csv", "made,by\nme\nx\n1.5,2\n3,4\n# end\n"))
    assert table.notes == ("3 lines before the table skipped",)
