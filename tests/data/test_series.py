"""Batches of series: what was observed stays exactly, gaps lie on lines, ends stay, refusals name the place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.series import as_list, pad, resample_to, stamped
from unwarp.errors import ConfigError, DataError

NAN = float("nan")


def drawn(seed: int) -> list[np.ndarray]:
    """Up to 4 series (C, T_i) of all magnitudes with gaps, whose first step every channel observed."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 4)
    rows = [
        rng.normal(size=(shape, rng.integers(1, 8))).astype(np.float32)
        for _ in range(rng.integers(1, 5))
    ]
    for row in rows:
        row *= np.float32(10.0 ** rng.integers(-6, 7))
        row[:, 1:][rng.random((shape, row.shape[1] - 1)) < rng.random()] = NAN
    return rows


ragged = st.builds(drawn, st.integers(0, 2**32))


@given(ragged)
def test_what_was_observed_stays_and_nothing_is_nan(rows: list[np.ndarray]) -> None:
    for missing in ("mask", "interpolate"):
        x, mask = pad(rows, missing=missing)  # type: ignore[arg-type]
        assert x.dtype == np.float32 and mask.dtype == np.bool_ and np.isfinite(x).all()
        assert x.shape == (len(rows), len(rows[0]), max(row.shape[1] for row in rows))
        for i, row in enumerate(rows):
            there = ~np.isnan(row)
            length = row.shape[1]
            np.testing.assert_array_equal(x[i, :, :length][there], row[there])
            assert not mask[i, length:].any()
            assert (x[i, :, length:] == x[i, :, length - 1 :][:, :1]).all()
            expected = there.all(0) if missing == "mask" else np.ones(length, bool)
            np.testing.assert_array_equal(mask[i, :length], expected)


@given(ragged)
def test_a_row_alone_is_a_row_of_the_batch(rows: list[np.ndarray]) -> None:
    x, mask = pad(rows, missing="mask")
    resampled = resample_to(rows, 5, missing="interpolate")
    for i, row in enumerate(rows):
        alone, seen = pad([row], missing="mask")
        np.testing.assert_array_equal(x[i, :, : row.shape[1]], alone[0])
        np.testing.assert_array_equal(mask[i, : row.shape[1]], seen[0])
        np.testing.assert_array_equal(resampled[i], resample_to([row], 5, missing="interpolate")[0])


@pytest.mark.parametrize("shape", [(4, 6), (4, 1, 6), (4, 3, 6)])
@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor, np.ndarray.tolist, list])
def test_equal_lengths_pass_unchanged(shape: tuple[int, ...], make: Any) -> None:
    series = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x, mask = pad(make(series))
    np.testing.assert_array_equal(x, series.reshape(4, -1, 6))
    assert mask.all()
    np.testing.assert_array_equal(resample_to(make(series), 6), x)


def test_a_gap_lies_on_the_line_between_its_neighbours_in_time() -> None:
    row = [[NAN, 1.0, NAN, 4.0, NAN]]
    x, _ = pad(row, missing="interpolate")
    assert x[0, 0].tolist() == [1.0, 1.0, 2.5, 4.0, 4.0]
    x, _ = pad(row, missing="interpolate", times=[[0.0, 1.0, 2.0, 4.0, 9.0]])
    assert x[0, 0].tolist() == [1.0, 1.0, 2.0, 4.0, 4.0]


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_resampling_agrees_with_pytorch(length: int) -> None:
    series = np.random.default_rng(1).normal(size=(3, 2, 12)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(series), size=length, mode="linear", align_corners=True
    ).numpy()
    np.testing.assert_allclose(resample_to(series, length), expected, atol=1e-5)


def test_a_line_stays_a_line_at_any_length_and_whatever_is_missing() -> None:
    rng = np.random.default_rng(2)
    times = [np.sort(rng.uniform(0, 9, n)) for n in (5, 11, 40)]
    rows = [(2 * t - 1).astype(np.float32) for t in times]
    rows[1][4:7] = NAN
    out = resample_to(rows, 17, missing="interpolate", times=times)
    for got, t in zip(out, times, strict=True):
        np.testing.assert_allclose(got[0], 2 * np.linspace(t[0], t[-1], 17) - 1, atol=1e-5)


def test_times_may_be_shared() -> None:
    series, times = np.array([[0.0, NAN, 8.0], [1.0, NAN, 1.0]]), np.array([0.0, 1.0, 4.0])
    one, _ = pad(series, "interpolate", times)
    each, _ = pad(series, "interpolate", np.stack([times, times]))
    np.testing.assert_array_equal(one, each)
    assert one[0, 0].tolist() == [0.0, 2.0, 8.0]


