"""Fitted scales bring samples to the range of a model, also at the extremes of float32."""

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
from unwarp.data import blocks
from unwarp.data.scale_fitting import channel_scale_hint, fit_sample_scaler, fit_scaler
from unwarp.data.scaling import Scaler, value_range
from unwarp.errors import ConfigError, DataError

LARGEST = float(np.finfo(np.float32).max)
series = hnp.arrays(np.float32, (3, 2, 4), elements=st.floats(-LARGEST, LARGEST, width=32))
pictures = hnp.arrays(np.float32, (2, 1, 3, 3), elements=st.floats(-LARGEST, LARGEST, width=32))


@given(pictures)
def test_images_come_to_unit_range(x: np.ndarray) -> None:
    """Images come to [0, 1], but for single pixels, and back; constant ones are refused."""
    if x.min() == x.max():
        with pytest.raises(DataError, match="constant"):
            fit_scaler(x, "image")
        return
    scaler = fit_scaler(x, "image")
    scaled = scaler.apply(x)
    assert scaled.dtype == np.float32
    assert np.mean((scaled >= 0) & (scaled <= 1)) >= 0.5
    np.testing.assert_allclose(
        scaler.undo(scaled).astype(float), x.astype(float), rtol=1e-6, atol=1e-6 * scaler.factor
    )


@given(series)
def test_series_are_standardised(x: np.ndarray) -> None:
    """Series of any range come to mean 0 and standard deviation 1, and back."""
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
def test_channel_scale_is_its_own(x: np.ndarray) -> None:
    """With `channel`, each channel is scaled as if it were alone, and back."""
    scaler = fit_scaler(x, "series", "channel")
    scaled = scaler.apply(x)
    assert np.isfinite(scaled).all() and np.shape(scaler.factor) == (1, 2, 1)
    for c in range(2):
        alone = fit_scaler(x[:, c : c + 1], "series")
        np.testing.assert_allclose(scaled[:, c], alone.apply(x[:, c : c + 1])[:, 0], rtol=1e-6)
    restored = scaler.undo(scaled).astype(float)
    np.testing.assert_array_less(
        np.abs(restored - x), np.broadcast_to(1e-6 * scaler.factor + 1e-37, x.shape)
    )


def test_uneven_channels_give_a_hint() -> None:
    """A channel that varies far more than another is named, with the option to change."""
    x = np.random.default_rng(0).normal(size=(5, 4, 30)) * np.array([1.0, 30.0, 0.0, 5.0])[:, None]
    x[:, 3, 4], x[0, 1, 0] = np.nan, np.nan
    hint = channel_scale_hint(x)
    assert "channel 1 varies" in hint and "as much as channel 0 " in hint
    assert "scale='channel'" in hint
    for similar in (x[:, [0, 2, 3]], x[:, :1], x[:, 2:3], np.full_like(x, np.nan)):
        assert channel_scale_hint(similar) == ""


def test_constant_channel_becomes_zero() -> None:
    """A constant channel becomes 0, and values far from it are refused later."""
    x = np.stack([np.full((4, 5), 7.0), np.arange(20.0).reshape(4, 5) * 1e-9], 1)
    scaler = fit_scaler(x, "series", "channel")
    np.testing.assert_array_equal(scaler.apply(x)[:, 0], 0)
    with pytest.raises(DataError, match="too far from the training data"):
        scaler.apply(x + 1e38)


def test_uint8_is_divided_by_255() -> None:
    """Numbers of type uint8 have a fixed scale in every domain."""
    x = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    for domain in ("image", "series"):
        scaler = fit_scaler(x, domain)  # type: ignore[arg-type]
        assert scaler == Scaler(0, 255)
        np.testing.assert_allclose(scaler.apply(x), x / 255, atol=1e-7)


def test_binary_masks_are_not_scaled() -> None:
    """Images of zeros and ones of type uint8 are not divided by 255."""
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
def test_unit_range_is_kept(low: float, high: float, expected: Scaler) -> None:
    """Images in [0, 1] that use half of it keep their values; others are scaled."""
    x = np.linspace(low, high, 18, dtype=np.float32).reshape(2, 1, 3, 3)
    assert fit_scaler(x, "image") == expected


