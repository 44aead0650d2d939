"""Clusters: the labels of training samples are those that `predict` returns."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import RECIPE, waves
from tests.pictures import pictures
from unwarp import Dataset, Unwarper
from unwarp.data.recordings import RegularSamples
from unwarp.data.samples import StoredSamples
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Prepared
from unwarp.errors import DataWarning
from unwarp.estimators import clustering
from unwarp.estimators.clustering import label_samples

ARGUMENTS: dict[str, Any] = {"max_steps": 3, "n_clusters": 3, "device": "cpu"}


@pytest.mark.parametrize("kind", ["images", "series", "unequal", "dataset"])
def test_labels_are_predictions(kind: str) -> None:
    """`fit_predict`, `labels_` and `predict` agree, for all kinds of samples."""
    X: Any = {
        "images": pictures(20),
        "series": np.stack(waves([40] * 20)),
        "unequal": waves(),
        "dataset": Dataset(torch.from_numpy(np.stack(waves([40] * 20))).float()[:, None]),
    }[kind]
    unwarper = Unwarper(recipe=None if kind == "images" else RECIPE, **ARGUMENTS)
    labels = unwarper.fit_predict(X)
    np.testing.assert_array_equal(labels, unwarper.labels_)
    np.testing.assert_array_equal(labels, unwarper.predict(X))
    assert labels.shape == (len(X),) and unwarper.n_iter_ == 3


def test_labels_of_outliers_are_predictions() -> None:
    """Also of a series whose values are limited in training only."""
    X = np.stack(waves([40] * 12))
    X[5] *= 1e9
    unwarper = Unwarper(recipe=RECIPE, **ARGUMENTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        labels = unwarper.fit_predict(X)
    assert unwarper.schema_.limited_rows == (5,)
    np.testing.assert_array_equal(labels, unwarper.predict(X))


def test_stored_samples_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples in the user's array are labelled chunk by chunk, with the same result."""
    X = 0.5 + 0.4 * np.stack(waves([40] * 12))[:, None].astype(np.float32)
    unwarper = Unwarper(recipe=RECIPE, domain="series", scale=None, **ARGUMENTS).fit(X)
    stored = StoredSamples(Prepared(X, Scaler(), RegularSamples(X, X)))
    sizes: list[int] = []
    load = StoredSamples.batch

    def batch(samples: StoredSamples, index: Any, generator: Any) -> Any:
        sizes.append(len(index))
        return load(samples, index, generator)

    monkeypatch.setattr(StoredSamples, "batch", batch)
    monkeypatch.setattr(clustering, "SAMPLES_PER_CHUNK", 5)
    labels = label_samples(unwarper.model_, stored, unwarper.clusters_)
    np.testing.assert_array_equal(labels, unwarper.labels_)
    assert sizes == [5, 5, 2]


def test_random_draws_are_labelled() -> None:
    """A data set that draws observations has a label for each original."""
    data = Dataset(torch.rand(9, 1, 12, 12), draw=lambda x, generator: x.flip(-1))
    labels = Unwarper(**ARGUMENTS).fit(data).labels_
    assert labels is not None and labels.shape == (9,)


def test_steps_are_saved_and_labels_are_not(tmp_path: Path) -> None:
    """A loaded estimator knows its steps; its labels are None, those of a refit are not."""
    X = np.stack(waves([40] * 8))
    unwarper = Unwarper(recipe=RECIPE, **ARGUMENTS).fit(X)
    unwarper.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert loaded.n_iter_ == 3 and loaded.labels_ is None
    np.testing.assert_array_equal(loaded.predict(X), unwarper.labels_)
