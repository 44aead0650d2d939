"""Fingerprints: other data are noticed, and differences are named in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.fingerprint import code_facts, dataset_facts, differences, source_facts
from unwarp.data.opening import as_source

X = np.random.default_rng(0).normal(size=(8, 12))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[::-1].copy(),
        lambda x: x[:-1],
        lambda x: x[[0, 0, 2, 3, 4, 5, 6, 7]],
        lambda x: np.nextafter(x, 9),
        lambda x: x.astype(np.float32),
        lambda x: x.reshape(8, 2, 6),
    ],
)
def test_other_data_have_other_facts(change: Callable[[Any], Any]) -> None:
    """Reordered, dropped, repeated, changed and reshaped samples are different data."""
    tensors = torch.from_numpy(X), torch.from_numpy(change(X))
    assert differences(*(dataset_facts(Dataset(x[:, None])) for x in tensors))
    assert differences(source_facts(as_source(X)), source_facts(as_source(change(X))))


def test_equal_data_have_equal_facts() -> None:
    """Copies, and series of unequal lengths, are recognised."""
    assert not differences(source_facts(as_source(X)), source_facts(as_source(X.copy())))
    rows = [row[: 6 + i % 3] for i, row in enumerate(X)]
    facts = source_facts(as_source(rows))
    assert not differences(facts, source_facts(as_source([row.copy() for row in rows])))
    assert differences(facts, source_facts(as_source(rows[::-1])))


def test_differences_are_named() -> None:
    """The message has the name, both values, and words for checksums."""
    there = {"a": 1, "data": {"samples": "x"}, **code_facts()}
    assert differences(there, there) == ""
    assert differences(there, there | {"data": {"samples": "y"}}) == (
        "data.samples: other values, or another order of rows"
    )
    assert differences(there, there | {"a": 2}) == "a=2, but it was 1"
    assert differences({str(i): i for i in range(5)}, {}).endswith("; 2 more")
