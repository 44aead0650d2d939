"""A table as one recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import write_file
from unwarp.data.formats.table_recordings import record_table
from unwarp.data.formats.text_tables import read_text_table
from unwarp.data.hints import NO_HINTS
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("text", "times", "n_channels"),
    [
        ("time,x\n0,1\n2,2\n", [0, 2], 1),
        ("x,y\n1,2\n5,4\n", None, 2),
        ("0.0 1 7\n0.1 9 3\n0.2 4 1\n0.3 5 5\n0.4 2 2\n", [0, 0.1, 0.2, 0.3, 0.4], 2),
        ("date,x,place\n2024-01-01,1,a\n2024-01-02,2,a\n", [1704067200, 1704153600], 1),
    ],
)
def test_times_are_told(
    tmp_path: Path, text: str, times: list[float] | None, n_channels: int
) -> None:
    """The column of times is not a channel, and words are none either."""
    item = record_table(read_text_table(write_file(tmp_path, "a.csv", text)), NO_HINTS)
    assert (None if item.times is None else item.times.tolist()) == times
    assert len(item.values) == n_channels


def test_newest_row_may_come_first(tmp_path: Path) -> None:
    """Steps are sorted by times that decrease, and notes say so; other orders are refused."""
    path = write_file(tmp_path, "a.csv", "time,x\n2,7\n1,8\n0,9\n")
    item = record_table(read_text_table(path), NO_HINTS)
    assert item.times is not None and item.times.tolist() == [0, 1, 2]
    assert item.values.tolist() == [[9, 8, 7]] and "rows sorted by time" in item.notes
    path = write_file(tmp_path, "a.csv", "time,x\n2,7\n0,8\n1,9\n")
    with pytest.raises(DataError, match="line 3, column 'time' is not later than the row above"):
        record_table(read_text_table(path), NO_HINTS)


def test_table_of_series_is_no_recording(tmp_path: Path) -> None:
    """Many columns and few rows without times are series in rows."""
    text = ",".join(f"{k}.5" for k in range(80)) + "\n"
    with pytest.raises(DataError, match="give it by itself if its rows are series"):
        record_table(read_text_table(write_file(tmp_path, "a.csv", text * 3)), NO_HINTS)
