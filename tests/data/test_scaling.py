"""`Scaler`: there and back, ranges, and the extremes of float32."""

from __future__ import annotations

import dataclasses
import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unwarp.core import ScaleName
from unwarp.data import arrays
from unwarp.data.scaling import Scaler, fit_scaler, own_scaler, uneven_channels, value_range
from unwarp.errors import ConfigError, DataError

LARGEST = float(np.finfo(np.float32).max)
series = hnp.arrays(np.float32, (3, 2, 4), elements=st.floats(-LARGEST, LARGEST, width=32))
pictures = hnp.arrays(np.float32, (2, 1, 3, 3), elements=st.floats(-LARGEST, LARGEST, width=32))


@given(pictures)
def test_pictures_of_any_range_come_to_zero_to_one_and_back(x: np.ndarray) -> None:
    if x.min() == x.max():
        with pytest.raises(DataError, match="constant"):
            fit_scaler(x, "image")
        return
    scaler = fit_scaler(x, "image")
    scaled = scaler.apply(x)
    assert scaled.dtype == np.float32 and scaled.min() >= 0 and scaled.max() <= 1
    np.testing.assert_allclose(
        scaler.undo(scaled).astype(float), x.astype(float), atol=1e-6 * scaler.factor
    )


@given(series)
def test_series_of_any_range_come_to_mean_zero_and_sd_one_and_back(x: np.ndarray) -> None:
    scaler = fit_scaler(x, "series")
    scaled = scaler.apply(x)
    assert np.isfinite(scaled).all()
    if x.min() == x.max():
        np.testing.assert_array_equal(scaled, 0)
        np.testing.assert_array_equal(scaler.undo(scaled), x)
        return
    assert scaled.std(dtype=float) == pytest.approx(1, abs=1e-5)
    assert scaled.mean(dtype=float) == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(
        scaler.undo(scaled).astype(float), x.astype(float), atol=1e-6 * scaler.factor + 1e-37
    )


@given(series)
def test_channels_by_themselves_come_to_mean_zero_and_sd_one_and_back(x: np.ndarray) -> None:
    scaler = fit_scaler(x, "series", "channel")
    scaled = scaler.apply(x)
    assert np.isfinite(scaled).all() and np.shape(scaler.factor) == (1, 2, 1)
    for c in range(2):
        alone = fit_scaler(x[:, c : c + 1], "series")
        np.testing.assert_allclose(scaled[:, c], alone.apply(x[:, c : c + 1])[:, 0], rtol=1e-6)
    back = scaler.undo(scaled).astype(float)
    np.testing.assert_array_less(
        np.abs(back - x), np.broadcast_to(1e-6 * scaler.factor + 1e-37, x.shape)
    )


def test_channels_of_other_units_are_noticed() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4, 30)) * np.array([1.0, 30.0, 0.0, 5.0])[:, None]
    x[:, 3, 4], x[0, 1, 0] = np.nan, np.nan
    told = uneven_channels(x)
    assert (
        "channel 1 varies" in told and "as much as channel 0 " in told and "scale='channel'" in told
    )
    for even in (x[:, [0, 2, 3]], x[:, :1], x[:, 2:3], np.full_like(x, np.nan)):
        assert uneven_channels(even) == ""


def test_a_still_channel_is_shifted_to_zero_and_one_far_away_is_refused() -> None:
    x = np.stack([np.full((4, 5), 7.0), np.arange(20.0).reshape(4, 5) * 1e-9], 1)
    scaler = fit_scaler(x, "series", "channel")
    np.testing.assert_array_equal(scaler.apply(x)[:, 0], 0)
    with pytest.raises(DataError, match="too far from the training data"):
        scaler.apply(x + 1e38)


def test_uint8_is_divided_by_255() -> None:
    x = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    for domain in ("image", "series"):
        scaler = fit_scaler(x, domain)  # type: ignore[arg-type]
        assert scaler == Scaler(0, 255)
        np.testing.assert_allclose(scaler.apply(x), x / 255, atol=1e-7)


def test_masks_of_zeros_and_ones_stay_as_they_are() -> None:
    x = np.eye(8, dtype=np.uint8)[None, None]
    assert fit_scaler(x, "image") == Scaler()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, Scaler()),
        (0.25, 0.75, Scaler()),
        (0, 0.25, Scaler(0, 0.25)),
        (-1, 1, Scaler(-1, 2)),
        (0, 16, Scaler(0, 16)),
        (0.5, 1.5, Scaler(0.5, 1)),
    ],
)
def test_pictures_are_fitted_only_where_needed(low: float, high: float, expected: Scaler) -> None:
    x = np.linspace(low, high, 18, dtype=np.float32).reshape(2, 1, 3, 3)
    assert fit_scaler(x, "image") == expected


