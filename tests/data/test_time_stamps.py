"""Time stamps of any form become increasing seconds, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from unwarp.data.series import as_rows, pad
from unwarp.data.time_stamps import resolve_times
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
    "an index with a zone": pd.DatetimeIndex(DATES).tz_localize("UTC").tz_convert("Asia/Tokyo"),
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
    """Dates become seconds since 1970 in UTC, durations become seconds."""
    rows = as_rows(np.zeros((2, 3)))
    for seconds in resolve_times(rows, times):
        start = START if seconds[0] else 0.0
        np.testing.assert_allclose(seconds - start, [0.0, 0.25, 1.0], atol=1e-6)
    assert {seconds[0] for seconds in resolve_times(rows, times)} <= {0.0, START}


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
