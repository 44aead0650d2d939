"""Checks tell failed runs from successful ones, by the scores that a run has."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.app.report.section_texts import section_of
from unwarp.analysis.scoring import Report
from unwarp.app.outcome import Outcome
from unwarp.app.report.checks import MIN_HELD_OUT_FOR_VERDICT, checks, labels_note, next_step
from unwarp.estimators.labels_choice import LabelsChoice


def with_scores(outcome: Outcome, **scores: float) -> Outcome:
    """The same run with other scores of the model with the warp."""
    report = Report(dict(outcome.warped.report.scores) | scores, {})
    return replace(outcome, warped=replace(outcome.warped, report=report))


@pytest.mark.parametrize("explained", [-0.5, 0.5])
def test_error_above_mean_fails(image_run: Outcome, explained: float) -> None:
    """An error greater than that of the mean sample fails, however small the ratio is."""
    run = with_scores(image_run, explained=explained, reconstruction_error=0.0)
    check = section_of(run, "Did it work on this data?").checks[0]
    assert check.has_passed == (explained > 0)
    assert ("greater than the error of the mean sample" in check.message) == (explained < 0)


def test_checks_without_scores_are_left_out(image_run: Outcome) -> None:
    """A report has only those checks that the run has scores for."""
    scores: dict[str, Any] = {"reconstruction_error": 1.0, "unused_content": 0.0}
    run = replace(image_run, warped=replace(image_run.warped, report=Report(scores, {})))
    assert len(section_of(run, "Did it work on this data?").checks) == 2


def test_bounds_name_the_worst_parameter(image_run: Outcome) -> None:
    """The check of the range names the parameter that is most often at an end."""
    scores: dict[str, Any] = {"reconstruction_error": 1.0, "unused_content": 0.0}
    scores |= {"at_bounds": 0.2, "at_bounds_samples": 0.3}
    scores |= {"at_bounds_shift_x_px": 0.1, "at_bounds_scale_x": 0.3}
    run = replace(image_run, warped=replace(image_run.warped, report=Report(scores, {})))
    check = checks(run)[1]
    assert not check.has_passed and "scale x (30.0% of the samples)" in check.message


def test_next_step_comes_first(image_run: Outcome) -> None:
    """The page begins with the advice of the first check that failed."""
    run = with_scores(image_run, explained=-0.5)
    check = section_of(run, "Did it work on this data?").checks[0]
    first = section_of(run, f"Unwarp report: {run.test.name}")
    assert first.lead == next_step(run) == check.advice
    assert first.lead.startswith("Train longer: --steps 8, since")


def test_few_samples_pass_nothing(image_run: Outcome) -> None:
    """With too few held-out samples no check has passed, and the next step is to add some."""
    scores: dict[str, Any] = {"at_bounds": 0.0, "at_bounds_samples": 0.0, "ambiguous": 0.0}
    scores |= {"explained": 0.9, "reconstruction_error": 0.0, "unused_content": 0.0}
    run = with_scores(image_run, **scores)
    assert len(run.test) < MIN_HELD_OUT_FOR_VERDICT
    assert {check.verdict for check in checks(run)} == {"too few"}
    assert next_step(run).startswith("Add samples: 3 held-out ones")
    many = replace(run, test=run.training)
    assert {check.verdict for check in checks(many)} == {"passed"} and not next_step(many)


def test_use_of_labels_is_said(image_run: Outcome) -> None:
    """The report says so if labels chose the features, and nothing of labels otherwise."""
    unwarper = copy(image_run.warped.unwarper)
    unwarper.labels_choice_ = LabelsChoice("raw", {"content": 0.5, "raw": 0.75}, 40)
    run = replace(image_run, warped=replace(image_run.warped, unwarper=unwarper))
    assert labels_note(image_run) == ()
    assert "A mode that uses labels: labels chose samples" in labels_note(run)[0]
    assert labels_note(run)[0] in section_of(run, "Did it work on this data?").paragraphs


def test_unused_dimensions_advise_a_size(image_run: Outcome) -> None:
    """Many unused dimensions fail, and the advice is the number of those in use, at least 1."""
    for n_unused, advice in ((8.0, "--set n_content=2."), (10.0, "--set n_content=1.")):
        check = checks(with_scores(image_run, unused_content=n_unused))[-1]
        assert not check.has_passed and check.advice.endswith(advice)


def test_no_warp_cannot_fail_to_gain(image_run: Outcome) -> None:
    """Without a warp no check compares the model with the baseline, which is the same model."""
    unwarper = copy(image_run.warped.unwarper)
    unwarper.recipe_ = unwarper.recipe_.without_warp()
    run = replace(image_run, warped=replace(image_run.warped, unwarper=unwarper))
    assert any("baseline" in check.message for check in checks(image_run))
    assert not any("baseline" in check.message for check in checks(run))
