"""Runs: the baseline is fair, and a trained model is not trained again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.app.outcome import Outcome
from unwarp.app.run import fit_or_load, without_warp
from unwarp.data.opening import as_source
from unwarp.errors import CheckpointError
from unwarp.estimators.selection import Selection
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State

X = np.random.default_rng(0).normal(size=(12, 24)).cumsum(1)


def test_baseline_is_fair(series_run: Outcome) -> None:
    """It has as many latents in total, no warp, and all other settings of the model with one."""
    warped = series_run.warped.unwarper
    baseline = without_warp(warped)
    model = warped.model_
    assert baseline.recipe.n_content == model.n_content + len(model.warp.factors)
    assert not baseline.recipe.warp.factors
    changed = ("warp", "recipe", "n_content", "overrides")
    settings, originals = baseline.get_params(), warped.get_params()
    assert {k for k in settings if settings[k] != originals[k]} <= set(changed)


def test_trained_models_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time there is no training: the same numbers and the same history come back."""
    source = as_source(X)
    first = fit_or_load(Unwarper("time", max_steps=2, n_clusters=2), source, tmp_path, "model", ())
    assert not (tmp_path / "model.checkpoint").exists()
    monkeypatch.setattr(Unwarper, "fit", None)
    loaded = fit_or_load(Unwarper(), source, tmp_path, "model", ())
    np.testing.assert_array_equal(loaded.transform(X), first.transform(X))
    assert asdict(loaded.history_) == json.loads((tmp_path / "model.history.json").read_text())
    assert loaded.history_ == first.history_


class Stop(Callback):
    """Stops a run after its first step, as a kill does."""

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the interrupt."""
        raise KeyboardInterrupt


def test_selection_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run has its decision how much to warp; other series are refused."""
    calls = list[int]()

    def select(x: Any, **options: Any) -> Selection:
        calls.append(len(x))
        return Selection("smooth", (1 / 3,), {"smooth": (0.1,), "sharp": (0.2,)}, (0.7,))

    monkeypatch.setattr("unwarp.estimators.fitting.select", select)
    model = Unwarper(max_steps=2, n_clusters=2, domain="series")
    with pytest.raises(KeyboardInterrupt):
        fit_or_load(model, as_source(X), tmp_path, "model", (Stop(),))
    with pytest.raises(CheckpointError, match="samples: other values, or another order"):
        fit_or_load(model, as_source(X[::-1].copy()), tmp_path, "model", ())
    trained = fit_or_load(model, as_source(X), tmp_path, "model", ())
    assert calls == [12]
    assert trained.selection_ == select(X)
    assert {path.name for path in tmp_path.iterdir()} == {"model", "model.history.json"}
