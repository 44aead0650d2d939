"""Tables with a column per series."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import as_lists, as_times, write_file
from unwarp.data.formats.column_tables import split_names
from unwarp.data.formats.files import read
from unwarp.errors import DataError


def test_columns_are_series(tmp_path: Path) -> None:
    """Names, times and unequal lengths come from the columns."""
    text = "time,S0,S1\n0,1,4\n0.5,2,5\n1.5,3,\n"
    source = read(write_file(tmp_path, "a.csv", text))
    assert source.names == ["S0", "S1"] and as_lists(source) == [[[1, 2, 3]], [[4, 5]]]
    assert as_times(source) == [[0, 0.5, 1.5], [0, 0.5]]


def test_channels_follow_a_point(tmp_path: Path) -> None:
    """Columns `name.channel` of every name and channel are channels of series."""
    text = "time,a.x,a.y,b.x,b.y\n0,1,2,3,4\n1,5,6,7,8\n3,1,1,1,1\n"
    source = read(write_file(tmp_path, "a.csv", text))
    assert source.x.shape == (2, 2, 3) and source.form.channels == ("x", "y")
    assert split_names(["a.x", "b.y"]) == (["a.x", "b.y"], [])


def test_times_must_increase(tmp_path: Path) -> None:
    """A time that is not later than the row above is named with its row."""
    from unwarp.data.formats.table_layouts import read_table
    from unwarp.data.formats.text_tables import read_text_table
    from unwarp.data.hints import Hints

    path = write_file(tmp_path, "a.csv", "time,S0,S1\n0,1,2\n2,3,4\n1,5,6\n")
    with pytest.raises(DataError, match="line 4, column 'time' is not later than the row above"):
        read_table(read_text_table(path), Hints(table="columns"))
