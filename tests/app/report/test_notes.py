"""A report says in words what the training decided, and which columns are constant."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.app.report.section_texts import section_of
from unwarp.app.outcome import Outcome
from unwarp.app.report import notes
from unwarp.app.report.notes import (
    constant_note,
    content_note,
    refinement_note,
    symmetry_note,
    varying,
)
from unwarp.core import Factor
from unwarp.models.distilled import DistilledCode, FastLoss
from unwarp.models.refine import BandRefinement

CHECKS = "Did it work on this data?"


def changed(outcome: Outcome, **attributes: Any) -> Outcome:
    """The same run with other attributes of the estimator with the warp."""
    unwarper = copy(outcome.warped.unwarper)
    unwarper.__dict__.update(attributes)
    return replace(outcome, warped=replace(outcome.warped, unwarper=unwarper))


def test_elastic_codes_are_explained(series_run: Outcome) -> None:
    """The report says so if codes are elastic, and states the loss of fast ones."""
    model, code = copy(series_run.warped.unwarper.model_), DistilledCode((2, 24), 3)
    code.fit(torch.randn(9, 2, 24, generator=torch.Generator().manual_seed(0)))
    model._modules = {**model._modules, "encoder": copy(model.encoder)}
    model.encoder._modules = {**model.encoder._modules, "content": code}
    run = changed(series_run, model_=model)
    assert content_note(series_run) == ()
    assert "distances of observed series to 9 training series" in content_note(run)[0]
    assert "network" not in content_note(run)[0]
    code.accept(FastLoss(0.25, 0.75, 4))
    assert "codes of 4 held-out series are off by 25 %" in content_note(run)[0]


def test_refinement_shows_its_evidence(series_run: Outcome) -> None:
    """The report states the reason of a refinement, and where it is used."""
    refinement = BandRefinement(torch.zeros(1, 2, 200), torch.ones(2), 200, why="half is left")
    run = changed(series_run, refinement_=refinement)
    assert refinement_note(series_run) == ()
    note = refinement_note(run)[0]
    assert "after training: half is left. Each series was moved by at most 8 time steps" in note
    assert note in section_of(run, CHECKS).paragraphs
    assert (
        "training. Each"
        in refinement_note(changed(series_run, refinement_=replace(refinement, why="")))[0]
    )


def test_symmetric_clusters_have_a_line(
    image_run: Outcome, series_run: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters of one order share a sentence; without rotations there is none."""
    monkeypatch.setattr(notes, "symmetry_orders", lambda templates: [1, 2, 0, 2, 5])
    assert symmetry_note(series_run) == ()
    circle, double, five = symmetry_note(image_run)
    assert circle.startswith("The template of cluster 2 is round: no turn changes anything")
    assert double.startswith("The templates of clusters 1, 3 are 2-fold: half a turn changes")
    assert five.startswith("The template of cluster 4 is 5-fold: a turn by 72 degrees changes")
    assert double in section_of(image_run, CHECKS).paragraphs
    monkeypatch.setattr(notes, "largest_turn", lambda model: 0.0)
    assert symmetry_note(image_run) == ()


def test_constant_columns_have_a_line(series_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A constant column has no histogram, and its value stands in the text."""
    lag, speed = Factor("lag_s", "s", -1.0, 1.0), Factor("speed_min", "factor", 0.5, 2.0)
    table = {lag: np.full(9, 0.25), speed: np.linspace(0.6, 1.5, 9)}
    assert list(varying(table)) == [speed]
    embedding = replace(series_run.warped.embedding, table=table)
    monkeypatch.setattr("unwarp.app.report.notes.overview_embedding", lambda *parts: embedding)
    assert constant_note(series_run)[0].endswith("histogram: lag (s) is 0.25.")
    monkeypatch.undo()
    assert constant_note(series_run) == ()
