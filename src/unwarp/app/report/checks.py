"""The checks of a report: did it work on this data?"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from unwarp.app.outcome import Outcome


def _bounds(scores: Mapping[str, float]) -> str:
    """How many parameters stand at the ends of their ranges, and in which column most."""
    columns = {k.removeprefix("at_bounds_"): v for k, v in scores.items() if k.startswith("at_bounds_")}
    worst = max((name for name in columns if name != "samples"), key=lambda name: columns[name], default="")
    most = f", most of them in {worst.replace('_', ' ')} ({columns[worst]:.1%})" if worst and columns[worst] else ""
    return (
        f"{scores['at_bounds']:.1%} of the deformation's parameters lie near an end of their range{most}; "
        f"{columns['samples']:.1%} of the samples have one there."
    )


def _evidence(outcome: Outcome) -> str:
    """How much to warp, where that was left open, and what spoke for it."""
    found = outcome.warped.unwarper.selection_
    return "" if found is None else f"<p>How much to warp was decided without labels: {escape(str(found))}.</p>"


def _checks(outcome: Outcome) -> str:
    scores, other = outcome.warped.report.scores, outcome.baseline.report.scores
    gain = 1 - scores["reconstruction_error"] / max(other["reconstruction_error"], 1e-12)
    learned = scores.get("explained", 1.0) > 0
    checks = [
        (learned and gain > 0.05, f"On held-out samples the squared error with the warp is {1 - gain:.0%} of the error without "
         "it" + ("." if learned else ", and greater than that of their mean."),
         "little to gain here: perhaps nothing moved in this data, or the warp does not fit how it moved" if learned else
         "nothing is reconstructed yet: train longer"),
    ]  # fmt: skip
    if "variance_left" in scores:
        checks.append((scores["variance_left"] < 0.8, "Within clusters, undoing the warps leaves "
                       f"{scores['variance_left']:.0%} of the variance of the held-out series.",
                       "alignment brings alike series hardly together: perhaps their timing does not differ"))  # fmt: skip
    if "at_bounds" in scores:
        checks.append((scores["at_bounds"] < 0.05, _bounds(scores), "widen the warp's range, or look at those samples"))
    if "ambiguous" in scores:
        share, turn = scores["ambiguous"], scores["follow_deg"]
        checks.append((share < 0.1, f"A known deformation put on top of a sample is followed to {turn:.1f} degrees (median); "
                       f"{share:.1%} of the samples are ambiguous (off by more than 10 degrees or 2 pixels).",
                       "round or symmetric objects have several poses; train longer, or allow fewer factors"))  # fmt: skip
    unused, size = int(scores["unused_content"]), outcome.warped.embedding.codes.shape[1]
    checks.append(
        (unused < size / 2, f"{unused} of {size} content dimensions are unused.", "a smaller n_content will do")
    )
    lines = []
    for good, words, advice in checks:
        mark = '<span class="verdict good">good</span>' if good else '<span class="verdict look">look</span>'
        lines.append(f"<p>{mark} {words}{'' if good else f' <i>{advice}</i>.'}</p>")
    return "<p class=quiet>These signs need no labels.</p>" + "".join(lines)
