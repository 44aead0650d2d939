"""Streams as samples: every method takes them, and reads them once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from torch.utils.data import DataLoader, TensorDataset

from tests.estimators.series import RECIPE, waves
from unwarp import Unwarper
from unwarp.errors import DataError

X = np.stack(waves([40] * 12)).astype(np.float32)
TENSORS = TensorDataset(torch.from_numpy(X), torch.arange(12))
METHODS = (
    "transform",
    "predict",
    "transform_params",
    "align",
    "coverage",
    "template",
    "reconstruct",
)


def batches(dtype: Any = np.float32) -> Iterator[Any]:
    """Batches with labels, which can be read once."""
    return (
        (X[rows].astype(dtype), np.zeros(5)) for rows in (slice(5), slice(5, 10), slice(10, 12))
    )


def unwarper() -> Unwarper:
    """A small estimator, not yet trained."""
    return Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")


@pytest.fixture(scope="module")
def trained() -> Unwarper:
    """An estimator that was trained on the array."""
    return unwarper().fit(X)


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_streams(name: str, trained: Unwarper) -> None:
    """A loader and an iterator give the results of the array, in its order and dtype."""
    method = getattr(trained, name)
    expected = method(X)
    for stream in (DataLoader(TENSORS, batch_size=5), batches(), TENSORS):
        result = method(stream)
        np.testing.assert_array_equal(result, expected)
        assert np.asarray(result).dtype == np.asarray(expected).dtype


def test_fits_take_streams(trained: Unwarper) -> None:
    """The same samples give the same weights, whatever they come in."""
    for stream in (DataLoader(TENSORS, batch_size=5), batches(), TENSORS):
        other = unwarper().fit(stream)
        np.testing.assert_array_equal(other.transform(X), trained.transform(X))
        np.testing.assert_array_equal(other.labels_, trained.labels_)
    assert trained.score(batches()) == trained.score(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_iterators_are_read_once(dtype: Any, trained: Unwarper) -> None:
    """`fit_transform` and `fit_predict` need no second reading."""
    codes = unwarper().fit_transform(batches(dtype))
    np.testing.assert_allclose(codes, trained.transform(X), atol=1e-4)
    assert codes.dtype == dtype == trained.transform(batches(dtype)).dtype
    assert unwarper().fit_predict(batches()).shape == (12,)
    read = batches()
    with pytest.raises(NotFittedError):
        unwarper().transform(read)
    unwarper().fit(read)
    with pytest.raises(DataError, match="read only once"):
        trained.transform(read)


def test_shuffling_loaders_only_train(trained: Unwarper) -> None:
    """`fit` and `score` take any order; methods that return rows refuse it before they begin."""
    loader = DataLoader(TENSORS, batch_size=5, shuffle=True)
    unwarper().fit(loader)
    np.testing.assert_allclose(trained.score(loader), trained.score(X), rtol=1e-5)
    fresh = unwarper()
    methods = [getattr(trained, name) for name in METHODS]
    for method in (*methods, fresh.fit_transform, fresh.fit_predict, trained.open):
        with pytest.raises(DataError, match="shuffle=False"):
            method(loader)
    assert not hasattr(fresh, "model_")
