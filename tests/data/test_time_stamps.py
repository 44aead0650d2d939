"""Time stamps of any form become increasing seconds, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from unwarp.data.series import as_rows, pad
from unwarp.data.time_stamps import local_times, resolve_times
from unwarp.errors import DataError

NAN = float("nan")
UNUSABLE: dict[str, tuple[Any, str]] = {
    "too few rows": ([[0.0, 1.0]], "times has 1 rows, X has 2"),
    "another length": ([[0.0, 1.0], [0.0, 1.0, 2.0]], "sample 1 has 2 time steps"),
    "repeated": ([[0.0, 1.0], [1.0, 1.0]], "times of sample 1 .* strictly increasing"),
    "backwards": ([1.0, 0.0], "strictly increasing"),
    "missing": ([[0.0, NAN], [0.0, 1.0]], "finite"),
    "words": ([["a", "b"], ["a", "b"]], "times of sample 0 must be numbers"),
    "none": ([], "times has 0 rows"),
    "a number": (3.0, r"times=3.0 is not a sequence; give an array \(T,\)"),
    "text": ("now", r"times='now' is not a sequence; give an array \(T,\)"),
    "numbers and rows": (
        [[0.0, 1.0], 2.0],
        r"sample 1 has 2 time steps, its times have shape \(\)",
    ),
    "a row and numbers": ([0.0, [1.0, 2.0]], "times must be numbers, dates or durations"),
    "no time": (np.array(["2024-01-01", "NaT"], "datetime64[s]"), "must be finite"),
    "no duration": ([np.array([0, "NaT"], "timedelta64[s]")] * 2, "must be finite"),
    "no time among dates": (
        pd.Series([pd.Timestamp("2024-01-01", tz="UTC"), pd.NaT]),
        "must be finite",
    ),
    "months": (np.array([0, 1], "timedelta64[M]"), "times must be numbers, dates or durations"),
    "periods": (
        pd.period_range("2024-01", periods=2, freq="M"),
        "times must be numbers, dates or durations",
    ),
}


@pytest.mark.parametrize(("times", "message"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_times_are_refused(times: Any, message: str) -> None:
    """Times of another form or number, or that do not increase, are refused."""
    with pytest.raises(DataError, match=message):
        pad([[1.0, 2.0], [3.0, 4.0]], times=times)


START = 1_714_521_600.0
DATES = np.datetime64("2024-05-01") + np.array([0, 250, 1000]).astype("timedelta64[ms]")
SECONDS = {
    "datetime64": DATES,
    "in nanoseconds": DATES.astype("datetime64[ns]"),
    "an index": pd.DatetimeIndex(DATES),
    "an index with a zone": pd.DatetimeIndex(DATES).tz_localize("Asia/Tokyo"),
    "a series of another index": pd.Series(DATES, index=[5, 6, 7]),
    "moments": [moment.to_pydatetime() for moment in pd.DatetimeIndex(DATES)],
    "rows": np.stack([DATES, DATES]),
    "a data frame": pd.DataFrame([DATES, DATES], index=[5, 6], columns=list("abc")),
    "a list of rows": [DATES, pd.DatetimeIndex(DATES)],
    "timedelta64": DATES - DATES[0],
    "durations": [pd.Timedelta(ms, "ms") for ms in (0, 250, 1000)],
    "durations of rows": [list(pd.to_timedelta(DATES - DATES[0]))] * 2,
}


@pytest.mark.parametrize("times", SECONDS.values(), ids=SECONDS.keys())
def test_dates_become_seconds(times: Any) -> None:
    """Dates become seconds since 1970 by their own clock, durations become seconds."""
    rows = as_rows(np.zeros((2, 3)))
    for seconds in resolve_times(rows, times):
        start = START if seconds[0] else 0.0
        np.testing.assert_allclose(seconds - start, [0.0, 0.25, 1.0], atol=1e-6)
    assert {seconds[0] for seconds in resolve_times(rows, times)} <= {0.0, START}


def test_local_clock_holds_on_short_series() -> None:
    """19:00 is 19:00 on the day of a clock change, too; longer series count in UTC."""
    for day in ("2024-10-26", "2024-10-27", "2024-03-31"):
        midnight = pd.Timestamp(day, tz="Europe/Berlin")
        stamps = pd.date_range(midnight, midnight + pd.DateOffset(days=1), freq="h")
        (times,) = resolve_times([np.zeros((1, len(stamps)))], [stamps])
        assert set(np.diff(times)) == {3600.0}
        hours = np.array([stamp.hour for stamp in stamps])
        np.testing.assert_array_equal(times[4:-1] // 3600 % 24, hours[4:-1])
    week = pd.date_range("2024-10-25", periods=72, freq="h", tz="Europe/Berlin")
    (times,) = resolve_times([np.zeros((1, 72))], [week])
    assert times[0] == week[0].timestamp()
    shuffled = local_times(np.array([7200.0, 0.0, 3600.0]), np.array([1.0, 2.0, 3.0]))
    assert shuffled.tolist() == [7203.0, 3.0, 3603.0] and not len(local_times(times[:0], times))


def test_clock_changes_are_named() -> None:
    """Naive dates of an hour that comes twice are refused with the date and the mend."""
    quarters = np.datetime64("2024-10-27T00:00") + 15 * np.arange(12).astype("timedelta64[m]")
    naive = np.concatenate([quarters, quarters[8:] + np.timedelta64(0, "m")])
    for stamps in (naive, np.sort(naive)):
        with pytest.raises(DataError, match=r"clock was set back on 2024-10-27, when 02:.* in UTC"):
            resolve_times([np.zeros((1, 16))], [stamps])
    for stamps in (naive.astype(float) % 1e4, naive[::-1]):
        with pytest.raises(DataError, match=r"drop repeated ones$"):
            resolve_times([np.zeros((1, 16))], [stamps])


def test_days_become_seconds() -> None:
    """Dates in days are 86,400 seconds apart."""
    days = np.array(["2024-05-01", "2024-05-02"], "datetime64[D]")
    rows = as_rows(np.zeros((1, 2)))
    assert [seconds.tolist() for seconds in resolve_times(rows, days)] == [[START, START + 86_400]]


@pytest.mark.parametrize(
    "make", [np.array, torch.tensor, lambda x: pd.Series(x, index=range(5, 8)), tuple]
)
def test_times_may_be_any_array_like(make: Any) -> None:
    """Arrays, tensors, columns and tuples of numbers are times."""
    for times in resolve_times(as_rows(np.zeros((2, 3))), make([0.0, 0.5, 2.0])):
        assert times.tolist() == [0.0, 0.5, 2.0]


@pytest.mark.parametrize(
    "times", [np.ones(3) * 1j, np.ma.masked_all(3), torch.empty(3, device="meta")]
)
def test_times_without_values_are_refused(times: Any) -> None:
    """Complex numbers, masked values, and tensors without values are no times."""
    with pytest.raises(DataError, match="times"):
        resolve_times([np.zeros((1, 3), np.float32)], times)
