"""Scales bring numbers to the range of a model and back, also at the extremes of float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unwarp.data import limits
from unwarp.data.scaling import Scaler
from unwarp.errors import ConfigError, DataError

LARGEST = float(np.finfo(np.float32).max)
series = hnp.arrays(np.float32, (3, 2, 4), elements=st.floats(-LARGEST, LARGEST, width=32))
pictures = hnp.arrays(np.float32, (2, 1, 3, 3), elements=st.floats(-LARGEST, LARGEST, width=32))


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


def test_scaled_copy_fits_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scaled samples may fill all of the free memory, 4 bytes a value, and not more."""
    monkeypatch.delenv("UNWARP_MAX_BYTES", raising=False)
    monkeypatch.setattr(limits, "available_bytes", lambda: 4000)
    monkeypatch.setattr(limits, "MIN_BYTES_CHECKED", 1)
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
