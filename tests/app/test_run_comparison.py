"""Runs are compared by their data, settings and scores, and only finished runs are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.run_comparison import compare
from unwarp.errors import CheckpointError, ConfigError


def folder_of(outcome: Outcome) -> Path:
    """The run folder of a short run."""
    return Path(outcome.job.source).parent / "run"


def copy_of(outcome: Outcome, folder: Path, **recipe: Any) -> Path:
    """A copy of the folder of a run, whose record has other fields of the recipe."""
    shutil.copytree(folder_of(outcome), folder)
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["warped"]["recipe"] |= recipe
    path.write_text(json.dumps(metrics))
    return folder


def test_differences_are_those_of_the_records(image_run: Outcome, tmp_path: Path) -> None:
    """Of two runs of the same data, only the settings that differ are listed."""
    comparison = compare(
        [folder_of(image_run), copy_of(image_run, tmp_path / "two", start="moments")]
    )
    start = image_run.warped.unwarper.recipe_.start
    assert comparison.differences == {"recipe.start": (start, "moments")}
    assert comparison.has_same_data and list(comparison.runs) == ["run", "two"]
    record = json.loads(json.dumps(comparison.record()))
    scores = dict(image_run.warped.report.scores)
    assert record["runs"]["two"]["scores"]["warped"] == pytest.approx(scores)


def test_other_data_are_told(image_run: Outcome, series_run: Outcome) -> None:
    """Runs of other samples have other data; folders of one name are told by their paths."""
    folders = [folder_of(image_run), folder_of(series_run)]
    comparison = compare(folders)
    assert comparison.has_same_data is False
    assert list(comparison.runs) == [str(folder) for folder in folders]


def test_unrecorded_data_are_unknown(image_run: Outcome, tmp_path: Path) -> None:
    """Without a fingerprint nothing is said about the data."""
    other = copy_of(image_run, tmp_path / "two")
    (other / "run.facts.json").unlink()
    assert compare([folder_of(image_run), other]).has_same_data is None


def test_codes_of_series_have_plain_names(series_run: Outcome, tmp_path: Path) -> None:
    """Scores of codes stand under the name that scores of images have."""
    run = compare([folder_of(series_run), copy_of(series_run, tmp_path / "two")]).runs["two"]
    scores = series_run.warped.report.scores
    assert run.scores("warped")["1nn"] == scores["codes_1nn"]


def test_unfinished_runs_are_refused(image_run: Outcome, tmp_path: Path) -> None:
    """One run, the same run twice, and a run without scores are errors that name the mend."""
    one, other = folder_of(image_run), copy_of(image_run, tmp_path / "two")
    for folders in ([one], [one, one]):
        with pytest.raises(ConfigError, match="two different run folders"):
            compare(folders)
    (other / "metrics.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"metrics.json is damaged .* resume"):
        compare([one, other])
    (other / "metrics.json").unlink()
    with pytest.raises(CheckpointError, match=r"not finished; continue it with 'unwarp resume"):
        compare([one, other])
