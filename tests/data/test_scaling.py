"""Scales bring numbers to the range of a model and back, also at the extremes of float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
