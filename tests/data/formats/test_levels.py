"""Frames with several levels in their index or columns are read by the names of levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(8, 12)).astype(np.float32)
SHAPE = (range(8), range(12))


def long_frame(names: list[str | None], levels: tuple[Any, ...] = SHAPE) -> pd.DataFrame:
    """A row for each series and step."""
    return pd.DataFrame({"v": X.ravel()}, pd.MultiIndex.from_product(levels, names=names))


def values_of(frame: pd.DataFrame, **hints: Any) -> Any:
    """The series of a frame."""
    return as_source(frame, hints=Hints(**hints)).x


@pytest.mark.parametrize(
    "names",
    [
        ["id", "time"],
        ["cell", "frame"],
        [None, None],
        ["h0", None],
        ["instances", "timepoints"],
        ["series", "sample"],
    ],
)
def test_levels_name_series_and_times(names: Any) -> None:
    """By their names in any order; without names the last level has the times."""
    frame = long_frame(names)
    np.testing.assert_array_equal(values_of(frame), X)
    if names in (["id", "time"], ["cell", "frame"]):
        np.testing.assert_array_equal(values_of(frame.swaplevel()), X)
        rows = frame.swaplevel().sort_index()
        np.testing.assert_array_equal(values_of(rows), values_of(rows.reset_index()))


def test_levels_have_other_roles() -> None:
    """They name channels and labels as columns do; several ids name a series together."""
    pair = pd.concat({"resp": long_frame(["id", "time"]), "ecg": -long_frame(["id", "time"])})
    source = as_source(pair.rename_axis(["channel", "id", "time"]))
    np.testing.assert_array_equal(source.x, np.stack([-X, X], 1))
    assert source.form.channels == ("ecg", "resp")
    classes = np.repeat(list("ab"), 48)
    source = as_source(
        long_frame(["id", "time"]).set_index(pd.Index(classes, name="class"), append=True)
    )
    assert source.labels is not None and source.labels.tolist() == list("aaaabbbb")
    trials = long_frame(["subject", "trial", "time"], (range(2), range(4), range(12)))
    assert as_source(trials).names == [f"{k // 4}-{k % 4}" for k in range(8)]
    timed = trials.reset_index("time")
    assert as_source(timed).names == as_source(trials).names
    np.testing.assert_array_equal(values_of(timed), X)


@pytest.mark.parametrize(
    ("names", "levels"),
    [(["date", "time"], "'date' and 'time'"), (["step", None], "'step' and the last one")],
)
def test_two_times_are_refused(names: Any, levels: str) -> None:
    """Two levels that could be times; the user may name one."""
    with pytest.raises(DataError, match=f"X reads two ways: .* {levels}.*name one with"):
        values_of(long_frame(names))
    assert values_of(long_frame(names), time_column=names[0]).shape == (12, 8)


def test_rows_of_ids_are_refused() -> None:
    """Ids that differ in every row may be series, or one of them counts steps."""
    frame = long_frame(["subject", "trial"])
    with pytest.raises(DataError, match=r"own 'subject' and 'trial', .*table='wide'.*time_column"):
        values_of(frame)
    np.testing.assert_array_equal(values_of(frame, time_column="trial"), X)
    wide = pd.DataFrame(X, pd.MultiIndex.from_product([range(2), range(4)], names=["id", "trial"]))
    np.testing.assert_array_equal(values_of(wide, table="wide"), X)


def test_columns_rival_levels() -> None:
    """A column with times or ids beside such a level is refused, unless it is named."""
    frame = long_frame([None, None]).assign(time=np.tile(np.arange(12) / 4, 8))
    with pytest.raises(DataError, match=r"the level 'index_time' .* or its column 'time'"):
        values_of(frame)
    source = as_source(frame, hints=Hints(time_column="time"))
    np.testing.assert_array_equal(source.x, X)
    assert source.times[0].tolist() == (np.arange(12) / 4).tolist()
    with pytest.raises(DataError, match=r"the level 'index_id' .* or its column 'id'"):
        values_of(long_frame(["id", "time"]).assign(id=3))


def test_durations_are_seconds() -> None:
    """A level of durations counts in seconds."""
    steps = pd.to_timedelta(np.arange(12) / 2, unit="s")
    source = as_source(long_frame(["id", None], (range(8), steps)))
    assert source.times[0].tolist() == (np.arange(12) / 2).tolist()


def test_levels_of_columns_are_refused() -> None:
    """Two levels of columns read two ways; each mend gives one of the readings."""
    frame = pd.concat({"ecg": pd.DataFrame(X), "resp": pd.DataFrame(-X)}, axis=1)
    with pytest.raises(DataError, match=r"12 steps of 2 channels, or one of 24 steps.*level=1"):
        as_source(frame)
    source: Source = as_source(frame.stack(level=1, future_stack=True))
    np.testing.assert_array_equal(source.x, np.stack([X, -X], 1))
    assert source.form.channels == ("ecg", "resp")
    assert np.shape(as_source(frame.set_axis(range(24), axis=1)).x) == (8, 24)
    single = frame[["ecg"]]
    source = as_source(single)
    np.testing.assert_array_equal(source.x, X)
    assert source.frame is not None and source.frame.columns.equals(single.columns)
