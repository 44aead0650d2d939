"""Columns of a table of series."""

from __future__ import annotations

import numpy as np

from unwarp.data.form import Form, Output
from unwarp.data.formats.columns_of_series import columns_of, shared_times

X = np.arange(12.0).reshape(3, 2, 2)
NAMES = np.array(["a", "b", "c"])


def test_channels_have_columns() -> None:
    """A column for each channel of each series, after the times."""
    output = Output(X, None, NAMES, Form(channels=("u", "v")), times=np.array([0.5, 1]))
    names, columns = columns_of(output)
    assert names == ["time", "a.u", "a.v", "b.u", "b.v", "c.u", "c.v"]
    assert columns[0].tolist() == [0.5, 1] and columns[3].tolist() == [4, 5]


def test_clocks_make_a_long_table() -> None:
    """Series with times of their own have a row per series and time."""
    times = [np.array([0, 1]), np.array([5, 6]), np.array([7, 9])]
    names, columns = columns_of(Output(X[:, 0], None, NAMES, Form(), times=times))
    assert names == ["id", "time", "value"] and columns[0].tolist() == [*"aabbcc"]
    assert columns[1].tolist() == [0, 1, 5, 6, 7, 9]
    short = Output(X[:, 0], None, NAMES, Form(), times=[np.arange(2), np.arange(2), np.arange(1)])
    times_of_all = shared_times(short, 2)
    assert times_of_all is not None and times_of_all.tolist() == [0, 1]
