"""The option to try first if a warp does not help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from unwarp.app.outcome import Outcome
from unwarp.prefixes import strip_prefix
from unwarp.training.state import Row
from unwarp.warps import Warp

MIN_FALL_OF_CURVE = 0.02
"""Fall of the loss in the last quarter of a training, as a share of its whole fall.

Above it the loss still falls, and more steps lower it further.
"""

SMALLER_WARPS: Mapping[str, str] = {
    "displacement": "affine",
    "affine": "similarity",
    "similarity": "rigid",
    "rigid": "translation",
}
"""A warp with fewer factors, by the name of a warp; all others have only the identity."""

WIDER: Mapping[str, Callable[[float], float]] = {
    "rotation": lambda degrees: min(180.0, 2 * degrees),
    "scale": lambda factor: factor**2,
    "shear": lambda tangent: 2 * tangent,
    "shift": lambda half_widths: 2 * half_widths,
}
"""A range twice as wide as the present one, by the field of a warp."""


def first_step(outcome: Outcome, is_at_bounds: bool, is_untrained: bool) -> str:
    """An option to try first, with the reason.

    Args:
        outcome: A run with a warp that hardly lowers the error of held-out samples.
        is_at_bounds: Whether too many deformations are near the ends of the range of the warp.
        is_untrained: Whether the error is greater than that of the mean sample.

    Returns:
        A sentence without its full stop, such as `Train longer: --steps 800, since ...`.
    """
    recipe = outcome.warped.unwarper.recipe_
    if is_untrained:
        return f"{longer(outcome)}, since the model does not reconstruct yet"
    if still_falls(outcome.warped.unwarper.history_.rows):
        return f"{longer(outcome)}, since the loss was still falling at the end"
    if is_at_bounds:
        return wider(recipe.warp, outcome.warped.report.scores)
    is_dark = recipe.padding == "zeros" and len(outcome.test.shape) == 3
    if is_dark and recipe.start == "learned":
        return "Start at the centre of the object: --start centroid, since the background is dark"
    smaller = SMALLER_WARPS.get(recipe.warp.parts[0].name, "identity")
    return f"Try a smaller warp: --warp {smaller}"


def still_falls(rows: Sequence[Row], term: str = "reconstruction") -> bool:
    """Whether the loss still fell in the last quarter of a training.

    Args:
        rows: Rows of the history.
        term: Name of the loss term.

    >>> still_falls([{"reconstruction": 10.0 - i} for i in range(8)])
    True
    >>> still_falls([{"reconstruction": max(2.0, 10.0 - 4 * i)} for i in range(16)])
    False
    """
    values = [row[term] for row in rows if term in row]
    n = len(values) // 4
    if not n:
        return False
    third, last = median(values[-2 * n : -n]), median(values[-n:])
    return third - last > MIN_FALL_OF_CURVE * (values[0] - last)


def longer(outcome: Outcome) -> str:
    """A phrase with the option of a training twice as long.

    Args:
        outcome: The run.
    """
    limit, history = outcome.job.max_seconds, outcome.warped.unwarper.history_
    if limit is not None and history.seconds >= limit:
        return f"Train longer: --seconds {2 * limit:g}"
    return f"Train longer: --steps {2 * history.steps}"


def wider(warp: Warp, scores: Mapping[str, float]) -> str:
    """A phrase with the option of a wider range.

    The range is that of the factor that is most often at an end of it.

    Args:
        warp: The warp of the model.
        scores: Scores of the model.
    """
    columns = strip_prefix(scores, "at_bounds_")
    columns.pop("samples", None)
    reason = "since many samples are at the ends of its range"
    worst = max(columns, key=columns.__getitem__, default="")
    for part in warp.parts:
        for name, widen in WIDER.items():
            value: Any = getattr(part, name, None)
            if worst.rpartition("affine_")[2].startswith(name) and isinstance(value, float | int):
                path = "warp" if len(warp.parts) == 1 else f"warp.{part.name}"
                return f"Widen the {name}: --set {path}.{name}={widen(float(value)):g}, {reason}"
    return f"Allow a wider range of the warp with --set, {reason}; its fields are at the end"
