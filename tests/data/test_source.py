"""A source keeps names, labels and times with their samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source
from unwarp.data.source import Source

ROWS = np.array([4, 1])
X = np.arange(15.0).reshape(5, 3)


@pytest.mark.parametrize(
    "x",
    [X, torch.from_numpy(X), pd.DataFrame(X), X.tolist(), list(X)],
    ids=lambda x: type(x).__name__,
)
def test_subset_of_any_type(x: Any) -> None:
    """Samples may be arrays, tensors, data frames or lists."""
    np.testing.assert_array_equal(np.asarray(Source(x).subset(ROWS).x), X[ROWS])


def test_subsets_take_all_facts() -> None:
    """Names, labels and times are selected with their samples; shared times are kept."""
    times = np.arange(15.0).reshape(5, 3)
    source = Source(X, list("abcde"), np.arange(5), times=times)
    part = source.subset(ROWS)
    assert part.names == ["e", "b"] and part.labels is not None and part.labels.tolist() == [4, 1]
    np.testing.assert_array_equal(part.times, times[ROWS])
    assert Source(X, times=times[0]).subset(ROWS).times is not None
    np.testing.assert_array_equal(Source(X, times=times[0]).subset(ROWS).times, times[0])
    ragged = [row[: i + 1] for i, row in enumerate(times[:3])]
    assert [len(row) for row in Source(X[:3], times=ragged).subset([2, 0]).times] == [3, 1]


def test_data_sets_keep_their_facts() -> None:
    """Prepared samples have the labels and ids of their data set."""
    data = Dataset(torch.rand(4, 1, 9, 9), "mine", labels=np.arange(4), ids=np.array([0, 0, 1, 1]))
    part = as_source(data).subset([1, 3])
    prepared = part.as_dataset(torch.zeros(2, 1, 9, 9))
    assert prepared.name == "mine" and prepared.ids is not None and prepared.ids.tolist() == [0, 1]
    assert prepared.labels is not None and prepared.labels.tolist() == [1, 3]


def test_files_give_ids_and_labels() -> None:
    """Names of samples become the ids of the data set."""
    with_names = Source(X, list("abcde"), np.arange(5)).as_dataset(torch.from_numpy(X))
    assert with_names.ids is not None and with_names.ids.tolist() == list("abcde")
    without_names = Source(X).as_dataset(torch.from_numpy(X))
    assert without_names.ids is None and without_names.labels is None


def test_samples_have_names_or_numbers() -> None:
    """Samples without names count from 0."""
    assert Source([[1.0]] * 4).row_names.tolist() == [0, 1, 2, 3]
    assert Source([[1.0]] * 2, ["a", "b"]).row_names.tolist() == ["a", "b"]