@pytest.mark.parametrize("value", [0.1, 1e-45, -1e30, LARGEST, 0.0])
def test_series_that_never_change_become_exact_zeros(value: float) -> None:
    x = np.full((3, 1, 7), value, np.float32)
    scaler = fit_scaler(x, "series")
    assert scaler.factor == 1
    np.testing.assert_array_equal(scaler.apply(x), 0)
    np.testing.assert_array_equal(scaler.undo(scaler.apply(x)), x)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("scale", ["auto", None])
def test_constant_pictures_are_refused(dtype: type, scale: str | None) -> None:
    with pytest.raises(DataError, match="every value is 1"):
        fit_scaler(np.ones((3, 1, 8, 8), dtype), "image", scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("domain", ["image", "series"])
def test_without_a_scale_values_must_lie_between_zero_and_one(domain: str) -> None:
    x = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert fit_scaler(x, domain, None) == Scaler()  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"ranges from -0.5 to 0.5.*\[0, 1\]"):
        fit_scaler(x - 0.5, domain, None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="from 0 to 255"):
        fit_scaler((x * 255).astype(np.uint8), domain, None)  # type: ignore[arg-type]


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ConfigError, match="'minmax'"):
        fit_scaler(np.ones((1, 1, 2)), "series", "minmax")  # type: ignore[arg-type]


def test_the_fit_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(3, 2, size=(50, 2, 9)).astype(np.float32)
    whole, scaled = fit_scaler(x, "series"), fit_scaler(x, "series").apply(x)
    monkeypatch.setattr(arrays, "BLOCK", 40)
    parts = fit_scaler(x, "series")
    assert (parts.offset, parts.factor) == pytest.approx((whole.offset, whole.factor))
    assert (whole.offset, whole.factor) == pytest.approx((x.mean(dtype=float), x.std(dtype=float)))
    np.testing.assert_array_equal(whole.apply(x), scaled)
    assert value_range(x) == (x.min(), x.max())


def test_a_result_is_new_writeable_and_contiguous() -> None:
    x = np.moveaxis(np.zeros((2, 4, 4, 3), np.float32), 3, 1)
    x.flags.writeable = False
    for result in (Scaler().apply(x), Scaler().undo(x)):
        assert (
            result.flags.c_contiguous and result.flags.writeable and not np.shares_memory(result, x)
        )


def test_what_float32_cannot_hold_fails_loudly_going_in_and_saturates_coming_out() -> None:
    scaler = Scaler(0, 1e-20)
    with pytest.raises(DataError, match="too far"):
        scaler.apply(np.full((1, 1, 2), 1e30, np.float32))
    np.testing.assert_array_equal(
        Scaler(0, LARGEST).undo(np.array([[2.0, -2.0]])), np.float32([[LARGEST, -LARGEST]])
    )


@pytest.mark.parametrize(
    ("offset", "factor"), [(0, 0), (0, -1), (np.nan, 1), (0, np.inf), (0, np.nan)]
)
def test_a_scale_that_cannot_be_undone_is_refused(offset: float, factor: float) -> None:
    with pytest.raises(ConfigError, match="positive"):
        Scaler(offset, factor)


@pytest.mark.parametrize("block", [1, 1000])
def test_each_channel_comes_to_mean_zero_and_sd_one_and_back(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "BLOCK", block)
    x = (
        np.random.default_rng(0).normal(size=(5, 2, 30)) * 10.0 ** np.arange(-2, 3)[:, None, None]
        + 4
    )
    x[2, 1] = 0.1
    scaler = own_scaler(x)
    scaled = scaler.apply(x)
    np.testing.assert_allclose(scaled.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(-1), np.where(np.ptp(x, -1) > 0, 1.0, 0.0), atol=1e-6)
    np.testing.assert_allclose(scaler.undo(scaled), x, rtol=1e-5, atol=1e-5)
    assert fit_scaler(x, "series", "each") == Scaler()


def test_a_scaler_is_frozen_plain_numbers() -> None:
    scaler = fit_scaler(np.random.default_rng(0).normal(size=(4, 1, 5)), "series")
    assert all(type(value) is float for value in dataclasses.asdict(scaler).values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        scaler.offset = 1.0  # type: ignore[misc]


def test_every_named_scale_is_offered_and_taken() -> None:
    with pytest.raises(ConfigError) as refusal:
        fit_scaler(np.ones((2, 1, 3)), "series", "other")  # type: ignore[arg-type]
    offered = re.findall("'(.*?)'", str(refusal.value).partition("choose")[2])
    assert offered == list(get_args(ScaleName))
    for name in get_args(ScaleName):
        assert isinstance(fit_scaler(np.ones((2, 1, 3)), "series", name), Scaler)
