"""Scales bring numbers to the range of a model and back, also at the extremes of float32."""

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
from unwarp.data import blocks, limits
from unwarp.data.scaling import (
    Scaler,
    channel_scale_hint,
    fit_sample_scaler,
    fit_scaler,
    value_range,
)
from unwarp.errors import ConfigError, DataError

LARGEST = float(np.finfo(np.float32).max)
series = hnp.arrays(np.float32, (3, 2, 4), elements=st.floats(-LARGEST, LARGEST, width=32))
pictures = hnp.arrays(np.float32, (2, 1, 3, 3), elements=st.floats(-LARGEST, LARGEST, width=32))


@given(pictures)
def test_images_come_to_unit_range(x: np.ndarray) -> None:
    """Images of any range come to [0, 1] and back; constant ones are refused."""
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


def test_results_are_new_arrays() -> None:
    """Results are contiguous, can be written to, and share no memory with the input."""
    x = np.moveaxis(np.zeros((2, 4, 4, 3), np.float32), 3, 1)
    x.flags.writeable = False
    for result in (Scaler().apply(x), Scaler().undo(x)):
        assert (
            result.flags.c_contiguous and result.flags.writeable and not np.shares_memory(result, x)
        )


def test_overflow_raises_or_clips() -> None:
    """Numbers too large for float32 are refused by `apply` and clipped by `undo`."""
    scaler = Scaler(0, 1e-20)
    with pytest.raises(DataError, match="too far"):
        scaler.apply(np.full((1, 1, 2), 1e30, np.float32))
    np.testing.assert_array_equal(
        Scaler(0, LARGEST).undo(np.array([[2.0, -2.0]])), np.float32([[LARGEST, -LARGEST]])
    )


@pytest.mark.parametrize(
    ("offset", "factor"), [(0, 0), (0, -1), (np.nan, 1), (0, np.inf), (0, np.nan)]
)
def test_scale_needs_an_inverse(offset: float, factor: float) -> None:
    """A factor that is not positive, or units that are not finite, are refused."""
    with pytest.raises(ConfigError, match="positive"):
        Scaler(offset, factor)


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


def test_scaled_copy_fits_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scaled samples may fill all of the free memory, 4 bytes a value, and not more."""
    monkeypatch.delenv("UNWARP_MAX_BYTES", raising=False)
    monkeypatch.setattr(limits, "available_bytes", lambda: 4000)
    assert Scaler().apply(np.zeros((10, 100))).shape == (10, 100)
    with pytest.raises(DataError, match=r"samples of shape \(7, 143\) would fill 3.9 KiB of"):
        Scaler().apply(np.zeros((7, 143)))


def test_offsets_decide_the_type() -> None:
    """Numbers are float32 while it rounds them by at most 1e-4 of the factor, float64 beyond."""
    offset = 1e-4 * 2**23  # the spacing of float32 is 2**-23 of a number
    for sign in (1, -1):
        assert Scaler(sign * offset, 1.0).dtype == np.float32
        assert Scaler(sign * offset * 1.001, 1.0).dtype == np.float64
    offsets = np.array([0.0, 2 * offset]).reshape(1, 2, 1)
    assert Scaler(offsets, np.ones((1, 2, 1))).dtype == np.float64
    assert Scaler(offsets, np.array([1e-9, 2.0]).reshape(1, 2, 1)).dtype == np.float32
    assert Scaler(2 * offset, 1.0).undo(np.zeros(2), dtype=np.dtype("f4")).dtype == np.float32


@pytest.mark.parametrize(("deviation", "is_hinted"), [(9.99, False), (10.0, True)])
def test_hint_is_for_tenfold_channels(deviation: float, is_hinted: bool) -> None:
    """The advice comes if one channel varies at least 10 times as much as another."""
    wave = np.array([-1.0, 1.0])
    x = np.stack([wave, deviation * wave, 3 * wave])[None]
    hint = channel_scale_hint(x)
    assert hint.startswith("channel 1 varies 10 times as much as channel 0 and") == is_hinted
    assert bool(hint) == is_hinted


def test_far_values_are_described() -> None:
    """The refusal of values that float32 cannot hold names them, and the scale."""
    x = np.array([[[1e30, -2e30, 7.0]]])
    with pytest.raises(DataError, match=r"from -2e\+30 to 1e\+30, .*offset 3, factor 1e-20"):
        Scaler(3.0, 1e-20).apply(x)
    edge = np.array([LARGEST, -LARGEST])
    np.testing.assert_array_equal(Scaler().apply(edge), edge.astype(np.float32))


def test_one_channel_scale_is_for_all_rows() -> None:
    """A scale per channel is for every sample; one per sample is for its own rows of a block."""
    x = np.random.default_rng(0).normal(size=(5, 2, 9))
    offset, factor = np.array([[[1.0], [2.0]]]), np.array([[[3.0], [4.0]]])
    np.testing.assert_allclose(Scaler(offset, factor).apply(x), (x - offset) / factor, rtol=1e-5)
    own = Scaler(np.arange(10.0).reshape(5, 2, 1), np.arange(1, 11.0).reshape(5, 2, 1))
    np.testing.assert_allclose(own.apply(x), (x - own.offset) / own.factor, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own.undo(own.apply(x)), x, atol=1e-5)


def test_results_can_be_written_in_place() -> None:
    """With `out`, the given array receives the result and is returned."""
    scaled = np.array([0.0, 0.5, 1.0])
    assert Scaler(10, 4).undo(scaled, out=scaled) is scaled
    assert scaled.tolist() == [10.0, 12.0, 14.0]
