"""Data frames are read by the rules of files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.data.formats.exports import EXPORTS
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).normal(size=(6, 12))
LONG = pd.DataFrame(
    {"patient": np.repeat(list("abc"), 4), "x": X[:, 0:2].ravel(), "y": X.ravel()[:12]}
)


def test_plain_frame_stays_as_it_is() -> None:
    """Numbers with a row per series keep their type, as an array does."""
    frame = pd.DataFrame(X.astype(np.float32))
    source = as_source(frame)
    assert source.x is frame and source.times is None and source.names is None
    assert as_source(frame.iloc[[3, 1]]).names is None
    counted = pd.DataFrame(np.linspace(0, 1, 60).reshape(10, 6))
    assert as_source(counted).x is counted


def test_names_of_columns_may_be_times() -> None:
    """Dates, numbers and words of an index become times and names."""
    days = pd.date_range("1970-01-02", periods=12)
    source = as_source(pd.DataFrame(X, columns=days, index=[f"s{k}" for k in range(6)]))
    assert source.names == ["s0", "s1", "s2", "s3", "s4", "s5"]
    np.testing.assert_array_equal(source.times, 86400 * np.arange(1, 13))
    assert as_source(pd.DataFrame(X, columns=np.arange(12) / 4)).times.tolist()[1] == 0.25


def test_columns_of_frames_are_sorted() -> None:
    """Names that are times out of order sort the columns, also of results."""
    days = pd.date_range("1970-01-02", periods=12)[::-1]
    source = as_source(pd.DataFrame(X, columns=days))
    np.testing.assert_allclose(source.x, X[:, ::-1], rtol=1e-6)
    np.testing.assert_array_equal(source.times[0], 86400 * np.arange(1, 13))
    assert source.frame is not None and list(source.frame.columns) == list(days[::-1])
    with pytest.raises(DataError, match="name one time"):
        as_source(pd.DataFrame(X, columns=[*days[1:], days[4]]))


def test_long_frames_are_read_as_files() -> None:
    """A long frame, one with an index of instance and time, and a text file agree."""
    source = as_source(LONG)
    assert source.x.shape == (3, 2, 4) and source.names == ["a", "b", "c"]
    steps = np.tile(np.arange(4), 3)
    frame = LONG.drop(columns="patient").set_index([LONG["patient"], steps])
    indexed = as_source(frame)
    np.testing.assert_array_equal(indexed.x, source.x)
    assert indexed.names == source.names and indexed.times.tolist() == [[0, 1, 2, 3]] * 3
    deep = LONG.drop(columns="patient").set_index([np.repeat([1, 2], 6), LONG["patient"], steps])
    assert as_source(deep).names == ["1-a", "1-b", "2-b", "2-c"]


def test_dated_index_is_time() -> None:
    """A column per series with an index of dates."""
    index = pd.date_range("2024-05-01", periods=12, freq="h")
    source = as_source(pd.DataFrame(X.T, index=index, columns=[f"cell {k}" for k in range(6)]))
    assert source.x.shape == (6, 12) and np.diff(source.times[0]).tolist() == [3600] * 11


def test_durations_of_frames_are_times() -> None:
    """An index or columns of durations, also newest first, are times in seconds."""
    steps = pd.to_timedelta(np.arange(12), unit="ms")
    frame = pd.DataFrame(X.T, index=steps, columns=[f"s{k}" for k in range(6)])
    for item in (frame, frame[::-1], pd.DataFrame(X, columns=steps)):
        source = as_source(item)
        np.testing.assert_allclose(source.x, X, rtol=1e-6)
        np.testing.assert_allclose(np.atleast_2d(source.times)[0], np.arange(12) / 1000)
    with pytest.raises(DataError, match="repeated times removed"):
        as_source(frame.iloc[[0, 1, 1, *range(2, 12)]])


def test_nested_frames_are_read() -> None:
    """A series in each cell: rows are series, columns are channels, lengths may differ."""
    rows = [[pd.Series(X[k, : 5 + k]), pd.Series(X[k, : 5 + k] + 1)] for k in range(4)]
    source = as_source(pd.DataFrame(rows, columns=["u", "v"]))
    assert [row.shape for row in source.x] == [(2, 5), (2, 6), (2, 7), (2, 8)]
    assert source.form.channels == ("u", "v") and source.times is None
    rows[0][1] = rows[0][1][:3]
    with pytest.raises(DataError, match="X, row 1 has channels of 3, 5 steps"):
        as_source(pd.DataFrame(rows, columns=["u", "v"]))


def test_hints_name_columns_of_frames() -> None:
    """The user's roles hold for frames; a name that is missing is refused."""
    frame = LONG.rename(columns={"patient": "q", "y": "z"})
    source = as_source(frame, hints=Hints(id_column="q", value_columns=("z",)))
    assert source.x.shape == (3, 4)
    with pytest.raises(ConfigError, match="id_column='w' is no column of X"):
        as_source(frame, hints=Hints(id_column="w"))


@pytest.mark.parametrize("name", ["interleaved_devices", "sql_dump", "plate_reader", "melted"])
def test_frames_equal_files(name: str) -> None:
    """A frame that pandas reads from an export gives the source of the file."""
    from io import StringIO

    export = EXPORTS[name]()
    source = as_source(pd.read_csv(StringIO(export.text)))
    assert export.shape is not None
    assert source.x.shape[0] == export.shape[0] and source.x.shape[-1] == export.shape[1]
