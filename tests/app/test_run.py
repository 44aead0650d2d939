"""Runs: the baseline is fair, and a trained model is not trained again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.app.outcome import Outcome
from unwarp.app.run import fit_or_load, without_warp
from unwarp.data.opening import as_source

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
