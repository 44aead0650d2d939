"""Checks: what speaks for a run, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.app.report.words import section_of
from unwarp.analysis.scoring import Report
from unwarp.app.outcome import Outcome


def with_scores(outcome: Outcome, **scores: float) -> Outcome:
    """The same run with other scores of the model with the warp."""
    report = Report(dict(outcome.warped.report.scores) | scores, {})
    return replace(outcome, warped=replace(outcome.warped, report=report))


@pytest.mark.parametrize("explained", [-0.5, 0.5])
def test_error_above_mean_is_no_success(image_run: Outcome, explained: float) -> None:
    """An error greater than that of the mean is no success, however small the ratio is."""
    run = with_scores(image_run, explained=explained, reconstruction_error=0.0)
    check = section_of(run, "Did it work on this data?").checks[0]
    assert check.is_good == (explained > 0)
    assert ("greater than the error of their mean" in check.words) == (explained < 0)


def test_checks_without_scores_are_left_out(image_run: Outcome) -> None:
    """Only checks whose scores are known stand in the report."""
    scores: dict[str, Any] = {"reconstruction_error": 1.0, "unused_content": 0.0}
    run = replace(image_run, warped=replace(image_run.warped, report=Report(scores, {})))
    assert len(section_of(run, "Did it work on this data?").checks) == 2
