"""Series of unequal lengths: padding is removed, equal ones are stacked."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.data.formats.ragged import series_source, trim_padding
from unwarp.errors import DataError


def test_padding_is_missing_in_each_channel() -> None:
    """Steps that are missing in every channel are cut, gaps before them stay."""
    series = np.array([[1, np.nan, np.nan, np.nan], [2, np.nan, 3, np.nan]], np.float32)
    np.testing.assert_array_equal(trim_padding(series, "line 1"), series[:, :3])
    with pytest.raises(DataError, match="line 1 has only missing values"):
        trim_padding(series[:, 3:], "line 1")


def test_equal_series_are_stacked() -> None:
    """One channel gives (N, T), more give (N, C, T), and unequal lengths give a list."""
    single, double = np.zeros((1, 3), np.float32), np.zeros((2, 3), np.float32)
    assert series_source([single, single], None, "example").x.shape == (2, 3)
    assert series_source([double, double], None, "example", times=[np.arange(3.0)] * 2).x.ndim == 3
    source = series_source([double, double[:, :1]], None, "example")
    assert [series.shape for series in source.x] == [(2, 3), (2, 1)]
    assert source.domain == "series" and source.description.endswith("; example")