def test_a_missing_value_is_refused_with_its_place() -> None:
    rows = [np.zeros((2, 3)), np.array([[0.0, 1.0, 2.0], [0.0, NAN, NAN]])]
    for refuse in (pad, lambda x: resample_to(x, 4)):
        with pytest.raises(
            DataError, match=r"sample 1, channel 1, time index 1 is missing, the first of 2"
        ):
            refuse(rows)


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ([], "no series"),
    "a number": (np.array(3.0), "no series"),
    "one series": ([1.0, 2.0], r"sample 0 has shape \(\)"),
    "text": ("abc", "type str"),
    "words": ([["a", "b"]], "sample 0 is no array of numbers"),
    "complex": ([np.array([1j, 2.0])], "complex128|no array of numbers"),
    "ragged channels": ([[[1.0, 2.0], [3.0]]], "sample 0 is no array"),
    "an empty series": ([[1.0], []], r"sample 1 has shape \(0,\)"),
    "too many axes": (np.zeros((2, 2, 2, 2)), r"sample 0 has shape \(2, 2, 2\)"),
    "other channels": (
        [np.zeros((1, 3)), np.zeros((2, 3))],
        "sample 1 has 2 channels, sample 0 has 1",
    ),
    "infinity": ([[1.0, 2.0], [np.inf, 2.0]], "sample 1, channel 0, time index 0 is inf"),
    "beyond float32": ([[1.0, 1e300]], "time index 1 is 1e"),
    "a generator": ((row for row in [[1.0]]), "generator"),
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize(("series", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_batch_of_series_is_refused(series: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pad(series, missing="mask")


TIMES: dict[str, tuple[Any, str]] = {
    "too few rows": ([[0.0, 1.0]], "times has 1 rows, there are 2"),
    "another length": ([[0.0, 1.0], [0.0, 1.0, 2.0]], "sample 1 has 2 time steps"),
    "repeated": ([[0.0, 1.0], [1.0, 1.0]], "times of sample 1 .* strictly increasing"),
    "backwards": ([1.0, 0.0], "strictly increasing"),
    "missing": ([[0.0, NAN], [0.0, 1.0]], "finite"),
    "words": ([["a", "b"], ["a", "b"]], "times of sample 0 are no numbers"),
    "none": ([], "times has 0 rows"),
    "a number": (3.0, r"times is 3.0; give \(T,\) of all series"),
    "text": ("now", r"times is 'now'; give \(T,\) of all series"),
    "numbers and rows": (
        [[0.0, 1.0], 2.0],
        r"sample 1 has 2 time steps, its times have shape \(\)",
    ),
    "a row and numbers": ([0.0, [1.0, 2.0]], "times are no numbers, dates or durations"),
    "no time": (np.array(["2024-01-01", "NaT"], "datetime64[s]"), "must be finite"),
    "no duration": ([np.array([0, "NaT"], "timedelta64[s]")] * 2, "must be finite"),
    "no time among dates": (
        pd.Series([pd.Timestamp("2024-01-01", tz="UTC"), pd.NaT]),
        "must be finite",
    ),
    "months": (np.array([0, 1], "timedelta64[M]"), "times are no numbers, dates or durations"),
    "periods": (
        pd.period_range("2024-01", periods=2, freq="M"),
        "times are no numbers, dates or durations",
    ),
}


@pytest.mark.parametrize(("times", "message"), TIMES.values(), ids=TIMES.keys())
def test_times_that_do_not_fit_are_refused(times: Any, message: str) -> None:
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
def test_dates_are_seconds_since_1970_and_durations_seconds(times: Any) -> None:
    rows = as_list(np.zeros((2, 3)))
    for found in stamped(rows, times):
        since = START if found[0] else 0.0
        np.testing.assert_allclose(found - since, [0.0, 0.25, 1.0], atol=1e-6)
    assert {found[0] for found in stamped(rows, times)} <= {0.0, START}


def test_days_are_no_seconds() -> None:
    days = np.array(["2024-05-01", "2024-05-02"], "datetime64[D]")
    assert [found.tolist() for found in stamped(as_list(np.zeros((1, 2))), days)] == [
        [START, START + 86_400]
    ]


@pytest.mark.parametrize(
    "make", [np.array, torch.tensor, lambda x: pd.Series(x, index=range(5, 8)), tuple]
)
def test_times_are_numbers_of_any_kind(make: Any) -> None:
    for found in stamped(as_list(np.zeros((2, 3))), make([0.0, 0.5, 2.0])):
        assert found.tolist() == [0.0, 0.5, 2.0]


def test_a_channel_without_a_value_cannot_be_filled() -> None:
    for missing in ("mask", "interpolate"):
        with pytest.raises(DataError, match="sample 1 has no value at all in channel 1"):
            pad([np.ones((2, 2)), np.array([[1.0, 2.0], [NAN, NAN]])], missing=missing)  # type: ignore[arg-type]


def test_a_series_without_a_whole_step_cannot_be_masked() -> None:
    apart = [np.array([[1.0, NAN], [NAN, 2.0]])]
    with pytest.raises(DataError, match="sample 0 has no time step that every channel observed"):
        pad(apart, missing="mask")
    x, mask = pad(apart, missing="interpolate")
    assert x[0].tolist() == [[1.0, 1.0], [2.0, 2.0]] and mask.all()


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(ConfigError, match="missing='drop' is unknown"):
        pad([[1.0]], missing="drop")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="choose interpolate or error"):
        resample_to([[1.0]], 3, missing="mask")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="length=0"):
        resample_to([[1.0]], 0)
