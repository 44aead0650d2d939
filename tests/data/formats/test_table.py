"""Tables of text cells: columns by name, errors with the location of the cell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.column_names import ID_NAMES, LABEL_NAMES
from unwarp.data.formats.table import Table
from unwarp.errors import DataError

TABLE = Table(
    Path("a.csv"), [" ID ", "x", "target"], [["u", " "], ["1", "?"], ["2", "3"]], ["row 1", "row 2"]
)


def test_columns_are_found_by_role() -> None:
    """Names count in any case, and mean nothing in a file without column names."""
    assert (TABLE.find_column(ID_NAMES), TABLE.find_column(LABEL_NAMES)) == (0, 2)
    assert TABLE.find_column(("time",)) is None
    assert replace(TABLE, has_names=False).find_column(ID_NAMES) is None
    with pytest.raises(DataError, match=r"a\.csv: the columns ' ID ' and 'x' could both be the x"):
        TABLE.find_column(("x", "id"))


def test_columns_convert_to_arrays() -> None:
    """A missing value is NaN, a missing name is refused."""
    np.testing.assert_array_equal(TABLE.values(1), [1, np.nan])
    assert TABLE.labels(2).tolist() == [2, 3] and TABLE.texts(2) == ["2", "3"]
    with pytest.raises(DataError, match=r"a\.csv, row 2, column ' ID ' is missing"):
        TABLE.texts(0)


def test_roles_are_described() -> None:
    """Roles that no column has are left out."""
    assert TABLE.describe_roles(name=0, label=None, value=1) == ", name ' ID ', value 'x'"
