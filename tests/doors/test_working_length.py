"""Long series are learned at a working length, and every result comes at their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.doors.memory_use import megabytes_of
from tests.estimators.series import fit_series
from unwarp import Unwarper

N, LENGTH, RATE = 8, 3000, 100.0


def recordings(n: int = N, length: int = LENGTH) -> np.ndarray[Any, Any]:
    """Series with two peaks each, at other times."""
    times, rng = np.linspace(0, 1, length), np.random.default_rng(0)
    places = np.array([0.3, 0.7]) + rng.uniform(-0.1, 0.1, (n, 2))
    return np.exp(-0.5 * ((times - places[..., None]) / 0.03) ** 2).sum(1)


@pytest.fixture(scope="module")
def model() -> Unwarper:
    """A model of series that it learned at 120 steps; no test changes it."""
    torch.set_num_threads(1)
    return fit_series(recordings(), sampling_rate=RATE, working_size=120)


def test_results_have_the_full_length(model: Unwarper, tmp_path: Path) -> None:
    """Clock, aligned series, templates and samples are at the user's steps, also after loading."""
    X = recordings()
    assert model.model_.shape == (1, 120) and model.n_features_in_ == LENGTH
    np.testing.assert_allclose(model.times_, np.arange(LENGTH) / RATE)
    model.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    for method in ("align", "template", "reconstruct"):
        result = getattr(model, method)(X)
        assert result.shape == X.shape
        np.testing.assert_array_equal(getattr(loaded, method)(X), result)
    assert model.cluster_templates_.shape == (2, 1, LENGTH)
    assert model.sample(3).shape == (3, 1, LENGTH)


def test_maps_hold_at_any_length(model: Unwarper) -> None:
    """A model that was learned on the averages themselves moves the same times alike."""
    X = recordings()
    small = model.prepare(X)[:, 0].numpy()
    grid = np.linspace(0, LENGTH - 1, 120)
    shares = np.linspace(0, 1, 31)
    own = np.asarray(model.transform_events(X, shares * (LENGTH - 1) / RATE)) * RATE
    points = np.asarray(model.transform_points(X, shares[:, None] * (LENGTH - 1)))[..., 0]
    np.testing.assert_allclose(own, points, atol=1e-2)
    coarse = np.stack([np.interp(grid, np.arange(LENGTH), row) for row in model.align(X)])
    map = model.model_.pose(torch.from_numpy(small)[:, None])
    steps = torch.linspace(0, 1, 120)[:, None]
    observed = map.invertible_part().push(steps)[..., 0].detach().numpy() * 119
    pairs = zip(observed, small, strict=True)
    expected = np.stack([np.interp(t, np.arange(120), row) for t, row in pairs])
    scaled = (coarse - model.schema_.scaler.offset) / model.schema_.scaler.factor
    assert np.abs(scaled - expected).max() < 0.15  # of the peaks, which averages lower a little


def test_summary_is_in_units_of_the_user(model: Unwarper) -> None:
    """The lag of a table is the mean difference of observed and template times in seconds."""
    X = recordings()
    lag = model.transform_params(X)["lag_s"].to_numpy()
    times = model.times_
    template = np.asarray(model.transform_events(X, times))
    np.testing.assert_allclose((times - template).mean(1), lag, atol=1e-2)


def test_gaps_and_clocks_stay() -> None:
    """Series of unequal lengths keep their clock, their gaps and their own lengths."""
    rows = [row[: LENGTH - 150 * i] for i, row in enumerate(recordings())]
    model = fit_series(rows, working_size=120)
    assert model.schema_.shape == (1, 120) and model.align(rows).shape == (N, LENGTH)
    assert [len(row) for row in model.reconstruct(rows)] == [len(row) for row in rows]
    ends = np.array([len(row) - 1 for row in rows])[:, None]
    moved = np.asarray(model.transform_events(rows, ends))
    np.testing.assert_allclose(model.transform_events(rows, moved, inverse=True), ends, atol=0.01)
    for row, end in zip(model.align(rows), moved[:, 0], strict=True):
        assert abs(np.flatnonzero(~np.isnan(row)).max() - min(end, LENGTH - 1)) <= 1


def test_training_continues() -> None:
    """A training of long series continues at its working length."""
    model = fit_series(recordings(), working_size=120, warm_start=True).fit(recordings())
    assert model.model_.shape == (1, 120)


@pytest.mark.slow
def test_long_series_fit_in_memory(tmp_path: Path) -> None:
    """Sixty series of 20,000 steps take the memory of their averages, and some copies."""
    np.save(tmp_path / "x.npy", recordings(60, 20_000))
    program = """
from unwarp import Unwarper
x = np.load(folder / "x.npy")
model = Unwarper("time", max_steps=20).fit(x)
assert model.schema_.shape == (1, 512) and model.align(x).shape == x.shape
"""
    assert megabytes_of(program, tmp_path) < 400
