"""Checks of a report: did the training work?

A check compares a score with a limit. No check needs labels or true deformations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from unwarp.app.outcome import Outcome
from unwarp.app.report.advice import first_step, longer, wider
from unwarp.app.report.section import Check
from unwarp.prefixes import strip_prefix

Scores = Mapping[str, float]
"""Scores by their name."""

MIN_GAIN = 0.05
"""The warp must reduce the squared error of the baseline by more than this share."""

MAX_VARIANCE_LEFT = 0.8
"""Alignment must leave less than this share of the variance within clusters."""

MAX_SHARE_AT_BOUNDS = 0.05
"""Less than this share of the deformation parameters may be near an end of their range."""

MAX_SHARE_AMBIGUOUS = 0.1
"""Less than this share of the samples may have an ambiguous pose."""

UNIT = re.compile("_(deg|px|s|samples)$")
"""Unit at the end of the name of a column."""

MIN_HELD_OUT_FOR_VERDICT = 10
"""With fewer held-out samples, no check passes: a single sample decides too much."""


def checks(outcome: Outcome) -> tuple[Check, ...]:
    """The checks of a run.

    A check is left out if the run lacks its score, or the model a warp that could gain something.
    """
    n_content = outcome.warped.embedding.codes.shape[1]
    recipe = outcome.warped.unwarper.recipe_
    all_checks = (
        _check_gain(outcome) if recipe.warp.factors else None,
        _check_variance(outcome),
        _check_bounds(outcome),
        _check_poses(outcome),
        # a measured code has as many columns as distances need, and none is trained
        _check_dimensions(outcome, n_content) if recipe.content == "joint" else None,
    )
    is_certain = len(outcome.test) >= MIN_HELD_OUT_FOR_VERDICT
    return tuple(replace(check, is_certain=is_certain) for check in all_checks if check is not None)


def next_step(outcome: Outcome) -> str:
    """The first thing to do where something failed.

    Args:
        outcome: The run.

    Returns:
        The advice of the first check that failed, or what to do about too few samples; empty if
        the run meets all criteria.
    """
    if failed := [check for check in checks(outcome) if not check.has_passed]:
        return failed[0].advice
    n_test = len(outcome.test)
    if n_test < MIN_HELD_OUT_FOR_VERDICT:
        return (
            f"Add samples: {n_test} held-out ones are too few to tell whether it worked. "
            f"{MIN_HELD_OUT_FOR_VERDICT} or more are needed, and hundreds are better."
        )
    return ""


def selection_note(outcome: Outcome) -> tuple[str, ...]:
    """A sentence on the warp that was selected, and why.

    Returns:
        The sentence, in a tuple; an empty tuple if no selection was needed.
    """
    selection = outcome.warped.unwarper.selection_
    if selection is None:
        return ()
    return (f"How much to warp was decided without labels: {selection}.",)


def labels_note(outcome: Outcome) -> tuple[str, ...]:
    """A sentence on the features that labels chose.

    Returns:
        The sentence, in a tuple; an empty tuple if labels were ignored.
    """
    choice = outcome.warped.unwarper.labels_choice_
    if choice is None:
        return ()
    return (
        f"A mode that uses labels: {choice}. These features are those of the exported table; the "
        "models and the scores here use content codes, which are learned without labels.",
    )


def advice(outcome: Outcome) -> str:
    """One line on a warp that does not help: remedy and error.

    Returns:
        The line; empty if the warp lowers the error of held-out samples enough, or there is none.
    """
    if not outcome.warped.unwarper.recipe_.warp.factors:
        return ""
    check = _check_gain(outcome)
    return "" if check.has_passed else f"{check.advice} {check.message}"


def _check_gain(outcome: Outcome) -> Check:
    """Check that the error is less than that of the baseline and of a constant reconstruction."""
    scores, baseline = outcome.warped.report.scores, outcome.baseline.report.scores
    ratio = scores["reconstruction_error"] / max(baseline["reconstruction_error"], 1e-12)
    message = (
        f"On held-out samples, the squared error of the model with the warp is {ratio:.0%} of that "
        "of the baseline without a warp"
    )
    # the share of variance explained is not above 0 if the mean sample is as good
    is_untrained = scores.get("explained", 1.0) <= 0
    if is_untrained:
        message += ", and greater than the error of the mean sample"
    step = first_step(outcome, scores.get("at_bounds", 0.0) >= MAX_SHARE_AT_BOUNDS, is_untrained)
    last = "If that does not help, these samples do not differ by such a deformation"
    return Check(
        1 - ratio > MIN_GAIN and not is_untrained,
        f"{message}.",
        f"{step}. {last}: --warp identity.",
    )


def _check_variance(outcome: Outcome) -> Check | None:
    """Check that alignment brings the series of a cluster closer together."""
    scores = outcome.warped.report.scores
    if "variance_left" not in scores:
        return None
    return Check(
        scores["variance_left"] < MAX_VARIANCE_LEFT,
        f"Alignment leaves {scores['variance_left']:.0%} of the variance of held-out series within "
        "their clusters.",
        f"{first_step(outcome, False, False)}. Alignment hardly brings similar series together.",
    )


def _check_bounds(outcome: Outcome) -> Check | None:
    """Check that few deformation parameters are near the ends of the warp's range.

    The score `at_bounds` is the share of all parameters, `at_bounds_samples` the share of samples
    with such a parameter, and `at_bounds_NAME` the share of samples for the parameter NAME.
    """
    scores = outcome.warped.report.scores
    if "at_bounds" not in scores:
        return None
    shares = strip_prefix(scores, "at_bounds_")
    columns = {name: share for name, share in shares.items() if name != "samples" and share}
    message = (
        f"{scores['at_bounds']:.1%} of the estimated values are at an end of the range of the warp "
        f"or outside it; {shares['samples']:.1%} of the samples have such a value"
    )
    if columns:
        column = max(columns, key=columns.__getitem__)
        message += f". Most often it is {UNIT.sub('', column).replace('_', ' ')}"
        message += f" ({columns[column]:.1%} of the samples)"
    return Check(
        scores["at_bounds"] < MAX_SHARE_AT_BOUNDS,
        f"{message}.",
        f"{wider(outcome.warped.unwarper.recipe_.warp, scores)}.",
    )


def _check_poses(outcome: Outcome) -> Check | None:
    """Check that the model recovers known deformations that are added to samples."""
    scores = outcome.warped.report.scores
    if "ambiguous" not in scores:
        return None
    return Check(
        scores["ambiguous"] < MAX_SHARE_AMBIGUOUS,
        "The samples were turned and moved by known amounts. The median error of the estimated "
        f"turn is {scores['follow_deg']:.1f} degrees. For {scores['ambiguous']:.1%} of the samples "
        "the estimate is off by more than 10 degrees or 2 pixels.",
        f"{longer(outcome)}. Round or symmetric objects have several poses that look alike: for "
        "them choose a warp with fewer factors, such as --warp translation.",
    )


def _check_dimensions(outcome: Outcome, n_content: int) -> Check:
    """Check that most dimensions of the content code are used.

    Args:
        outcome: The run.
        n_content: Number of dimensions of the content code of the model with the warp.
    """
    n_unused = int(outcome.warped.report.scores["unused_content"])
    return Check(
        n_unused < n_content / 2,
        f"{n_unused} of the {n_content} numbers of the content code hardly vary (less than 1% of "
        "the variance of the one that varies most).",
        f"Use a shorter content code: --set n_content={max(1, n_content - n_unused)}.",
    )
