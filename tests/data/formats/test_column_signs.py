"""Times that increase are signs of a column per series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.formats.text_files import VALUES, table_of
from unwarp.data.formats.column_signs import signs_of_columns
from unwarp.data.formats.files import read
from unwarp.data.formats.layout_signs import STRONG
from unwarp.data.formats.long_signs import signs_of_long
from unwarp.data.formats.table import Roles
from unwarp.data.opening import as_source
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(7, 30)).round(4)
DAYS = pd.date_range("2024-01-01", periods=30).astype(str)
ORDERS = {
    "repeat": np.insert(np.arange(30), 9, 9),
    "swap": np.r_[:20, 21, 20, 22:30],
    "shuffle": np.random.default_rng(1).permutation(30),
    "halves": np.r_[15:30, :15],
}


def columns_of(time: str, times: object, stem: str) -> pd.DataFrame:
    """A column per series beside a column of times."""
    frame = pd.DataFrame(X.T, columns=[f"{stem}{k}" for k in range(7)])
    frame.insert(0, time, times)
    return frame.rename(columns={f"word{k}": name for k, name in enumerate("jqwzgvb")})


FRAMES = {
    "fractions": columns_of("time", np.arange(30) / 50, "s"),
    "dates": columns_of("date", DAYS, "s"),
    "words": columns_of("Time (s)", np.arange(30), "word"),
    "years": columns_of("year", np.arange(1950, 1980), "word"),
    "numbered rows": columns_of("time", np.arange(30) / 50, "s").reset_index(),
    "unnamed": columns_of("", np.arange(30) / 50, "s"),
}


def test_increasing_times_are_columns(tmp_path: Path) -> None:
    """Times that increase down the rows are a sign of columns, and no sign of a long table."""
    table = table_of(tmp_path, "Time (s),S0,S1", [0, 0.1, 0.2, 0.3, 0.4, 0.5], VALUES, VALUES[::-1])
    candidate = signs_of_columns(table, Roles())
    assert candidate is not None and (candidate.strength, candidate.roles.time) == (STRONG, 0)
    assert signs_of_long(table, Roles()) is None


@pytest.mark.parametrize("name", FRAMES)
def test_newest_row_may_come_first(tmp_path: Path, name: str) -> None:
    """Times that decrease are sorted, in auto and if the user names the layout, and it is said."""
    frame = FRAMES[name].rename(columns={"index": ""})
    frame[::-1].to_csv(tmp_path / "a.csv", index=False)
    source = read(tmp_path / "a.csv")
    assert "rows sorted by time, which decreases" in source.description
    np.testing.assert_allclose(source.x, X, rtol=1e-6)
    assert source.times is not None and (np.diff(source.times[0]) > 0).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FRAMES)
def test_times_out_of_order_are_refused(tmp_path: Path, name: str, order: str) -> None:
    """Times that repeat or jump are no reason to read rows as series: both readings are told."""
    frame = FRAMES[name].rename(columns={"index": ""}).iloc[ORDERS[order]]
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"reads (two|three) ways.*once the rows.*table='wide'"):
        read(tmp_path / "a.csv")


def test_indices_of_frames_are_times() -> None:
    """An index of dates in reverse is sorted, one that repeats is refused."""
    frame = FRAMES["dates"].set_index(pd.DatetimeIndex(DAYS)).drop(columns="date")
    np.testing.assert_allclose(as_source(frame[::-1]).x, X, rtol=1e-6)
    for order in ORDERS.values():
        with pytest.raises(DataError, match="the column without a name, once"):
            as_source(frame.iloc[order])


@pytest.mark.parametrize("names", [[f"t{k}" for k in range(30)], list(np.arange(30) / 4), DAYS])
def test_dates_of_wide_rows_are_no_times(tmp_path: Path, names: list[object]) -> None:
    """Names of columns that are steps tell that each row is a series, recorded on some date."""
    frame = pd.DataFrame(X, columns=names)
    frame.insert(0, "date", ["2024-01-09", "2024-01-09", *DAYS[:5]])
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").x.shape == (7, 30)
    frame.assign(date=frame["date"][0]).to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").x.shape == (7, 30)


def test_names_of_rows_tell_wide_tables(tmp_path: Path) -> None:
    """A word for each row names series, so that their dates may jump."""
    frame = columns_of("date", DAYS, "s").iloc[ORDERS["shuffle"]]
    frame.insert(0, "who", [chr(97 + k // 6) + chr(97 + k % 6) for k in range(30)])
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").x.shape == (30, 7)
