"""Advice: the setting to try first follows from the data of the run."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from unwarp import AE, Affine2d
from unwarp.analysis.scoring import Report
from unwarp.app.outcome import Outcome
from unwarp.app.report.advice import first_step, still_falls
from unwarp.app.report.checks import MIN_GAIN, advice, checks
from unwarp.models.codec import describe, restore
from unwarp.training.state import History

FALLING = [{"reconstruction": 100.0 / (1 + i)} for i in range(12)]
FLAT = [{"reconstruction": 100.0 if i == 0 else 10.0} for i in range(12)]


def changed(
    outcome: Outcome, recipe: AE | None = None, rows: Any = FLAT, **scores: float
) -> Outcome:
    """The run with another recipe, history and scores of the model with the warp."""
    unwarper = copy.copy(outcome.warped.unwarper)
    unwarper.recipe_ = recipe or AE(warp=Affine2d(), padding="border")
    unwarper.history_ = History(rows=list(rows), steps=400)
    report = Report(dict(outcome.warped.report.scores) | scores, {})
    return replace(outcome, warped=replace(outcome.warped, unwarper=unwarper, report=report))


@pytest.mark.parametrize("ratio", [1 - 2 * MIN_GAIN, 1 - 0.4 * MIN_GAIN, 1.04])
def test_advice_is_the_failed_check(image_run: Outcome, ratio: float) -> None:
    """There is a line if and only if the check of the report fails, with its numbers."""
    error = ratio * image_run.baseline.report.scores["reconstruction_error"]
    run = changed(image_run, reconstruction_error=error, explained=0.5)
    check, line = checks(run)[0], advice(run)
    assert bool(line) != check.has_passed == (ratio < 1 - MIN_GAIN)
    if line:
        assert f"{ratio:.0%} of that of the baseline" in line and check.advice in line
        assert check.message in line and line.startswith(check.advice) and "\n" not in line


def test_run_without_a_warp_needs_none(image_run: Outcome) -> None:
    """A user who asked for no warp is not told that it does not help."""
    recipe = AE(warp=Affine2d()).without_warp()
    assert advice(changed(image_run, recipe, reconstruction_error=1e9)) == ""


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"max_steps": 400}, "Train longer: --steps 800,"),
        ({"max_steps": None, "max_seconds": 0.0}, "Train longer: --seconds 0,"),
    ],
)
def test_falling_loss_needs_more_steps(
    image_run: Outcome, settings: dict[str, Any], setting: str
) -> None:
    """A loss that still falls, or a model worse than the mean, needs a longer training."""
    run = replace(image_run, job=replace(image_run.job, settings=settings))
    step = first_step(changed(run, rows=FALLING), is_at_bounds=True, is_untrained=False)
    assert setting in step and "still falling" in step
    step = first_step(changed(run), is_at_bounds=True, is_untrained=True)
    assert setting in step and "does not reconstruct yet" in step


@pytest.mark.parametrize(
    ("column", "setting"),
    [
        ("rotation", "warp.rotation=60,"),
        ("scale_x", "warp.scale="),
        ("shear", "warp.shear="),
        ("shift_y_px", "warp.shift="),
        ("affine_shift_y_px", "warp.shift="),
        ("bend", "Allow a wider range of the warp"),
    ],
)
def test_bounds_need_a_wider_range(image_run: Outcome, column: str, setting: str) -> None:
    """The factor that is most often at an end of its range is the one to widen."""
    recipe = AE(warp=Affine2d(rotation=30))
    score = {f"at_bounds_{column}": 0.9, "at_bounds_samples": 1.0}
    others = {k: 0.0 for k in image_run.warped.report.scores if k.startswith("at_bounds_")}
    run = changed(image_run, recipe, **(others | score))
    assert setting in first_step(run, is_at_bounds=True, is_untrained=False)


@pytest.mark.parametrize(
    ("recipe", "setting"),
    [
        (AE(warp=Affine2d(), padding="zeros", start="learned"), "--start centroid"),
        (AE(warp=Affine2d(), padding="border"), "--warp similarity"),
        (AE(warp=Affine2d(), padding="zeros", start="centroid"), "--warp similarity"),
    ],
)
def test_background_decides_the_start(image_run: Outcome, recipe: AE, setting: str) -> None:
    """On a dark background the centroid is a start; otherwise a smaller warp comes first."""
    run = changed(image_run, recipe)
    assert setting in first_step(run, is_at_bounds=False, is_untrained=False)
    assert restore(describe(recipe)) == recipe


def test_small_warps_have_the_identity(series_run: Outcome) -> None:
    """A warp of time has no smaller one but none."""
    recipe = series_run.warped.unwarper.recipe_
    run = changed(series_run, recipe)  # type: ignore[arg-type]
    step = first_step(run, is_at_bounds=False, is_untrained=False)
    assert step == "Try a smaller warp: --warp identity"


def test_short_histories_do_not_fall() -> None:
    """Of fewer than four rows nothing is said."""
    assert not still_falls(FALLING[:3]) and still_falls(FALLING) and not still_falls(FLAT)
