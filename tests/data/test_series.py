"""`pad` and `resample_to` keep observed values and fill gaps by straight lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unwarp.core import MissingPolicy
from unwarp.data.series import pad, resample_to
from unwarp.errors import ConfigError, DataError

NAN = float("nan")


def random_series(seed: int) -> list[np.ndarray]:
    """Up to 4 series (C, T_i) of all magnitudes with gaps; their first step is observed."""
    rng = np.random.default_rng(seed)
    channels = rng.integers(1, 4)
    rows = [
        rng.normal(size=(channels, rng.integers(1, 8))).astype(np.float32)
        for _ in range(rng.integers(1, 5))
    ]
    for row in rows:
        row *= np.float32(10.0 ** rng.integers(-6, 7))
        row[:, 1:][rng.random((channels, row.shape[1] - 1)) < rng.random()] = NAN
    return rows


ragged = st.builds(random_series, st.integers(0, 2**32))


@given(ragged)
def test_pad_keeps_observed_values(rows: list[np.ndarray]) -> None:
    """Observed values are kept exactly, no value is NaN, and the mask marks them."""
    for missing in ("mask", "interpolate"):
        x, mask = pad(rows, missing=missing)  # type: ignore[arg-type]
        assert x.dtype == np.float32 and mask.dtype == np.bool_ and np.isfinite(x).all()
        assert x.shape == (len(rows), len(rows[0]), max(row.shape[1] for row in rows))
        for i, row in enumerate(rows):
            is_observed = ~np.isnan(row)
            length = row.shape[1]
            np.testing.assert_array_equal(x[i, :, :length][is_observed], row[is_observed])
            assert not mask[i, length:].any()
            assert (x[i, :, length:] == x[i, :, length - 1 :][:, :1]).all()
            expected = is_observed.all(0) if missing == "mask" else np.ones(length, bool)
            np.testing.assert_array_equal(mask[i, :length], expected)


@given(ragged)
def test_rows_are_independent(rows: list[np.ndarray]) -> None:
    """A series alone gives the same numbers as in a batch."""
    x, mask = pad(rows, missing="mask")
    resampled = resample_to(rows, 5, missing="interpolate")
    for i, row in enumerate(rows):
        single_row, single_mask = pad([row], missing="mask")
        np.testing.assert_array_equal(x[i, :, : row.shape[1]], single_row[0])
        np.testing.assert_array_equal(mask[i, : row.shape[1]], single_mask[0])
        np.testing.assert_array_equal(resampled[i], resample_to([row], 5, missing="interpolate")[0])


@pytest.mark.parametrize("shape", [(4, 6), (4, 1, 6), (4, 3, 6)])
@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor, np.ndarray.tolist, list])
def test_equal_lengths_pass_unchanged(shape: tuple[int, ...], make: Any) -> None:
    """Series of one length without gaps are returned with their values."""
    series = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x, mask = pad(make(series))
    np.testing.assert_array_equal(x, series.reshape(4, -1, 6))
    assert mask.all()
    np.testing.assert_array_equal(resample_to(make(series), 6), x)


def test_gap_is_filled_by_a_line() -> None:
    """A gap is interpolated between its neighbours by their times."""
    row = [[NAN, 1.0, NAN, 4.0, NAN]]
    x, _ = pad(row, missing="interpolate")
    assert x[0, 0].tolist() == [1.0, 1.0, 2.5, 4.0, 4.0]
    x, _ = pad(row, missing="interpolate", times=[[0.0, 1.0, 2.0, 4.0, 9.0]])
    assert x[0, 0].tolist() == [1.0, 1.0, 2.0, 4.0, 4.0]


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_resampling_equals_pytorch(length: int) -> None:
    """Resampling equals the linear interpolation of PyTorch."""
    series = np.random.default_rng(1).normal(size=(3, 2, 12)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(series), size=length, mode="linear", align_corners=True
    ).numpy()
    np.testing.assert_allclose(resample_to(series, length), expected, atol=1e-5)


def test_lines_stay_lines() -> None:
    """A straight line is exact at any length, times and gaps."""
    rng = np.random.default_rng(2)
    times = [np.sort(rng.uniform(0, 9, n)) for n in (5, 11, 40)]
    rows = [(2 * t - 1).astype(np.float32) for t in times]
    rows[1][4:7] = NAN
    resampled = resample_to(rows, 17, missing="interpolate", times=times)
    for row, t in zip(resampled, times, strict=True):
        np.testing.assert_allclose(row[0], 2 * np.linspace(t[0], t[-1], 17) - 1, atol=1e-5)


def test_times_may_be_shared() -> None:
    """Times (T,) of all series are the same as equal rows of times."""
    series, times = np.array([[0.0, NAN, 8.0], [1.0, NAN, 1.0]]), np.array([0.0, 1.0, 4.0])
    shared, _ = pad(series, "interpolate", times)
    repeated, _ = pad(series, "interpolate", np.stack([times, times]))
    np.testing.assert_array_equal(shared, repeated)
    assert shared[0, 0].tolist() == [0.0, 2.0, 8.0]


def test_missing_value_is_refused() -> None:
    """The error names sample, channel and step of the first missing value."""
    rows = [np.zeros((2, 3)), np.array([[0.0, 1.0, 2.0], [0.0, NAN, NAN]])]
    for function in (pad, lambda x: resample_to(x, 4)):
        with pytest.raises(
            DataError, match=r"sample 1, channel 1, time index 1 is missing, the first of 2"
        ):
            function(rows)


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ([], "no series"),
    "a number": (np.array(3.0), "no series"),
    "one series": ([1.0, 2.0], r"sample 0 has shape \(\)"),
    "text": ("abc", "type str"),
    "words": ([["a", "b"]], "sample 0 is not an array of numbers"),
    "complex": ([np.array([1j, 2.0])], "complex128|no array of numbers"),
    "ragged channels": ([[[1.0, 2.0], [3.0]]], "sample 0 is not an array"),
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
def test_unusable_series_are_refused(series: Any, message: str) -> None:
    """Objects that are no batch of series are refused with the reason."""
    with pytest.raises(DataError, match=message):
        pad(series, missing="mask")


def test_empty_channel_is_refused() -> None:
    """A channel without any value is refused by sample and channel."""
    series = [np.ones((2, 2)), np.array([[1.0, 2.0], [NAN, NAN]])]
    policies: tuple[MissingPolicy, ...] = ("mask", "interpolate")
    for missing in policies:
        with pytest.raises(DataError, match="sample 1 has no value at all in channel 1"):
            pad(series, missing=missing)


def test_mask_needs_a_full_step() -> None:
    """A series needs a step that all channels observed to be masked, not to be filled."""
    alternating = [np.array([[1.0, NAN], [NAN, 2.0]])]
    with pytest.raises(DataError, match="sample 0 has no time step with a value in every channel"):
        pad(alternating, missing="mask")
    x, mask = pad(alternating, missing="interpolate")
    assert x[0].tolist() == [[1.0, 1.0], [2.0, 2.0]] and mask.all()


def test_unknown_options_are_refused() -> None:
    """Unknown treatments of missing values and lengths below 1 are refused."""
    with pytest.raises(ConfigError, match="missing='drop' is unknown"):
        pad([[1.0]], missing="drop")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="choose interpolate or error"):
        resample_to([[1.0]], 3, missing="mask")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="length=0"):
        resample_to([[1.0]], 0)
