"""The form of data frames: index and columns come back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unwarp.data.frames import Frame
from unwarp.data.opening import as_source

TABLE = pd.DataFrame(
    np.arange(12.0).reshape(4, 3), index=["d", "a", "a", "c"], columns=["x", "y", "z"]
)


@pytest.mark.parametrize("index", [TABLE.index, pd.MultiIndex.from_product([[0, 1], ["a", "b"]])])
def test_frames_restore_index_and_columns(index: pd.Index) -> None:
    """Any labels, repeated ones included."""
    table = TABLE.set_axis(index, axis=0)
    frame = Frame.of(table)
    assert frame is not None
    pd.testing.assert_frame_equal(frame.restore(table.to_numpy()), table)


def test_frames_keep_labels_of_rows() -> None:
    """Fewer columns are counted; what is no table stays as it is."""
    frame = Frame.of(TABLE)
    assert frame is not None
    assert list(frame.restore(np.zeros((4, 2))).columns) == [0, 1]
    assert frame.restore(np.zeros((4, 2))).index.equals(TABLE.index)
    for values in (np.zeros((4, 2, 3)), np.zeros((3, 3)), [np.zeros(3)]):
        assert frame.restore(values) is values


def test_frames_have_rows() -> None:
    """A part of a source has the labels of its rows, after parsing as well."""
    source = as_source(TABLE).subset([3, 0])
    assert source.frame is not None and list(source.frame.index) == ["c", "d"]
    assert Frame.of(TABLE.to_numpy()) is None and as_source(TABLE.to_numpy()).frame is None
