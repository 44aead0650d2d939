"""Scores of a run: of both models, and as a file."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp.app.outcome import Outcome, view_of, write_scores
from unwarp.data.dataset import Dataset
from unwarp.data.source import Source
from unwarp.models.codec import restore


def test_metrics_json_holds_all_scores(series_run: Outcome, tmp_path: Path) -> None:
    """Scores of both models and of the raw series, with the recipes of the models."""
    write_scores(series_run, tmp_path)
    record = json.loads((tmp_path / "metrics.json").read_text())
    for name, model in series_run.scored_models.items():
        assert record[name]["scores"] == pytest.approx(dict(model.report.scores), nan_ok=True)
        assert record[name]["missing"] == model.report.missing
        assert restore(record[name]["recipe"]) == model.unwarper.recipe_
    assert record["baselines"] == pytest.approx(dict(series_run.sample_scores.scores), nan_ok=True)
    assert record["held_out"] == len(series_run.test)


def test_models_share_held_out_samples(series_run: Outcome) -> None:
    """A row of the embedding for each held-out sample, and no errors without true maps."""
    for model in series_run.scored_models.values():
        assert len(model.embedding.codes) == len(series_run.test)
        assert "true_map" in model.report.missing["recovery"]


def test_second_views_count_as_samples(series_run: Outcome) -> None:
    """With second views a model trains on two samples for each of the data set."""
    unwarper = copy(series_run.warped.unwarper)
    speed = unwarper.history_.samples_per_second
    assert series_run.warped.samples_per_second == speed > 0
    unwarper.recipe_ = replace(unwarper.recipe_, views=0.3)  # type: ignore[call-arg]
    assert replace(series_run.warped, unwarper=unwarper).samples_per_second == 2 * speed


def test_few_samples_stand_for_many() -> None:
    """Of a large file, samples of a bounded size are scored; a data set stays whole."""
    x = np.broadcast_to(np.uint8(3), (100_000, 28, 28))
    view = view_of(Source(x), (1, 28, 28), 16 << 20)
    assert 4 * view.x.size <= 16 << 20 and len(view) > 5000
    data = Source(x, dataset=Dataset(torch.zeros(1, 1, 1, 1)))
    assert view_of(data, (1, 28, 28), 10) is data
    assert len(view_of(Source(x[:50]), (1, 28, 28), 16 << 20)) == 50
