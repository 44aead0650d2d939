"""Times of series come from the indices of pandas, unless these only count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from unwarp.data.index_times import index_times
from unwarp.data.opening import as_source
from unwarp.data.series import pad, resample_to
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
QUARTERS = np.arange(6) / 4
DAYS = pd.date_range("1970-01-02", periods=6)


def series_with(*indices: Any) -> list[pd.Series]:
    """Four series, with an index each or one for all."""
    indices = indices if len(indices) == 4 else indices * 4
    return [pd.Series(row, index=index) for row, index in zip(X, indices, strict=True)]


@pytest.mark.parametrize(
    ("index", "times"),
    [
        (QUARTERS, QUARTERS),
        (range(0, 12, 2), np.arange(0, 12, 2)),
        (DAYS, 86400 * np.arange(1, 7)),
        (DAYS.tz_localize("UTC"), 86400 * np.arange(1, 7)),
        (DAYS.to_period("D"), 86400 * np.arange(1, 7)),
        (pd.to_timedelta(QUARTERS, unit="s"), QUARTERS),
        (pd.MultiIndex.from_product([["a"], QUARTERS]), QUARTERS),
    ],
)
def test_indices_are_times(index: Any, times: Any) -> None:
    """Numbers, dates, periods and durations; given times take their place."""
    rows = series_with(index)
    source = as_source(rows)
    assert [row.tolist() for row in source.times] == [list(times)] * 4
    objects = np.empty(4, object)
    objects[:] = rows
    assert [row.tolist() for row in as_source(objects).times] == [list(times)] * 4
    assert as_source(rows, times=np.arange(6)).times.tolist() == list(range(6))


@pytest.mark.parametrize("index", [range(6), range(1, 7), list("abcdef"), list("012345")])
def test_counts_and_words_are_no_times(index: Any) -> None:
    """They number or name the steps, as in a wide table."""
    assert index_times(series_with(index)) is None
    assert index_times(list(X)) is None and index_times(X) is None


def rows_of_a_table() -> list[pd.Series]:
    """Series whose indices number the rows of the table that they come from."""
    table = pd.DataFrame({"id": np.repeat(range(4), 6), "v": X.ravel()})
    return [group["v"] for _, group in table.groupby("id")]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (rows_of_a_table, r"sample 1 is 6 to 11, which reads two ways: .*reset_index"),
        (lambda: series_with(range(40, 46))[:1], r"sample 0 is 40 to 45, which reads two ways"),
        (lambda: series_with(QUARTERS[::-1]), r"sample 0 has numbers as index that do not incr"),
        (lambda: series_with(QUARTERS, QUARTERS, DAYS, DAYS), r"sample 2 has dates as index, samp"),
        (lambda: [*series_with(QUARTERS)[:2], *X], r"sample 2 has no index, sample 0 has numbers"),
        (lambda: series_with(DAYS.astype(str)), r"dates as texts; convert it with pd.to_numeric"),
        (lambda: series_with(pd.MultiIndex.from_product([[1, 2], [3, 4, 5]])), r"has 2 levels"),
    ],
)
def test_doubtful_indices_are_refused(rows: Callable[[], Any], words: str) -> None:
    """Numbers of rows, mixed kinds, texts, several levels, and times that do not increase."""
    with pytest.raises(DataError, match=words):
        as_source(rows())


def test_frames_in_lists_are_refused() -> None:
    """Each mend of the message gives series of one channel, with their times or without."""
    frames = [pd.DataFrame({"time": QUARTERS, "v": row}) for row in X]
    for read in (as_source, pad):
        with pytest.raises(DataError, match="frame of 6 rows and 2 columns, which reads two ways"):
            read(frames)
    table = pd.concat(frames, keys=range(4), names=["id"]).reset_index("id")
    source = as_source(table)
    np.testing.assert_array_equal(source.x, X)
    assert source.times[0].tolist() == QUARTERS.tolist()
    assert np.shape(as_source([frame.to_numpy().T for frame in frames]).x) == (4, 2, 6)


def test_resampling_reads_indices() -> None:
    """Steps at 0, 1 and 4 are not evenly spaced."""
    rows = [pd.Series([0.0, 1.0, 4.0], index=[0.0, 1.0, 4.0])]
    assert resample_to(rows, 5)[0, 0].tolist() == [0, 1, 2, 3, 4]
    rows[0].iloc[1] = np.nan
    assert pad(rows, "interpolate")[0][0, 0].tolist() == [0, 1, 4]


def test_cells_have_times() -> None:
    """Cells of a nested frame, or of one of its columns; all channels share their times."""
    frame = pd.DataFrame({"u": series_with(DAYS), "v": series_with(DAYS)})
    for source in (as_source(frame), as_source(frame["u"])):
        assert source.times[0].tolist() == (86400 * np.arange(1, 7)).tolist()
    frame["v"] = series_with(DAYS + pd.Timedelta("1h"))
    with pytest.raises(DataError, match="columns 'u' and 'v' have different times"):
        as_source(frame)
