"""Arrays of real numbers: everything else is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp.data.numbers import real_numbers
from unwarp.errors import DataError


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1.0], [1.0, 2.0]], "Z is ragged: "),
        (np.ones((2, 2)) * 1j, "Z holds values of type complex128"),
        ([["a", "b"]], "Z holds values of type <U1"),
        (np.array([[None, object()]]), "Z is no array of numbers"),
        ([[1.0, np.inf]], r"Z has the value inf at index \(0, 1\)"),
        ([[np.nan]], r"Z has the value nan at index \(0, 0\)"),
        ([[1e300]], r"Z has the value 1e\+300 at index \(0, 0\)"),
        (np.ones((0, 2)), r"Z is empty, of shape \(0, 2\)"),
        ("absent.npy", "Z is 'absent.npy', not numbers"),
        ({1.0}, "Z is of type set, not an array"),
        (torch.empty(2, 2, device="meta"), "Z is a tensor without values on meta"),
        (np.array([["2024-01-01"]], "M8[D]"), "Z holds values of type datetime64"),
    ],
)
def test_other_values_are_refused(values: Any, words: str) -> None:
    """Ragged rows, complex numbers, words, objects, and values that are not finite."""
    with pytest.raises(DataError, match=words):
        real_numbers("Z", values, finite=True)


def test_numbers_keep_their_values() -> None:
    """Lists, arrays of any real dtype and tensors give the same numbers; NaN may pass."""
    for values in ([[1, 2]], np.array([[1, 2]], np.uint8), torch.tensor([[1.0, 2.0]])):
        np.testing.assert_array_equal(real_numbers("Z", values, finite=True), [[1.0, 2.0]])
    assert np.isnan(real_numbers("points", [[np.nan]])).all()
