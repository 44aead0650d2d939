"""Samples of one size are neither resampled nor moved in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp.data.clock import Clock
from unwarp.data.parsing import parse_samples
from unwarp.data.recordings import RegularSamples

EQUAL = np.random.default_rng(0).normal(size=(4, 6))


@pytest.mark.parametrize(
    "X", [EQUAL, EQUAL.tolist(), list(EQUAL), torch.from_numpy(EQUAL), EQUAL.astype(np.uint8)]
)
def test_regular_series_are_unchanged(X: Any) -> None:
    """Series of one length without gaps are not resampled."""
    samples, domain = parse_samples(X)
    assert isinstance(samples, RegularSamples) and domain == "series"
    np.testing.assert_array_equal(samples.resample(None, "error")[:, 0], np.asarray(X))
    assert samples.infer_clock(None) == (6, Clock(), "") and samples.on(Clock()) is samples
    frame = Clock(sampling_rate=2.0).time_of(np.array([0, 5]))
    assert samples.spans(Clock(), frame).tolist() == [[0.0, 2.5]] * 4
