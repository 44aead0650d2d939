"""Arrays of real numbers: codes, points and deformations of a user."""

from __future__ import annotations

from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.array_likes import as_dense
from unwarp.data.parsing import rename_in_errors
from unwarp.errors import DataError


def real_numbers(name: str, values: Any, *, finite: bool = False) -> Array:
    """Values of an argument as an array of real numbers.

    Args:
        name: Name of the argument, for messages.
        values: Numbers in any form that NumPy reads.
        finite: Whether to refuse NaN, and values that are infinite as float32.

    Returns:
        The numbers, float64.

    Raises:
        DataError: There is no value, rows have several lengths, the values are complex or no
            numbers, or one is not finite; the message names its index.

    >>> real_numbers("points", [[1, 2], [3, 4]]).dtype
    dtype('float64')
    """
    with rename_in_errors(name):
        array = as_dense(values)
    try:
        numbers = None if array.dtype.kind not in "biufO" else array.astype(np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{name} is no array of numbers ({reason}); give equal rows") from None
    if numbers is None:
        raise DataError(f"{name} holds values of type {array.dtype}; give real numbers")
    if not numbers.size:
        raise DataError(f"{name} is empty, of shape {numbers.shape}; give one row or more")
    is_finite = np.abs(numbers) <= np.finfo(np.float32).max  # the type that models compute with
    if finite and not is_finite.all():
        index = tuple(int(i) for i in np.argwhere(~is_finite)[0])
        raise DataError(
            f"{name} has the value {numbers[index]} at index {index}; give finite numbers"
        )
    return numbers
