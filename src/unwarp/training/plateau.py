"""Decisions on the number of steps of a run, by held-out samples.

The error is measured at even intervals. Its fall is one minus the median of the last `WINDOW`
measurements divided by the median of as many before, so that single noisy ones do not count.

* **Plateau.** If the fall is less than `MIN_FALL`, more steps gain nothing. The run is shortened:
  it makes a quarter of its steps so far at the low learning rates of the end of a run, and ends.
* **Extension.** If the run comes to its last step and the fall is at least `MIN_FALL_AT_END`, the
  number of steps is doubled, up to a bound.

Learning rates are always those of a run with the present number of steps. After an extension they
rise to the rates of the middle of a longer run; after a plateau they fall to those of an end. Only
measurements since the last change count, since the rates before it were others.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from unwarp.training.state import History, StepChange

WINDOW = 8
"""Number of measurements whose median is compared: the patience of a run."""

MIN_FALL = 0.01
"""Least fall of the error over a window that is worth further steps."""

MIN_FALL_AT_END = 0.03
"""Least fall of the error over the last window that is worth an extension.

It is greater than `MIN_FALL`, since falling learning rates alone reduce the error.
"""

EXTENSION_FACTOR = 2
"""Factor of the number of steps by an extension."""

COOL_DOWN_SHARE = 0.25
"""Steps after a plateau, divided by the steps before it."""


def fall(errors: Sequence[float]) -> float | None:
    """The relative fall of the error over the last window.

    Args:
        errors: Errors of held-out samples, 0 or more, in their order.

    Returns:
        A share of the earlier error, negative if the error rises; None if there are fewer
        measurements than two windows have.

    >>> round(fall([1.0] * WINDOW + [0.98] * WINDOW), 3), fall([1.0])
    (0.02, None)
    """
    if len(errors) < 2 * WINDOW:
        return None
    earlier, recent = median(errors[-2 * WINDOW : -WINDOW]), median(errors[-WINDOW:])
    return 1 - recent / earlier if earlier > 0 else 0.0


def change_steps(history: History, steps: int, max_steps: int | None) -> StepChange | None:
    """The change of the number of steps that is due, or None.

    Args:
        history: The history, with the measurement as its last one.
        steps: The present number of steps of the run.
        max_steps: Greatest number of steps after extensions; None for no extensions.
    """
    last = history.changes[-1] if history.changes else None
    if last is not None and not last.is_longer:
        return None
    first_step = 0 if last is None else last.step
    rows = [row for row in history.validation if row["step"] > first_step]
    share = fall([row["error"] for row in rows])
    if share is None:
        return None
    n, text = history.steps, "the error of held-out samples"
    if n == steps:
        to_steps = min(EXTENSION_FACTOR * steps, max_steps or 0)
        reason = f"{text} still fell by {100 * share:.0f} %"
        is_due = share >= MIN_FALL_AT_END and to_steps > steps
    else:
        to_steps = n + max(1, round(COOL_DOWN_SHARE * n))
        verb = f"fell by only {100 * share:.1f} %" if share > 0 else "did not fall"
        reason = f"{text} {verb} in {n - rows[-1 - WINDOW]['step']:,.0f} steps"
        is_due = share < MIN_FALL and to_steps < steps
    return StepChange(n, steps, to_steps, reason) if is_due else None
