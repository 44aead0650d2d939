"""Digits of numbers: types that keep them, and their loss in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array

MAX_EXACT_INTEGER = 1 << 53
"""Bound up to which float64 represents every integer exactly."""

MAX_ROUNDING_OF_RANGE = 1e-5
"""Largest error of float32 that counts as exact, over the range of the numbers of a series."""


def wide_dtype(x: Array) -> np.dtype[Any]:
    """Floating-point type of at least 64 bits for arithmetic with an array.

    Args:
        x: Numbers (N, ...).

    Returns:
        float64; or the longest type of the machine for integers that float64 rounds, and for
        numbers of that type.

    >>> wide_dtype(np.array([1, 2])) == np.float64
    True
    """
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8 and x.size:
        ends = max(int(x.max()), -int(x.min()))
        return np.dtype(np.longdouble if ends > MAX_EXACT_INTEGER else np.float64)
    return np.result_type(x.dtype, np.float64)


def loses_digits(x: Array) -> bool:
    """Whether float32 rounds numbers noticeably, given how much they vary.

    Args:
        x: Numbers (..., T), NaN for missing values. Each row along the last axis counts by itself.

    Returns:
        Whether a rounding error exceeds `MAX_ROUNDING_OF_RANGE` of the range of its row.

    >>> loses_digits(np.array([101325.00, 101325.01])), loses_digits(np.array([0.1, 0.2]))
    (True, False)
    """
    if np.can_cast(x.dtype, np.float32) or not x.size:
        return False
    errors = np.abs(x - as_float32(x)).reshape(-1, x.shape[-1])
    low = np.fmin.reduce(x, -1).reshape(-1, 1)
    high = np.fmax.reduce(x, -1).reshape(-1, 1)
    return bool(((errors > MAX_ROUNDING_OF_RANGE * (high - low)) & (high > low)).any())


def as_float32(x: Array) -> NDArray[np.float32]:
    """Numbers as float32; those that are too large for it become infinite."""
    with np.errstate(over="ignore"):
        return x.astype(np.float32, copy=False)
