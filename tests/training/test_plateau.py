"""The length of a run: it follows the fall of the error, and not its noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp.training.plateau import MIN_FALL, MIN_FALL_AT_END, WINDOW, change_steps, fall
from unwarp.training.state import History, StepChange


def history(errors: list[float], interval: int = 10, **fields: Any) -> History:
    """A history with errors at even intervals."""
    rows = [{"step": interval * (i + 1), "error": error} for i, error in enumerate(errors)]
    return History(steps=interval * len(errors), validation=rows, **fields)


def geometric(share: float, n: int = 3 * WINDOW) -> list[float]:
    """Errors that fall by a share within each window."""
    return [100 * (1 - share) ** (i / WINDOW) for i in range(n)]


@pytest.mark.parametrize("share", [-0.2, 0.0, 0.005, 0.03, 0.5])
def test_fall_is_that_of_a_window(share: float) -> None:
    """Of a geometric fall it is the share, whatever the unit of the errors."""
    for factor in (1.0, 1e6):
        assert fall([factor * error for error in geometric(share)]) == pytest.approx(share)


def test_outliers_do_not_count() -> None:
    """Three measurements out of eight that are far off change the fall little."""
    errors = np.array(geometric(0.2))
    errors[[-1, -3, -6]] *= 50
    errors[[-10, -12]] = 0.0
    assert fall(list(errors)) == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize(
    ("share", "steps", "max_steps", "to_steps"),
    [
        (0.0, 1000, None, 300),  # a plateau: a quarter of the 240 steps is added
        (-0.5, 1000, 4000, 300),
        (0.9 * MIN_FALL, 1000, None, 300),
        (1.1 * MIN_FALL, 1000, None, None),
        (0.0, 290, None, None),  # the end is nearer
        (0.0, 240, 960, None),  # at the end
        (1.1 * MIN_FALL_AT_END, 240, 960, 480),
        (0.9 * MIN_FALL_AT_END, 240, 960, None),
        (0.5, 240, 300, 300),
        (0.5, 240, 240, None),
        (0.5, 240, None, None),
    ],
)
def test_steps_follow_the_fall(
    share: float, steps: int, max_steps: int | None, to_steps: int | None
) -> None:
    """A plateau shortens a run, a fall at its end extends it up to the bound."""
    change = change_steps(history(geometric(share)), steps, max_steps)
    assert (change and change.to_steps) == to_steps


def test_only_errors_since_a_change_count() -> None:
    """After an extension a run has two windows of patience; after a plateau it just ends."""
    longer = StepChange(80, 80, 160, "still falling")
    assert change_steps(history(geometric(0.0), changes=[longer]), 1000, None)
    recent = StepChange(90, 90, 180, "still falling")
    assert not change_steps(history(geometric(0.0), changes=[recent]), 1000, None)
    shorter = StepChange(80, 1000, 100, "a plateau")
    assert not change_steps(history(geometric(0.5), changes=[shorter]), 240, 1000)


def test_few_measurements_decide_nothing() -> None:
    """A run needs two windows."""
    for n in (1, 2 * WINDOW - 1):
        assert change_steps(history(geometric(0.0, n)), 1000, None) is None
    assert change_steps(history(geometric(0.0, 2 * WINDOW)), 1000, None)


def test_messages_say_steps_and_share() -> None:
    """A change names both numbers of steps, and the measurement."""
    change = change_steps(history(geometric(0.2)), 240, 960)
    assert str(change) == (
        "extended from 240 to 480 steps: the error of held-out samples still fell by 20 %"
    )
    change = change_steps(history(geometric(0.005)), 1000, None)
    assert str(change).endswith("the error of held-out samples fell by only 0.5 % in 80 steps")
