"""`Prepared` restores the user's units, type and layout."""

from __future__ import annotations

import numpy as np
import torch

from unwarp.core import SERIES
from unwarp.data.clock import Clock
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Schema
from unwarp.data.source import Source


def test_shape_and_units_are_restored() -> None:
    """Results have the units, the type and the axes of the user's samples."""
    x = np.arange(12, dtype=np.int16).reshape(3, 4)
    samples = Schema(SERIES, (1, 4), Scaler(5.0, 2.0)).prepare(Source(x))
    restored = samples.restore_shape(samples.x + 0.5)
    assert restored.dtype == np.int16
    np.testing.assert_array_equal(restored, x + 1)


def test_lists_are_restored_as_lists() -> None:
    """Series of unequal lengths come back as a list, or evenly spaced as one array."""
    rows = [np.arange(3.0), np.arange(5.0)]
    schema = Schema(SERIES, (1, 5), Scaler(), clock=Clock(any_length=True))
    samples = schema.prepare(Source(rows))
    assert len(samples) == 2 and samples.restore_shape(samples.x).shape == (2, 5)
    restored = samples.restore_times(samples.x)
    assert isinstance(restored, list)
    for restored_row, row in zip(restored, rows, strict=True):
        np.testing.assert_allclose(restored_row, row, atol=1e-6)
    assert samples.x.dtype == torch.float32
