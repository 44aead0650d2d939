"""Digits of numbers: types that keep them, and their loss in float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unwarp.data.precision import as_float32, loses_digits, wide_dtype

whole = hnp.arrays(np.int64, 4, elements=st.integers(-(2**63), 2**63 - 1))
short = hnp.arrays(
    np.float32, (2, 5), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)
)


@given(whole)
def test_wide_types_keep_integers(x: np.ndarray) -> None:
    """Every 64-bit integer comes back from the wide type."""
    assert [int(value) for value in x.astype(wide_dtype(x))] == x.tolist()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_wide_types_are_float64(dtype: str) -> None:
    """All other types are computed with in float64."""
    assert wide_dtype(np.zeros(3, dtype)) == np.float64
    assert wide_dtype(np.zeros(0, np.int64)) == np.float64


@given(short)
def test_short_numbers_lose_no_digits(x: np.ndarray) -> None:
    """Numbers of float32, stored as float64, lose nothing."""
    assert not loses_digits(x) and not loses_digits(x.astype(np.float64))


@pytest.mark.parametrize(("offset", "is_lost"), [(0.0, False), (1.0, False), (1e7, True)])
def test_offsets_lose_digits(offset: float, is_lost: bool) -> None:
    """A small change on a great offset is lost, in one row as in many; gaps do not matter."""
    x = offset + np.array([[0.0, 0.013, np.nan, 0.029]])
    assert loses_digits(x) == is_lost
    assert loses_digits(np.concatenate([np.zeros((3, 4)), x])) == is_lost
    assert not loses_digits(np.full((1, 4), offset + 0.1))


def test_too_large_numbers_are_infinite() -> None:
    """A number beyond float32 becomes infinite without a warning."""
    assert as_float32(np.array([1e300, -1e300, 1.0])).tolist() == [np.inf, -np.inf, 1.0]
