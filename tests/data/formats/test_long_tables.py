"""Long tables: a row per series and time, in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.formats.text_files import as_labels, as_lists, as_times, write_file
from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.errors import DataError

LONG = "id,time,x,y,label\nu,1,10,20,1\nu,0,11,,1\nv,5,12,22,2\n"
TIDY = "case_id,dim_id,reading_id,value\n0,p,0,1\n0,q,0,2\n0,q,1,3\n1,q,7,4\n"


def test_long_rows_are_ordered_by_time(tmp_path: Path) -> None:
    """Rows of a series are sorted by time, whatever their order in the file."""
    source = read(write_file(tmp_path, "a.csv", LONG))
    assert as_lists(source) == [[[11.0, 10.0], [None, 20.0]], [[12.0], [22.0]]]
    assert source.names == ["u", "v"] and as_labels(source) == [1, 2]
    assert as_times(source) == [[0, 1], [5]]
    assert source.description.endswith(
        "long table, name 'id', time 'time', label 'label', channels x, y"
    )


def test_column_may_name_the_channel(tmp_path: Path) -> None:
    """With a column of channels, a row is one value; a channel without a row is missing."""
    source = read(write_file(tmp_path, "a.csv", TIDY))
    assert as_lists(source) == [[[1.0, None], [2.0, 3.0]], [[None], [4.0]]]
    assert as_times(source) == [[0, 1], [7]]
    assert source.description.endswith("channels p, q")


def test_rows_do_not_order_channels(tmp_path: Path) -> None:
    """Channels named in rows are sorted, numbers by size, whatever the order of rows."""
    rows = [f"{i},0,lead {k},{10 * i + k}\n" for i in range(2) for k in (10, 9, 1)]
    for lines in (rows, rows[::-1]):
        source = read(write_file(tmp_path, "a.csv", "id,time,channel,value\n" + "".join(lines)))
        series = dict(zip(source.row_names.tolist(), as_lists(source), strict=True))
        assert source.form.channels == ("lead 1", "lead 9", "lead 10")
        assert series == {"0": [[1.0], [9.0], [10.0]], "1": [[11.0], [19.0], [20.0]]}


def test_unnamed_channels_have_no_names(tmp_path: Path) -> None:
    """Without names of columns, channels have none, too."""
    text = "".join(f"s{i},{t},{i + t}.5,{t}.25\n" for i in range(3) for t in range(6))
    source = read(write_file(tmp_path, "a.csv", text), Hints(table="long"))
    assert source.x.shape == (3, 2, 6) and source.form.channels == ()


def test_dates_become_seconds(tmp_path: Path) -> None:
    """ISO dates become seconds since 1970; a label `y` is a channel here."""
    text = (
        "unique_id,ds,y\na,1970-01-02,1\na,1970-01-01T00:00:01.5,2\nb,1970-01-01T01:00:00+01:00,3\n"
    )
    source = read(write_file(tmp_path, "a.csv", text))
    assert as_times(source) == [[1.5, 86400.0], [0.0]]
    assert as_lists(source) == [[[2.0, 1.0]], [[3.0]]] and source.labels is None


def test_days_keep_their_local_clock(tmp_path: Path) -> None:
    """Days with offsets from UTC count by their own clock, also across a clock change."""
    stamps = [f"2024-10-26T{hour:02}:00:00+02:00" for hour in (0, 12, 19)]
    change = [f"2024-10-27T{hour}:00:00+0{zone}:00" for hour, zone in (("00", 2), (12, 1), (19, 1))]
    rows = [f"{k // 3},{stamp},{k}\n" for k, stamp in enumerate(stamps + change)]
    source = read(write_file(tmp_path, "a.csv", "id,time,kwh\n" + "".join(rows)))
    hours = np.array(as_times(source)) / 3600 % 24
    assert hours.tolist() == [[0.0, 12.0, 19.0], [23.0, 12.0, 19.0]]
    columns = "".join(f"{stamp},{k},2\n" for k, stamp in enumerate(stamps))
    (tmp_path / "days").mkdir()
    for path in (tmp_path / "b.csv", tmp_path / "days" / "monday.csv"):
        path.write_text("time,S1,S2\n" + columns)
    for path in (tmp_path / "b.csv", tmp_path / "days"):
        times = np.atleast_2d(np.asarray(read(path).times))[0]
        assert (times / 3600 % 24).tolist() == [0.0, 12.0, 19.0]


def test_long_equal_lengths_make_arrays(tmp_path: Path) -> None:
    """Series of one length become one array, and so do their times."""
    text = "id,t,a,b\nu,0,1,2\nv,0,3,4\nu,1,5,6\nv,2,7,8\n"
    source = read(write_file(tmp_path, "a.csv", text))
    assert source.x.tolist() == [[[1, 5], [2, 6]], [[3, 7], [4, 8]]]
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0, 1], [0, 2]]


ERRORS = {
    "a time twice": (
        "id,time,a\nu,1,2\nv,1,3\nu,1.0,4\n",
        "line 4, column 'time' repeats 1.* in one series",
    ),
    "a time that is none": ("id,time,a\nu,noon,2\n", "line 2, column 'time': 'noon' is neither"),
    "a missing time": ("id,time,a\nu,,2\n", "line 2, column 'time': '' is neither"),
    "a missing name": ("id,time,a\nu,1,2\n,2,3\n", "line 3, column 'id' is missing"),
    "a label that changes": (
        "id,time,a,label\nu,1,2,x\nu,2,2,y\n",
        "line 3, column 'label' is 'y', in an earlier row of the series it was 'x'",
    ),
    "no values": ("id,time,label\nu,1,2\n", "needs a column of values; it has none"),
    "two columns for a channel": (
        "id,time,channel,a,b\nu,1,p,2,3\n",
        "one column of values beside 'channel'",
    ),
    "a channel's time twice": (
        "id,t,dim,v\nu,1,p,2\nu,1,q,2\nu,1,p,3\n",
        "line 4, column 't' repeats 1",
    ),
    "a series of gaps": ("id,time,a\nu,1,2\nv,1,\n", "line 3, .* has only missing values"),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_long_errors_name_the_cell(tmp_path: Path, text: str, message: str) -> None:
    """A cell or a column that does not fit is refused by its location."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, "a.csv", text))
