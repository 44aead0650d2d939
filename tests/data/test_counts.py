"""Counts in bins keep their sums, and each event its aligned time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.data.recordings import LENGTH, N, recordings
from tests.estimators.series import fit_series, waves
from unwarp import Unwarper
from unwarp.errors import DataError


@pytest.mark.parametrize("rate", [1, 5, 0.2])
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_counts_are_histograms_of_events(model: Unwarper, rate: float, dtype: type) -> None:
    """Aligned counts count the aligned times of the events, and their sum stays."""
    rng, n_bins = np.random.default_rng(0), round(LENGTH * rate)
    edges = np.arange(n_bins + 1) / rate - 0.5
    counts = rng.poisson(3, (N, 2, n_bins)).astype(dtype)
    aligned = model.align(recordings(), other=counts, counts=True)
    assert aligned.shape == counts.shape and aligned.dtype == dtype
    np.testing.assert_allclose(aligned.sum(-1), counts.sum(-1), rtol=1e-6)
    for i in range(N):
        spikes = [
            left + (np.arange(c) + 0.5) / c / rate
            for left, c in zip(edges, counts[i, 0].astype(int), strict=False)
        ]
        events = model.transform_events(recordings(), np.tile(np.concatenate(spikes) / 10, (N, 1)))
        sums = np.histogram(10 * np.asarray(events)[i], edges)[0]
        difference = np.abs(np.cumsum(sums) - np.cumsum(aligned[i, 0]))
        if dtype is np.int64:
            assert difference.max() <= 1 and (difference > 0).mean() < 0.06  # events on an edge
        else:
            assert difference.max() <= 0.51  # the part of a bin before an edge, between events


def test_counts_of_unequal_lengths() -> None:
    """Counts of series of unequal lengths count the events whose aligned times lie in the frame."""
    rows, rng = waves(), np.random.default_rng(0)
    model = fit_series(rows)
    counts = [rng.poisson(2, 3 * len(row)) for row in rows]
    aligned = model.align(rows, other=counts, counts=True)
    assert aligned.shape == (N, 120) and aligned.dtype == counts[0].dtype
    assert (aligned.sum(1) <= [row.sum() for row in counts]).all()
    spikes = [np.repeat((np.arange(len(row)) + 0.5) / 3 - 0.5, row) for row in counts]
    for row, events in zip(aligned, model.transform_events(rows, spikes), strict=True):
        n_inside = ((events > -0.5) & (events < 39.5)).sum()
        assert abs(row.sum() - n_inside) <= counts[0].max()  # the events of a bin that is cut
    assert model.align(rows, counts=True).shape == (N, 40)


def test_own_counts_are_moved(model: Unwarper) -> None:
    """Without other data, the series themselves are the counts, in their form and type."""
    X = recordings()
    aligned = model.align(X, counts=True)
    np.testing.assert_allclose(aligned.sum(1), X.sum(1), atol=1e-4)
    out = np.empty(X.shape)
    assert model.align(X, counts=True, out=out) is out and (out == aligned).all()
    np.testing.assert_array_equal(model.align(X, other=X, counts=True), aligned)


@pytest.mark.parametrize(
    ("counts", "words"), [(np.ones((N, 80), bool), "booleans"), (np.full((N, 80), np.nan), "NaN")]
)
def test_unfit_counts_are_refused(model: Unwarper, counts: Any, words: str) -> None:
    """Booleans and gaps are no counts."""
    with pytest.raises(DataError, match=words):
        model.align(recordings(), other=counts, counts=True)
