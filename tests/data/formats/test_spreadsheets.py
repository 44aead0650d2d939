"""Excel sheets and lines of JSON are tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.files import read
from unwarp.errors import DataError

LONG = pd.DataFrame({"id": [*"aabb"], "t": [0, 1, 0, 1], "x": [0.5, 1.5, 2.5, 3]})


def test_excel_is_a_table(tmp_path: Path) -> None:
    """The first sheet is read like a text file, lines above the table included."""
    pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    LONG.to_excel(tmp_path / "a.xlsx", index=False, startrow=2)
    source = read(tmp_path / "a.xlsx")
    assert source.names == ["a", "b"] and source.x.tolist() == [[0.5, 1.5], [2.5, 3]]
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a\.xlsx is damaged"):
        read(tmp_path / "a.xlsx")


def test_json_lines_are_a_table(tmp_path: Path) -> None:
    """An object in each line is a row; lists of numbers are series."""
    lines = "\n".join(json.dumps(row) for row in LONG.to_dict("records"))
    source = read(write_file(tmp_path, "a.jsonl", lines))
    assert source.names == ["a", "b"] and source.x.tolist() == [[0.5, 1.5], [2.5, 3]]
    nested = read(write_file(tmp_path, "b.jsonl", '{"x": [1, 2]}\n{"x": [3, 4, 5]}\n'))
    assert [np.ravel(row).tolist() for row in nested.x] == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize("text", ["{", '{"x": 1', "[]\n", '"x"\n', "1\n2\n"])
def test_other_lines_are_refused(tmp_path: Path, text: str) -> None:
    """Lines that hold no objects are refused by the name of the file."""
    with pytest.raises(DataError, match=r"a\.jsonl"):
        read(write_file(tmp_path, "a.jsonl", text))
