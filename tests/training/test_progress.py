"""Progress: the estimate of the time left, with and without a bound on the time."""

from __future__ import annotations

import io
import re

import pytest
import torch
from rich.console import Console

from unwarp import AE
from unwarp.models import Net
from unwarp.training.progress import Announcer, Progress
from unwarp.training.state import State
from unwarp.warps import Identity

SMALL_RECIPE = AE(warp=Identity(), n_content=2, net=Net("mlp", (4,), (4,)))


def printed_lines(
    steps: int,
    seconds_per_step: float,
    max_seconds: float | None,
    last_step: int,
    terminal: bool = False,
) -> list[str]:
    """The lines that `Progress` prints in a run.

    Args:
        steps: Number of steps of the whole run.
        seconds_per_step: Time of a step.
        max_seconds: Bound on the time of the run; None for none.
        last_step: Number of steps until the run ends.
        terminal: Whether a terminal is simulated.
    """
    state, page = State(SMALL_RECIPE.build((1, 8)), (), (), (), steps, 0), io.StringIO()
    console = Console(file=page, width=60, force_terminal=terminal)
    progress = Progress("run", console, max_seconds)
    progress.on_start(state)
    for step in range(last_step):
        state.step, state.history.seconds = step, seconds_per_step * (step + 1)
        progress.on_step(
            state,
            {
                "reconstruction": 1.0,
                "a long name of a term": 2.0,
                "another one": 3.0,
                "x.gradient": 4.0,
            },
        )
    progress.on_end(state)
    return page.getvalue().splitlines()


def seconds_left(line: str) -> int:
    """The estimate in a line."""
    match = re.search(r"(\d+) s left", line)
    assert match
    return int(match[1])


def test_each_tenth_prints_a_line() -> None:
    """A run without a time bound prints ten lines, without gradient norms."""
    lines = printed_lines(50, 0.2, None, 50)
    assert len(lines) == 10
    assert [seconds_left(line) for line in lines] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert "gradient" not in lines[0] and "another one 3" in lines[0]


def test_time_bound_ends_the_estimate() -> None:
    """If the time ends the run, the time left is that until the bound."""
    lines = printed_lines(1000, 1.0, 20.0, 20)
    assert [seconds_left(line) for line in lines] == [18, 16, 14, 12, 10, 8, 6, 4, 2, 0]


def test_distant_time_bound_has_no_effect() -> None:
    """If the steps end the run, the lines are those without a bound."""
    assert printed_lines(50, 0.2, 900.0, 50) == printed_lines(50, 0.2, None, 50)


def test_bar_shows_the_completed_share() -> None:
    """Half of the time is half of the bar."""
    assert "50 %" in "".join(printed_lines(1000, 1.0, 20.0, 10, terminal=True))


@pytest.mark.parametrize(
    ("max_seconds", "ending"), [(None, "40 steps"), (2.5, "40 steps, at most 2.5 s")]
)
def test_decisions_name_the_time_bound(max_seconds: float | None, ending: str) -> None:
    """The line about the model ends with the steps and the bound on the time."""
    lines: list[str] = []
    Announcer(lines.append, max_seconds).on_start(
        State(SMALL_RECIPE.build((1, 8)), (), (), (), 40, 0)
    )
    assert lines[0].startswith("training without a warp (baseline)")
    assert lines[0].endswith(ending)
    assert torch.is_grad_enabled()


def test_messages_of_a_run_are_not_dropped() -> None:
    """A message before a run is printed once, those in each of several runs always."""
    lines: list[str] = []
    announcer = Announcer(lines.append)
    state = State(SMALL_RECIPE.build((1, 8)), (), (), (), 10, 0)
    for end in (announcer.on_stop, announcer.on_end):
        announcer.on_message("decided")
        announcer.on_start(state)
        announcer.on_message("diverged")
        end(state)
    assert [line for line in lines if "training" not in line] == ["decided", "diverged", "diverged"]


def test_lines_follow_a_rollback() -> None:
    """After a rollback, lines are printed for each tenth again."""
    state, page = State(SMALL_RECIPE.build((1, 8)), (), (), (), 10, 0), io.StringIO()
    progress = Progress("run", Console(file=page))
    progress.on_start(state)
    for state.step in (0, 1, 2, 0, 1, 2, 3):
        progress.on_step(state, {})
    steps = [int(number) for number in re.findall(r"step (\d+)", page.getvalue())]
    assert steps[:3] == [1, 2, 3] and steps[-2:] == [3, 4]
