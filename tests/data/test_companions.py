"""A warp of one recording moves another one, of another rate or with times of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.data.recordings import LENGTH, N, recordings
from tests.estimators.series import fit_series, waves
from unwarp import Unwarper
from unwarp.errors import DataError


def steps_at(rate: float) -> np.ndarray[Any, Any]:
    """Times, in steps of the series, of data with `rate` steps for each of theirs."""
    return (np.arange(round(LENGTH * rate)) + 0.5) / rate - 0.5


@pytest.mark.parametrize("rate", [4, 0.25, 2])
def test_other_rates_move_alike(model: Unwarper, rate: float) -> None:
    """A ramp of observed times, read at another rate, is the observed time of the aligned one."""
    times = steps_at(rate)
    aligned = model.align(recordings(), other=np.tile(times, (N, 1)))
    assert aligned.shape == (N, len(times))
    observed = 10 * np.asarray(model.transform_events(recordings(), times / 10, inverse=True))
    inside = np.clip(observed, times[0], times[-1])
    np.testing.assert_allclose(aligned, inside, atol=0.05 / min(rate, 1))
    assert np.abs(observed - times).max() > 1


def test_peaks_of_any_rate_coincide(model: Unwarper) -> None:
    """A peak that two rates saw at one time is within half a step in both, aligned."""
    peak, rows = 17.3, []
    for rate in (1, 8):
        curve = np.exp(-0.5 * ((steps_at(rate) - peak) / 1.5) ** 2)
        aligned = model.align(recordings(), other=np.tile(curve, (N, 1)))
        rows.append(steps_at(rate)[aligned.argmax(1)])
    event = 10 * np.asarray(model.transform_events(recordings(), [peak / 10]))[:, 0]
    for row in rows:
        assert np.abs(row - event).max() <= 0.6


def test_times_of_equal_parts_are_default(model: Unwarper) -> None:
    """The times of equal parts of the series, given or not, lead to the same result."""
    X, times = recordings(), steps_at(4) / 10
    curve = np.tile(np.sin(times), (N, 1))
    aligned, plain = model.align(X, other=curve, other_times=times), model.align(X, other=curve)
    at, inner = np.linspace(*model.times_[[0, -1]], aligned.shape[1]), slice(4, -20)
    for row, expected in zip(aligned[:, inner], plain, strict=True):
        np.testing.assert_allclose(row, np.interp(at[inner], times, expected), atol=2e-3)


def test_times_of_other_are_kept(model: Unwarper) -> None:
    """Times say where data lie, however irregular they are."""
    X, rng = recordings(), np.random.default_rng(0)
    times = np.sort(rng.choice(np.linspace(0, 3.9, 400), 150, replace=False))
    aligned = model.align(X, other=[np.sin(times)] * N, other_times=times)
    at = np.linspace(*model.times_[[0, -1]], aligned.shape[1])
    observed = np.asarray(model.transform_events(X, at, inverse=True))
    gaps = np.isnan(aligned)
    np.testing.assert_allclose(aligned[~gaps], np.sin(observed)[~gaps], atol=0.01)
    assert gaps.mean() < 0.05


def test_class_numbers_keep_their_rate(model: Unwarper) -> None:
    """Whole numbers of another rate that count nothing are not averaged."""
    states = np.repeat(np.tile([3, 900, 7, 12], 10), 4)
    aligned = model.align(recordings(), other=np.tile(states, (N, 1)))
    assert aligned.shape == (N, 160) and set(np.unique(aligned)) <= {3, 900, 7, 12}


def test_other_lengths_keep_their_ratio() -> None:
    """Data of unequal lengths at three times the rate are aligned like the series."""
    rows = waves()
    unequal = fit_series(rows)
    fine = [np.interp((np.arange(3 * len(r)) + 0.5) / 3 - 0.5, np.arange(len(r)), r) for r in rows]
    aligned, own = unequal.align(rows, other=fine), unequal.align(rows)
    assert aligned.shape == (N, 120)
    is_known = ~np.isnan(own)
    np.testing.assert_allclose(aligned[:, 1::3][is_known], own[is_known], atol=0.08)
    assert np.abs(np.isnan(aligned).sum(1) / 3 - np.isnan(own).sum(1)).max() <= 1


@pytest.mark.parametrize(
    ("other", "options", "words"),
    [
        ([[10**400, 1]] * N, {}, "not an array of numbers"),
        (np.ones((N, 55)), {}, "other_times"),
        (np.ones((N - 1, 80)), {}, "as many"),
        (np.ones((N, 55)), {"other_times": np.arange(54)}, "other_times"),
        (np.ones((N, 55)), {"other_times": np.arange(55) * 1e-9}, "other_times"),
        (None, {"other_times": np.arange(55)}, "give other"),
    ],
)
def test_unfit_companions_are_refused(
    model: Unwarper, other: Any, options: dict[str, Any], words: str
) -> None:
    """The message names the argument that does not fit, and what to give."""
    with pytest.raises(DataError, match=words):
        model.align(recordings(), other=other, **options)
