"""Examples are spread over the classes, and an overview has enough samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    example_rows,
    first_component,
    has_overview_of_held_out,
    held_out_clusters,
    nearest_to_mean,
    overview_embedding,
    overview_labels,
    overview_samples,
)


def test_examples_are_spread_over_classes() -> None:
    """A rare class has an example, rows rise, and their number is bounded."""
    labels = np.array([0] * 90 + [1] * 9 + [2])
    rows = example_rows(labels, 100, 7)
    assert len(rows) == 7 and (np.diff(rows) > 0).all()
    assert np.bincount(labels[rows]).tolist() == [3, 3, 1]
    assert example_rows(None, 5, 7).tolist() == [0, 1, 2, 3, 4]
    assert example_rows(None, 100, 3).tolist() == [0, 49, 99]


def test_overview_adds_training_samples(series_run: Outcome) -> None:
    """Few held-out samples follow the training samples: the same order of labels and codes."""
    n = len(series_run.training) + len(series_run.test)
    assert not has_overview_of_held_out(series_run) and len(series_run.test) < n
    labels = overview_labels(series_run)
    assert labels is not None and len(overview_samples(series_run)) == len(labels) == n
    trial = series_run.warped
    codes = overview_embedding(trial, series_run).codes[-len(series_run.test) :]
    np.testing.assert_allclose(codes, trial.embedding.codes, atol=1e-4)


def test_first_component_is_the_widest() -> None:
    """The first component follows the widest column; the middle row is nearest to the mean."""
    codes = np.random.default_rng(0).normal(size=(200, 3)) * [0.1, 5.0, 0.1]
    component = first_component(codes)
    np.testing.assert_allclose(component, codes[:, 1] - codes[:, 1].mean(), atol=0.1)
    assert nearest_to_mean(np.array([[-3.0], [0.4], [2.0]])) == 1


def test_held_out_clusters_are_the_models(image_run: Outcome) -> None:
    """Of training samples they are the clusters that training gave them."""
    clusters = held_out_clusters(replace(image_run, test=image_run.training))
    np.testing.assert_array_equal(clusters, image_run.warped.unwarper.labels_)
