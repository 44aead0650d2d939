"""The 5,000 digits: ranges, and a split by class that never overlaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.datasets import digits
from unwarp.errors import DataError


def test_a_thousand_pictures_a_hundred_of_each_class(clean: Dataset) -> None:
    assert clean.x.shape == (1000, 1, 28, 28)
    assert clean.x.dtype == torch.float32
    assert (float(clean.x.min()), float(clean.x.max())) == (0.0, 1.0)
    assert clean.labels is not None
    assert np.bincount(clean.labels).tolist() == [100] * 10


def test_train_is_the_rest(clean: Dataset) -> None:
    train = digits.load("train")
    assert len(train) == 4000 and train.labels is not None
    assert np.bincount(train.labels).tolist() == [400] * 10
    seen = {row.tobytes() for row in train.x.numpy()}
    assert len(seen) == 4000
    assert not seen & {row.tobytes() for row in clean.x.numpy()}


def test_the_split_covers_every_row_once_and_never_changes() -> None:
    labels = np.repeat(np.arange(3), [10, 20, 35])
    train, test = digits.split(labels, "train"), digits.split(labels, "test")
    assert sorted([*train, *test]) == list(range(65))
    assert np.bincount(labels[test]).tolist() == [2, 4, 7]
    assert np.array_equal(test, digits.split(labels, "test"))


def test_pictures_show_their_class(clean: Dataset) -> None:
    assert clean.labels is not None
    means = torch.stack(
        [clean.x[torch.as_tensor(clean.labels == k)].mean(0) for k in range(10)]
    ).flatten(1)
    nearest = torch.cdist(clean.x.flatten(1), means).argmin(1).numpy()
    assert np.mean(nearest == clean.labels) > 0.75


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(DataError, match="train or test"):
        digits.load("valid")


def test_without_the_package_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'unwarp\[demo\]'"):
        digits.load()
