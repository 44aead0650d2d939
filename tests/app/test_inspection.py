"""Saved models: their facts, and their scores on a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwarp.app.inspection import describe_model, evaluate_folder
from unwarp.app.outcome import Outcome


@pytest.fixture
def folder(bumps_run: Outcome, tmp_path: Path) -> Path:
    """The model of a run."""
    bumps_run.warped.unwarper.save(tmp_path / "model")
    return tmp_path / "model"


def test_description_matches_the_model(bumps_run: Outcome, folder: Path) -> None:
    """Shape, family, size of the code and number of weights."""
    facts, model = describe_model(folder), bumps_run.warped.unwarper.model_
    assert (facts["shape"], facts["domain"], facts["family"]) == (model.shape, "series", "ae")
    assert facts["warp"] == "time"
    assert facts["content"] == model.n_content and facts["model"] == str(folder)
    assert facts["parameters"] == sum(weight.numel() for weight in model.parameters())


def test_scores_agree_with_the_run(bumps_run: Outcome, folder: Path) -> None:
    """The held-out part of the same data set, with its training part as reference."""
    scores, expected = (
        evaluate_folder(folder, "bumps", "cpu").scores,
        bumps_run.warped.report.scores,
    )
    shared = {"reconstruction_error", "codes_1nn", "aligned_1nn", "warp_error", "variance_left"}
    assert shared <= scores.keys() & expected.keys()
    for name in shared:
        assert scores[name] == pytest.approx(expected[name], rel=1e-4), name
