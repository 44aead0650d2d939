"""The checks of a report: did it work on this data?"""

from __future__ import annotations

from collections.abc import Mapping

from unwarp.app.outcome import Outcome
from unwarp.app.report.section import Check

Scores = Mapping[str, float]

MIN_GAIN = 0.05
"""Share of the baseline's squared error that the warp saves in a run that worked."""

MAX_VARIANCE_LEFT = 0.8
"""Share of the variance within clusters that good alignment leaves at most."""

MAX_SHARE_AT_BOUNDS = 0.05
"""Share of the deformation's parameters near an end of their range that is still harmless."""

MAX_SHARE_AMBIGUOUS = 0.1
"""Share of samples with an ambiguous pose that is still harmless."""


def checks(outcome: Outcome) -> tuple[Check, ...]:
    """The checks whose scores the run has."""
    scores = outcome.warped.report.scores
    gain = _gain(scores, outcome.baseline.report.scores)
    size = outcome.warped.embedding.codes.shape[1]
    signs = (gain, _variance(scores), _bounds(scores), _poses(scores), _dimensions(scores, size))
    return tuple(sign for sign in signs if sign is not None)


def evidence(outcome: Outcome) -> tuple[str, ...]:
    """How much to warp, where training decided that, and why."""
    selection = outcome.warped.unwarper.selection_
    if selection is None:
        return ()
    return (f"How much to warp was decided without labels: {selection}.",)


def _gain(scores: Scores, baseline: Scores) -> Check:
    """Whether the warp lowers the squared error, and that below the mean's.

    Args:
        scores: Scores of the model with the warp.
        baseline: Scores of the model without it.
    """
    ratio = scores["reconstruction_error"] / max(baseline["reconstruction_error"], 1e-12)
    has_learned = scores.get("explained", 1.0) > 0
    words = f"On held-out samples the squared error with the warp is {ratio:.0%} of that without it"
    if not has_learned:
        words += ", and greater than the error of their mean"
        return Check(False, f"{words}.", "Nothing is reconstructed yet: train longer.")
    reasons = "perhaps nothing moved in this data, or the warp does not fit how it moved"
    return Check(1 - ratio > MIN_GAIN, f"{words}.", f"There is little to gain here: {reasons}.")


def _variance(scores: Scores) -> Check | None:
    """Whether alignment brings the series of a cluster together."""
    if "variance_left" not in scores:
        return None
    return Check(
        scores["variance_left"] < MAX_VARIANCE_LEFT,
        f"Within clusters, undoing the warps leaves {scores['variance_left']:.0%} of the variance "
        "of the held-out series.",
        "Alignment hardly brings similar series together: perhaps their timing does not differ.",
    )


def _bounds(scores: Scores) -> Check | None:
    """Whether the range of the warp is wide enough."""
    if "at_bounds" not in scores:
        return None
    head = "at_bounds_"
    shares = {k.removeprefix(head): v for k, v in scores.items() if k.startswith(head)}
    columns = {name: share for name, share in shares.items() if name != "samples" and share}
    worst = max(columns, key=columns.__getitem__, default=None)
    place = worst and f", most of them in {worst.replace('_', ' ')} ({columns[worst]:.1%})"
    return Check(
        scores["at_bounds"] < MAX_SHARE_AT_BOUNDS,
        f"{scores['at_bounds']:.1%} of the deformation's parameters lie near an end of their "
        f"range{place or ''}; {shares['samples']:.1%} of the samples have one there.",
        "Widen the warp's range, or look at those samples.",
    )


def _poses(scores: Scores) -> Check | None:
    """Whether a deformation put on top of a sample is found again."""
    if "ambiguous" not in scores:
        return None
    return Check(
        scores["ambiguous"] < MAX_SHARE_AMBIGUOUS,
        "When a known deformation is put on top of a sample, the model follows it to "
        f"{scores['follow_deg']:.1f} degrees (median); {scores['ambiguous']:.1%} of the samples "
        "are ambiguous (off by more than 10 degrees or 2 pixels).",
        "Round or symmetric objects have several poses. Train longer, or allow fewer factors.",
    )


def _dimensions(scores: Scores, size: int) -> Check:
    """Whether most dimensions of the content are used.

    Args:
        scores: Scores of the model with the warp.
        size: Dimensions of its content.
    """
    unused = int(scores["unused_content"])
    return Check(
        unused < size / 2,
        f"{unused} of {size} content dimensions are unused.",
        "A smaller n_content will do.",
    )
