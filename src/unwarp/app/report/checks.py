"""Checks of a report: criteria for whether training worked.

No check needs labels or true deformations.
"""

from __future__ import annotations

from collections.abc import Mapping

from unwarp.app.outcome import Outcome
from unwarp.app.report.section import Check

Scores = Mapping[str, float]

MIN_GAIN = 0.05
"""Least reduction of the squared error by the warp, as a share of the baseline's error."""

MAX_VARIANCE_LEFT = 0.8
"""Greatest share of the variance within clusters that may remain after alignment."""

MAX_SHARE_AT_BOUNDS = 0.05
"""Greatest share of deformation parameters that may be near an end of their range."""

MAX_SHARE_AMBIGUOUS = 0.1
"""Greatest share of samples that may have an ambiguous pose."""


def checks(outcome: Outcome) -> tuple[Check, ...]:
    """The checks of a run, as far as it has their scores."""
    scores = outcome.warped.report.scores
    n_content = outcome.warped.embedding.codes.shape[1]
    candidates = (
        _check_gain(scores, outcome.baseline.report.scores),
        _check_variance(scores),
        _check_bounds(scores),
        _check_poses(scores),
        _check_dimensions(scores, n_content),
    )
    return tuple(check for check in candidates if check is not None)


def selection_note(outcome: Outcome) -> tuple[str, ...]:
    """A sentence on how much warp was selected, and why.

    Returns:
        The sentence; nothing if the amount of warp was fixed in advance.
    """
    selection = outcome.warped.unwarper.selection_
    if selection is None:
        return ()
    return (f"How much to warp was decided without labels: {selection}.",)


def _check_gain(scores: Scores, baseline: Scores) -> Check:
    """Check that the error is below that of the baseline and that of the mean sample.

    Args:
        scores: Scores of the model with the warp.
        baseline: Scores of the baseline without a warp.
    """
    ratio = scores["reconstruction_error"] / max(baseline["reconstruction_error"], 1e-12)
    message = (
        f"On held-out samples, the squared error of the model with the warp is {ratio:.0%} of that "
        "of the baseline without a warp"
    )
    if scores.get("explained", 1.0) <= 0:
        message += ", and greater than the error of the mean sample"
        return Check(False, f"{message}.", "The model does not reconstruct yet: train longer.")
    advice = (
        "The warp hardly lowers the error. Either the samples do not differ by a deformation, or "
        "this warp does not describe how they differ, or training was too short."
    )
    return Check(1 - ratio > MIN_GAIN, f"{message}.", advice)


def _check_variance(scores: Scores) -> Check | None:
    """Check that alignment brings the series of a cluster closer together."""
    if "variance_left" not in scores:
        return None
    return Check(
        scores["variance_left"] < MAX_VARIANCE_LEFT,
        f"Alignment leaves {scores['variance_left']:.0%} of the variance of held-out series within "
        "their clusters.",
        "Alignment hardly brings similar series together; perhaps they do not differ in timing.",
    )


def _check_bounds(scores: Scores) -> Check | None:
    """Check that the range of the warp is wide enough."""
    if "at_bounds" not in scores:
        return None
    prefix = "at_bounds_"
    shares = {k.removeprefix(prefix): v for k, v in scores.items() if k.startswith(prefix)}
    columns = {name: share for name, share in shares.items() if name != "samples" and share}
    message = (
        f"{scores['at_bounds']:.1%} of the deformation parameters are near an end of their range "
        f"or outside; this concerns {shares['samples']:.1%} of the samples"
    )
    if columns:
        column = max(columns, key=columns.__getitem__)
        message += f". The most frequent parameter is {column.replace('_', ' ')}"
        message += f" ({columns[column]:.1%} of the samples)"
    return Check(
        scores["at_bounds"] < MAX_SHARE_AT_BOUNDS,
        f"{message}.",
        "Widen the range of the warp (see the recipe at the end of this page), or inspect these "
        "samples.",
    )


def _check_poses(scores: Scores) -> Check | None:
    """Check that the model recovers a known deformation that is added to a sample."""
    if "ambiguous" not in scores:
        return None
    return Check(
        scores["ambiguous"] < MAX_SHARE_AMBIGUOUS,
        "When a known deformation is added to a sample, the model estimates its rotation to "
        f"{scores['follow_deg']:.1f} degrees (median error). {scores['ambiguous']:.1%} of the "
        "samples have an ambiguous pose: their error exceeds 10 degrees or 2 pixels.",
        "Round or symmetric objects have several equivalent poses. Train longer, or choose a warp "
        "with fewer factors.",
    )


def _check_dimensions(scores: Scores, n_content: int) -> Check:
    """Check that most dimensions of the content code are used.

    Args:
        scores: Scores of the model with the warp.
        n_content: Number of dimensions of its content code.
    """
    n_unused = int(scores["unused_content"])
    return Check(
        n_unused < n_content / 2,
        f"{n_unused} of {n_content} content dimensions are unused (variance below 1% of that of "
        "the largest one).",
        f"A smaller content code is enough: set n_content={max(1, n_content - n_unused)}.",
    )
