"""Objects that are not arrays yet: forms, rows and mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from unwarp.data.array_likes import as_dense, as_numpy, is_sequence, take_rows
from unwarp.data.source import Source
from unwarp.errors import DataError

TABLE = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "X", [TABLE, TABLE.tolist(), torch.tensor(TABLE), pd.DataFrame(TABLE)], ids=lambda X: type(X)
)
def test_all_forms_have_the_same_numbers(X: Any) -> None:
    """An array, a list, a tensor and a data frame become the same array."""
    np.testing.assert_array_equal(as_dense(X), TABLE)
    assert is_sequence(as_numpy(X))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (list("abcd"), list),
        (tuple("abcd"), list),
        (np.array(list("abcd")), np.ndarray),
        (pd.Series(list("abcd"), index=[7, 7, 7, 7]), pd.Series),
    ],
)
def test_rows_are_counted_from_zero(values: Any, kind: type) -> None:
    """Rows of any collection are chosen by position, whatever its index."""
    rows = take_rows(values, np.array([3, 0, 0]))
    assert isinstance(rows, kind) and list(rows) == ["d", "a", "a"]


def test_rows_of_sources_are_sources() -> None:
    """Parsed samples stay parsed samples."""
    source = Source(TABLE[:, None], domain="series")
    np.testing.assert_array_equal(take_rows(source, np.array([2])).x, TABLE[2:3, None])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("x.npy", "X is 'x.npy', not numbers; .*unwarp.data.read"),
        (Path("x.npy"), "not numbers"),
        (sparse.eye(3), "sparse matrix; .*toarray"),
        (torch.eye(3).to_sparse(), "sparse"),
        (np.ma.masked_equal(TABLE, 2.0), "masked array with 1 masked values; fill"),
        ([[1, 2], [3]], "ragged: sample 0 has shape .2,., sample 1 has shape .1,.; .*crop"),
        ([[[1], [2, 3]], [1]], "ragged: sample 0 holds lists of different lengths"),
        (object(), "of type object, not an array; give"),
    ],
)
def test_other_objects_are_refused(X: Any, message: str) -> None:
    """An object that is no dense array is named, with the mend."""
    with pytest.raises(DataError, match=message):
        as_dense(X)


def test_single_values_are_no_sequences() -> None:
    """Text, numbers and arrays without axes are single values."""
    assert not any(map(is_sequence, ("now", b"now", 3.0, np.array(3.0), None)))
