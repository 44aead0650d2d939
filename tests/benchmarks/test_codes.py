"""Content codes of series: the correlation of a series with its class."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.codes import class_correlation


def test_class_correlation_of_known_series() -> None:
    """It is 1 for series of one shape, and that of each pair for classes of two."""
    rng = np.random.default_rng(0)
    shape, other = rng.normal(size=(2, 30))
    same = np.stack([k * shape + k for k in (1.0, 2.0, 5.0)])[:, None]
    assert class_correlation(same, np.zeros(3)) == pytest.approx(1)
    pair = np.stack([shape, other, shape, -shape])[:, None]
    expected = (np.corrcoef(shape, other)[0, 1] - 1) / 2
    assert class_correlation(pair, np.array([0, 0, 1, 1])) == pytest.approx(expected)