@pytest.mark.parametrize("value", [0.1, 1e-45, -1e30, LARGEST, 0.0])
def test_constant_series_become_zero(value: float) -> None:
    """Series that never change become 0 without rounding errors, and come back."""
    x = np.full((3, 1, 7), value, np.float32)
    scaler = fit_scaler(x, "series")
    assert scaler.factor == 1
    np.testing.assert_array_equal(scaler.apply(x), 0)
    np.testing.assert_array_equal(scaler.undo(scaler.apply(x)), x)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("scale", ["auto", None])
def test_constant_images_are_refused(dtype: type, scale: str | None) -> None:
    """Images of a single value are refused with this value."""
    with pytest.raises(DataError, match="every value is 1"):
        fit_scaler(np.ones((3, 1, 8, 8), dtype), "image", scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("domain", ["image", "series"])
def test_no_scale_requires_unit_range(domain: str) -> None:
    """With `scale=None`, values outside [0, 1] are refused."""
    x = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4)
    assert fit_scaler(x, domain, None) == Scaler()  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"ranges from -0.5 to 0.5.*\[0, 1\]"):
        fit_scaler(x - 0.5, domain, None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="from 0 to 255"):
        fit_scaler((x * 255).astype(np.uint8), domain, None)  # type: ignore[arg-type]


def test_unknown_scale_is_refused() -> None:
    """The error for an unknown scale names it."""
    with pytest.raises(ConfigError, match="'minmax'"):
        fit_scaler(np.ones((1, 1, 2)), "series", "minmax")  # type: ignore[arg-type]


def test_blocks_do_not_change_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of another size give the same scale."""
    x = np.random.default_rng(0).normal(3, 2, size=(50, 2, 9)).astype(np.float32)
    scaler, scaled = fit_scaler(x, "series"), fit_scaler(x, "series").apply(x)
    monkeypatch.setattr(blocks, "NUMBERS_PER_BLOCK", 40)
    blockwise = fit_scaler(x, "series")
    units = scaler.offset, scaler.factor
    assert (blockwise.offset, blockwise.factor) == pytest.approx(units)
    assert units == pytest.approx((x.mean(dtype=float), x.std(dtype=float)))
    np.testing.assert_array_equal(scaler.apply(x), scaled)
    assert value_range(x) == (x.min(), x.max())


@pytest.mark.parametrize("block", [1, 1000])
def test_sample_scale_is_its_own(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each channel of each series comes to mean 0 and standard deviation 1, and back."""
    monkeypatch.setattr(blocks, "NUMBERS_PER_BLOCK", block)
    x = (
        np.random.default_rng(0).normal(size=(5, 2, 30)) * 10.0 ** np.arange(-2, 3)[:, None, None]
        + 4
    )
    x[2, 1] = 0.1
    scaler = fit_sample_scaler(x)
    scaled = scaler.apply(x)
    np.testing.assert_allclose(scaled.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(-1), np.where(np.ptp(x, -1) > 0, 1.0, 0.0), atol=1e-6)
    np.testing.assert_allclose(scaler.undo(scaled), x, rtol=1e-5, atol=1e-5)
    assert fit_scaler(x, "series", "each") == Scaler()


def test_scaler_holds_plain_numbers() -> None:
    """The fields of a scale are Python numbers and cannot be changed."""
    scaler = fit_scaler(np.random.default_rng(0).normal(size=(4, 1, 5)), "series")
    assert all(type(value) is float for value in dataclasses.asdict(scaler).values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        scaler.offset = 1.0  # type: ignore[misc]


def test_scale_names_are_complete() -> None:
    """The error for an unknown scale lists all names of `ScaleName`, and each works."""
    with pytest.raises(ConfigError) as refusal:
        fit_scaler(np.ones((2, 1, 3)), "series", "other")  # type: ignore[arg-type]
    names = re.findall("'(.*?)'", str(refusal.value).partition("choose")[2])
    assert names == list(get_args(ScaleName))
    for name in get_args(ScaleName):
        assert isinstance(fit_scaler(np.ones((2, 1, 3)), "series", name), Scaler)


@pytest.mark.parametrize(("deviation", "is_hinted"), [(9.99, False), (10.0, True)])
def test_hint_is_for_tenfold_channels(deviation: float, is_hinted: bool) -> None:
    """The advice comes if one channel varies at least 10 times as much as another."""
    wave = np.array([-1.0, 1.0])
    x = np.stack([wave, deviation * wave, 3 * wave])[None]
    hint = channel_scale_hint(x)
    assert hint.startswith("channel 1 varies 10 times as much as channel 0 and") == is_hinted
    assert bool(hint) == is_hinted
